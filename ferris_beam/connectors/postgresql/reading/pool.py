"""The connections of a process: few, shared by its readers, opened again when they break."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from ferris_beam.connectors.postgresql.reading.columnar import ColumnarDriver
from ferris_beam.connectors.postgresql.server import Server
from ferris_beam.errors import TransientError

_IDLE_SECONDS = 60.0
_MAX_WAIT = 5.0
"""Seconds until a connection that others hold is given up; with the time that connecting may take
an error is there within ten."""

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Place:
    """One host among those of a server: where an exported snapshot is known."""

    host: str
    port: int

    @classmethod
    def of(cls, connection: Connection) -> Place:
        return cls(connection.info.host, connection.info.port)


class Connections:
    """The connections to one server, or to one of its hosts."""

    def __init__(self, server: Server, size: int, place: Place | None = None) -> None:
        self._server = server
        self._size = size
        self._only = {"host": place.host, "port": place.port} if place is not None else {}
        connection = self.connect()  # what is wrong is said now, in the server's words
        encrypted = {"sslmode": "require"} if _is_encrypted_by_chance(connection) else {}
        connection.close()
        self.columnar = ColumnarDriver(lambda: server.dsn(**self._only, **encrypted))
        self._pool = ConnectionPool(
            lambda: server.dsn(**self._only),
            min_size=0,
            max_size=size,
            max_idle=_IDLE_SECONDS,
            num_workers=1,
            timeout=_MAX_WAIT,
            reconnect_timeout=0,
            check=ConnectionPool.check_connection,
            kwargs={"autocommit": True},
            open=True,
        )

    def connect(self) -> Connection:
        """A connection outside of the pool; raises our errors."""
        return self._server.connect(autocommit=True, **self._only)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection of the pool, in autocommit mode; one that broke is replaced.

        Raises `TransientError` where all are in use for too long, and what `explained` makes of
        the driver's errors where the server can't be reached.
        """
        try:
            connection = self._pool.getconn()
        except PoolTimeout:
            self.connect().close()  # says what is wrong, if that is the server
            raise TransientError(
                f"{self._server.display}: all {self._size} connections of this process are in use; "
                "give it more with pool_size"
            ) from None
        try:
            yield connection
        finally:
            self._pool.putconn(connection)

    def close(self) -> None:
        self._pool.close(timeout=1.0)


def _is_encrypted_by_chance(connection: Connection) -> bool:
    """Whether it is encrypted though it needn't be: another driver must not do with less."""
    asked = connection.info.get_parameters().get("sslmode", "prefer")
    return bool(connection.pgconn.ssl_in_use) and asked in ("allow", "prefer")


_open: dict[tuple[Server, int, Place | None], Connections] = {}
_lock = threading.Lock()


def connections(server: Server, size: int, place: Place | None = None) -> Connections:
    """This process's connections to ``server``; raises our errors where it can't be reached."""
    key = (server, size, place)
    with _lock:
        if key not in _open:
            _open[key] = Connections(server, size, place)
        return _open[key]


@atexit.register
def close_all() -> None:
    """Ends all pools of the process, with their threads."""
    with _lock:
        for pool in _open.values():
            pool.close()
        _open.clear()
