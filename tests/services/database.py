"""A database of a server, fresh for one test."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql

from tests.services.postgresql import SUPERUSER, PostgresqlServer


class Database:
    """Created with the object; `drop` removes it with its slots and connections."""

    def __init__(self, server: PostgresqlServer, name: str | None = None) -> None:
        self.server = server
        self.name = name or f"test_{uuid.uuid4().hex[:12]}"
        self._connection: psycopg.Connection[Any] | None = None
        with server.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self.name)))

    def uri(self, user: str = SUPERUSER, port: int | None = None, **options: object) -> str:
        """A URI of the connector; ``port`` is a proxy's, where there is one."""
        where = f"{quote(user, safe='')}@127.0.0.1:{port or self.server.port}/{quote(self.name)}"
        words = {name: _word(value) for name, value in options.items()}
        return f"postgresql://{where}" + (f"?{urlencode(words, quote_via=quote)}" if words else "")

    def execute(
        self, statement: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None
    ) -> list[tuple[Any, ...]]:
        """The rows of a statement, committed at once, on a connection that is kept; a server that
        was restarted in between is connected to again."""
        if self._connection is None or self._connection.closed or self._connection.broken:
            self._connection = self.connect()
        try:
            cursor = self._connection.execute(statement, parameters)
        except psycopg.OperationalError:
            if not self._connection.broken:
                raise
            self._connection = self.connect()
            cursor = self._connection.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []

    def connect(self, **parameters: Any) -> psycopg.Connection[Any]:
        """A connection of the superuser, in autocommit mode."""
        return self.server.connect(self.name, **parameters)

    def drop(self) -> None:
        """Slots belong to a database and would keep it; walsenders keep their slots."""
        if self._connection is not None:
            self._connection.close()
        name = sql.Identifier(self.name)
        with self.server.connect() as connection:
            # FORCE would refuse as long as there are slots; so those are ended first.
            connection.execute(
                "SELECT pg_terminate_backend(active_pid, 10000) FROM pg_replication_slots "
                "WHERE database = %s AND active_pid IS NOT NULL",
                (self.name,),
            )
            connection.execute(
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
                "WHERE database = %s",
                (self.name,),
            )
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def _word(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list)):
        return ",".join(map(str, value))
    return str(value)
