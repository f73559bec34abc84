"""Errors of the driver, as the three kinds that the engine knows, with what to do next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from ferris_beam.errors import (
    BadRecordError,
    ConfigurationError,
    FatalError,
    FerrisError,
    TransientError,
)

_TRANSIENT_STATES = (
    "08",  # connection exceptions
    "40",  # rollbacks: serialization failures, deadlocks
    "53",  # insufficient resources: disk full, too many connections
    "57P",  # the server shuts down, starts, or was asked to cancel
    "55006",  # an object in use: a replication slot that is active
    "55P03",  # a lock that is not available
)
_BAD_RECORD_STATES = (
    "22",  # data exceptions: out of range, bad text
    "23",  # constraint violations
)
_HINTS = {
    "28P01": "the password is wrong: give password=env:NAME or the variable PGPASSWORD",
    "28000": "pg_hba.conf lets this role not in from here: check user, database and sslmode",
    "3D000": "the database does not exist: the URI's path names it",
    "42P01": "check the table's name and schema: ?table=schema.name",
    "42501": "the role lacks a right: GRANT it, or use another role",
    "42703": "check the column's name",
    "42601": "check the query",
}
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
    if state.startswith(_TRANSIENT_STATES):
        return TransientError(message)
    if state.startswith(_BAD_RECORD_STATES):
        return BadRecordError(message)
    if not state and isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
        return _without_state(what, message)
    hint = _HINTS.get(state)
    if hint is not None:
        return ConfigurationError(f"{message}\n{hint}")
    if isinstance(error, errors.FeatureNotSupported):
        return ConfigurationError(message)
    return FatalError(message)


def _without_state(what: str, message: str) -> FerrisError:
    """libpq's own errors have no SQLSTATE; those of connecting carry the server's text."""
    for text, hint in (
        ("password authentication failed", _HINTS["28P01"]),
        ("no password supplied", _HINTS["28P01"]),
        ("no pg_hba.conf entry", _HINTS["28000"]),
        ("certificate verify failed", "give the authority's certificate: sslrootcert=FILE"),
        ("does not support SSL", "the server has no SSL: sslmode=disable, or switch it on there"),
    ):
        if text in what:
            return ConfigurationError(f"{message}\n{hint}")
    if 'database "' in what and "does not exist" in what:
        return ConfigurationError(f"{message}\n{_HINTS['3D000']}")
    if 'role "' in what and "does not exist" in what:
        return ConfigurationError(f"{message}\nthe URI's user, or PGUSER, names the role")
    return TransientError(message)
