"""Exported snapshots: all readers of a run see the database at the same instant.

A snapshot lives as long as the transaction that exported it. That transaction is held here, in the
process that listed the splits, until all of these were read here, or the process ends, or nobody
has read under it for a while: readers, in whatever process, hold a shared advisory lock meanwhile,
which is seen from here.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import errors, sql

from ferris_beam.connectors.postgresql.reading.pool import Connections, Place
from ferris_beam.connectors.postgresql.writing.names import lock_number
from ferris_beam.errors import FatalError

Connection = psycopg.Connection[Any]

IDLE_SECONDS = 1800.0
"""How long a snapshot is held that nobody reads under."""
MOST_UNREAD = 8
"""How many snapshots are held under which nothing was read yet; what only asks what there is to
read (EXPLAIN, estimates) leaves one behind each time."""
_BEAT_SECONDS = 20.0

_NO_TIMEOUTS = """
SELECT set_config(name, '0', false) FROM pg_catalog.pg_settings WHERE name IN (
    'statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout',
    'lock_timeout')
"""
_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_LOCKED = """
SELECT EXISTS (SELECT FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND granted
AND objsubid = 1 AND (classid::int8 << 32) | objid::int8 = %s)
"""
_MISSING = (errors.UndefinedObject, errors.InvalidParameterValue)


@dataclass(frozen=True)
class Snapshot:
    """An exported snapshot, by the name that the server gave it, and the host that knows it."""

    name: str
    place: Place

    @property
    def lock(self) -> int:
        """The advisory lock that readers share; not negative, as pg_locks shows its halves."""
        return lock_number("ferris_beam snapshot", self.name) & (2**63 - 1)


@dataclass
class _Held:
    snapshot: Snapshot
    connection: Connection
    unread: set[object] = field(default_factory=set)
    touched: bool = False
    readers: int = 0
    since: float = field(default_factory=time.monotonic)


_held: dict[Snapshot, _Held] = {}
_lock = threading.RLock()
_wake = threading.Event()
_beating: threading.Thread | None = None


def export(connections: Connections) -> tuple[Snapshot, Connection]:
    """A new snapshot, and the connection whose transaction has exported it: see `hold`."""
    connection = connections.connect()
    try:
        connection.execute(_NO_TIMEOUTS)
        connection.execute(_BEGIN)
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
    except BaseException:
        connection.close()
        raise
    assert row is not None
    return Snapshot(row[0], Place.of(connection)), connection


def hold(snapshot: Snapshot, connection: Connection, pieces: set[object]) -> None:
    """Keeps the transaction open until all of ``pieces`` are said to be `done`."""
    global _beating
    with _lock:
        _held[snapshot] = _Held(snapshot, connection, pieces)
        untouched = [held for held in _held.values() if not held.touched]
        for held in untouched[:-MOST_UNREAD]:
            _release(held)
        if _beating is None:
            _beating = threading.Thread(target=_beat, name="postgresql-snapshots", daemon=True)
            _beating.start()


def done(snapshot: Snapshot, piece: object) -> None:
    """A piece was read to its end in this process."""
    with _lock:
        held = _held.get(snapshot)
        if held is None:
            return
        held.unread.discard(piece)
        if not held.unread:
            _release(held)


@contextmanager
def under(connections: Connections, snapshot: Snapshot, display: str) -> Iterator[Connection]:
    """A connection in a transaction that sees what the snapshot does.

    Raises `FatalError` where the snapshot is gone.
    """
    with _counted(snapshot), connections.connection() as connection:
        try:
            connection.execute(_BEGIN)
            # First of all, so that the holder sees it; it ends with the transaction.
            try:
                connection.execute(_set(snapshot))
            except _MISSING as error:
                raise FatalError(
                    f"{display}: the snapshot under which this was read is gone: the server or "
                    "the process that held it was stopped, or nobody read for a while. The rows "
                    "of that instant can't be read any more: start again"
                ) from error
            connection.execute("SELECT pg_advisory_xact_lock_shared(%s)", (snapshot.lock,))
            yield connection
        finally:
            if not connection.broken:
                with suppress(psycopg.Error):
                    connection.execute("ROLLBACK")


def statements(snapshot: Snapshot) -> tuple[str, str]:
    """What begins a transaction that sees what the snapshot does, for another driver: beside a
    connection that is `under` it."""
    return _BEGIN, _set(snapshot).as_string(None)


def _set(snapshot: Snapshot) -> sql.Composed:
    return sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot.name))


@contextmanager
def _counted(snapshot: Snapshot) -> Iterator[None]:
    with _lock:
        held = _held.get(snapshot)
        if held is not None:
            held.touched = True
            held.readers += 1
    try:
        yield
    finally:
        if held is not None:
            with _lock:
                held.readers -= 1
                held.since = time.monotonic()


def _release(held: _Held) -> None:
    _held.pop(held.snapshot, None)
    held.connection.close()


def _beat() -> None:
    """Releases what nobody reads under any more; runs as long as something is held."""
    global _beating
    while True:
        _wake.wait(_BEAT_SECONDS)
        _wake.clear()
        with _lock:
            release_idle(IDLE_SECONDS)
            if not _held:
                _beating = None
                return


def release_idle(seconds: float) -> None:
    """Releases all snapshots under which nobody has read for so long, in any process."""
    now = time.monotonic()
    with _lock:
        for held in list(_held.values()):
            if held.readers or _locked_elsewhere(held):
                held.since, held.touched = now, True
            elif now - held.since >= seconds or held.connection.broken:
                _release(held)


def _locked_elsewhere(held: _Held) -> bool:
    """Also shows the connection that it is still in use, so that no firewall cuts it."""
    try:
        row = held.connection.execute(_LOCKED, (held.snapshot.lock,)).fetchone()
    except psycopg.Error:
        return False
    return bool(row and row[0])


def held_snapshots() -> list[Snapshot]:
    """Those that this process holds."""
    with _lock:
        return list(_held)


@atexit.register
def release_all() -> None:
    """Releases what is held, at the end of the process."""
    with _lock:
        for held in list(_held.values()):
            _release(held)
    _wake.set()
