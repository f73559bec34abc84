"""Errors of the driver, as the three kinds that the engine knows, with what to do next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from ferris_beam.connectors.postgresql.refusals import (
    ACCESS,
    DATABASE,
    PASSWORD,
    in_one_line,
    refusal,
)
from ferris_beam.errors import (
    BadRecordError,
    ConfigurationError,
    FatalError,
    FerrisError,
    TransientError,
    UnreachableError,
)

_TRANSIENT_STATES = (
    "08",  # connection exceptions
    "25P0",  # a transaction that was idle or took too long
    "40",  # rollbacks: serialization failures, deadlocks
    "53",  # insufficient resources: disk full, too many connections
    "57P",  # the server shuts down, starts, or was asked to cancel
    "55P03",  # a lock that is not available
)
_BAD_RECORD_STATES = {  # and the category of the dead letters
    "22": "validation",  # data exceptions: out of range, bad text
    "23": "constraint",  # violations of constraints
}
_HINTS = {
    "28P01": PASSWORD,
    "28000": ACCESS,
    "3D000": DATABASE,
    "42P01": "check the table's name and schema: ?table=schema.name",
    "42501": "the role lacks a right: GRANT it, or use another role",
    "42703": "check the column's name",
    "42601": "check the query",
    "53100": "free space on the server's disk",
    "53300": "close idle connections, take fewer with pool_size=, or raise max_connections",
    "55006": "another process uses it: stop that one, or take another slot with slot=; "
    "SELECT * FROM pg_replication_slots says which (active_pid)",
    "57014": "statement_timeout= is how long a statement may take",
}
_NOT_READY = (  # of 55000, which says only that an object is in the wrong state
    (
        "wal_level",
        "changes need wal_level=logical; as a superuser run: ALTER SYSTEM SET wal_level = "
        "'logical'; and restart the server",
    ),
    (
        "replication slot",
        "the slot is lost: on_slot_lost=snapshot goes on with a new one and a snapshot; a higher "
        "max_slot_wal_keep_size keeps slots longer",
    ),
)
_LINE = re.compile(r"COPY .*, line (?P<number>[0-9]+)")
_SECRETS = re.compile(r"(password\s*=\s*)('[^']*'|\S+)", re.IGNORECASE)


@contextmanager
def explained(display: str) -> Iterator[None]:
    """Turns errors of psycopg into ours; ``display`` says where, without secrets."""
    try:
        yield
    except FerrisError:
        raise
    except psycopg.Error as error:
        raise of_driver(error, display) from error


def of_driver(error: psycopg.Error, display: str) -> FerrisError:
    """The error of ours that says what ``error`` means."""
    state = error.sqlstate or ""
    what = _SECRETS.sub(r"\1***", str(error).strip()) or type(error).__name__
    message = f"{display}: {what}"
    if not state and isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
        return _without_state(what, display)
    hint = _hint(state, what)
    explained = f"{message}\n{hint}" if hint else message
    if isinstance(error, errors.ObjectInUse):
        return UnreachableError(explained)
    if state.startswith(_TRANSIENT_STATES):
        return TransientError(explained)
    if state.startswith(tuple(_BAD_RECORD_STATES)):
        return _bad_record(error, state, message)
    if isinstance(error, errors.QueryCanceled):
        return FatalError(explained)
    if hint or isinstance(error, errors.FeatureNotSupported):
        return ConfigurationError(explained)
    return FatalError(message)


def _hint(state: str, what: str) -> str:
    if state == "55000":
        return next((hint for text, hint in _NOT_READY if text in what), "")
    return _HINTS.get(state, "")


def _bad_record(error: psycopg.Error, state: str, message: str) -> BadRecordError:
    """COPY says at which row it stopped; a trigger's or a foreign key's error does not."""
    line = _LINE.match(error.diag.context or "")
    row = int(line["number"]) - 1 if line else None
    reason = error.diag.constraint_name or error.diag.message_primary
    return BadRecordError(message, reason, row, _BAD_RECORD_STATES[state[:2]])


def _without_state(what: str, display: str) -> FerrisError:
    """libpq's own errors have no SQLSTATE; those of connecting carry the server's text."""
    message = f"{display}: {in_one_line(what)}"
    refused = refusal(what)
    if refused is None:
        return TransientError(message)
    kind = UnreachableError if refused.passing else ConfigurationError
    return kind(f"{message}\n{refused.fix}")
