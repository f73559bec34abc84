"""One connection of a writer, its transactions and savepoints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from ferris_beam.connectors.postgresql.failures import explained
from ferris_beam.connectors.postgresql.server import Server

Query = sql.Composable | str
Values = Sequence[Any] | Mapping[str, Any] | None

_SAVEPOINT = "ferris_batch"
_LOCK_TIMEOUT = "30s"
"""Whoever waits longer for a lock starts the transaction again: of two writers in one thread, one
would otherwise wait for the other for ever."""


class Session:
    """Connects when it is needed, and again where the connection was lost.

    Each statement is its own transaction unless `begin` was called. ``isolation`` is that of the
    transactions which `begin` starts. All errors are ours (`failures.explained`).
    """

    def __init__(self, server: Server, isolation: str = "read committed") -> None:
        self._server = server
        self._isolation = isolation
        self._connection: psycopg.Connection[Any] | None = None
        self.transactions = 0
        """How many were begun: the number of the open one."""
        self.connections = 0
        """How many were made: temporary tables are gone with the connection that made them."""
        self.checksums = 0
        """The sum of the checksums of all that was copied."""

    @property
    def display(self) -> str:
        return self._server.display

    @property
    def connection(self) -> psycopg.Connection[Any]:
        """The open connection, in autocommit mode."""
        if self._connection is None or self._connection.closed:
            self._connection = self._server.connect(autocommit=True)
            self.connections += 1
            self.execute("SELECT set_config('lock_timeout', %s, false)", [_LOCK_TIMEOUT])
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
        self._connection = None

    def __del__(self) -> None:
        """A session that was left behind must not keep locks."""
        self.close()

    def execute(self, query: Query, values: Values = None) -> psycopg.Cursor[Any]:
        connection = self.connection
        with explained(self.display):
            cursor = connection.cursor(row_factory=tuple_row)
            return cursor.execute(query, values)  # type: ignore[arg-type]

    def rows(self, query: Query, values: Values = None) -> list[tuple[Any, ...]]:
        return list(self.execute(query, values).fetchall())

    # ── transactions ────────────────────────────────────────────────────────────────────────

    @property
    def is_open(self) -> bool:
        """Whether a transaction is open; one that failed counts."""
        connection = self._connection
        if connection is None or connection.closed:
            return False
        return connection.info.transaction_status != TransactionStatus.IDLE

    @property
    def is_connected(self) -> bool:
        return self._connection is not None and not self._connection.closed

    def begin(self) -> None:
        self.transactions += 1
        self.execute(f"BEGIN ISOLATION LEVEL {self._isolation.upper()}")

    def commit(self) -> None:
        self.execute("COMMIT")

    def rollback(self) -> None:
        """Ends what is open, whatever its state; never raises."""
        if not self.is_open:
            return
        try:
            self.connection.execute("ROLLBACK")
        except psycopg.Error:
            self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction of its own at the level READ COMMITTED, undone where anything fails."""
        assert not self.is_open
        self.transactions += 1
        self.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
        try:
            yield
            self.commit()
        finally:
            self.rollback()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undoes what was done inside where it fails, and nothing else of the transaction."""
        self.execute(f"SAVEPOINT {_SAVEPOINT}")
        try:
            yield
            self.execute(f"RELEASE SAVEPOINT {_SAVEPOINT}")
        except BaseException:
            self._undo_savepoint()
            raise

    def _undo_savepoint(self) -> None:
        try:
            self.connection.execute(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
            self.connection.execute(f"RELEASE SAVEPOINT {_SAVEPOINT}")
        except Exception:  # the first error is the one that counts; whoever sees it starts again
            self.close()
