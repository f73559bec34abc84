"""What all readers of tables, views and queries have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.connector import Reader, Residual
from ferris_beam.connectors.postgresql.diagnosis import diagnose_source
from ferris_beam.connectors.postgresql.options import PostgresqlSourceOptions
from ferris_beam.connectors.postgresql.reading.failing import reading
from ferris_beam.connectors.postgresql.reading.lookup import looked_up
from ferris_beam.connectors.postgresql.reading.pool import Connections, Place, connections
from ferris_beam.connectors.postgresql.reading.relation import Relation, find_relation
from ferris_beam.connectors.postgresql.reading.selection import Selection, Wish, select
from ferris_beam.connectors.postgresql.server import Server
from ferris_beam.connectors.postgresql.types import Column
from ferris_beam.findings import Finding
from ferris_beam.uri import Uri

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Opened:
    """What is known of the relation once the server was asked for it."""

    relation: Relation
    columns: tuple[Column, ...]
    selection: Selection

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)


class RelationReader(Reader):
    """Knows its relation once it is open, and what was pushed down to it."""

    def __init__(self, uri: Uri, options: PostgresqlSourceOptions) -> None:
        self.server = Server.of(uri, options, options.target_session_attrs)
        self.options = options
        self.wish = Wish()
        self._opened: Opened | None = None
        if options.lookup:
            self.looks_up = True
            self.lookup_cache = options.lookup_cache
            self.lookup_seconds = options.lookup_ttl.total_seconds()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": None}

    @property
    def display(self) -> str:
        return self.server.display

    def open(self) -> None:
        with reading(self.display), self.connections().connection() as connection:
            self._opened = self.described(connection)

    def close(self) -> None:
        self._opened = None

    def connections(self, place: Place | None = None) -> Connections:
        """This process's connections; to one host of several where a snapshot is known there."""
        only = place if len(self.server.hosts) > 1 else None
        return connections(self.server, self.options.pool_size, only)

    @property
    def now(self) -> Opened:
        if self._opened is None:
            self.open()
        assert self._opened is not None
        return self._opened

    def described(self, connection: Connection) -> Opened:
        """Asks the server; within a transaction, nobody alters the relation until its end."""
        relation = find_relation(connection, self.options)
        columns = tuple(relation.columns(connection, self.options))
        encoding = connection.info.parameter_status("server_encoding")
        return Opened(relation, columns, select(self.wish, columns, utf8=encoding == "UTF8"))

    def schema(self) -> pa.Schema:
        return self.now.selection.schema

    def pushdown(
        self,
        columns: Sequence[str] | None = None,
        predicate: pc.Expression | None = None,
        limit: int | None = None,
    ) -> tuple[Reader, Residual]:
        """All is done here, by the server or by Arrow; only what the limits of the pieces leave is
        counted above, and the one column that is read of none is dropped there."""
        reader = copy(self)
        reader._opened = None
        reader.wish = Wish(None if columns is None else tuple(columns), predicate, limit)
        return reader, Residual(columns=() if reader.wish.columns == () else None, limit=limit)

    def diagnose(self) -> Iterator[Finding]:
        return diagnose_source(self.server, self.options)

    def lookup(self, keys: pa.RecordBatch) -> pa.RecordBatch:
        now = self.now
        with reading(self.display), self.connections().connection() as connection:
            return looked_up(connection, now.relation.from_clause, now.columns, now.selection, keys)
