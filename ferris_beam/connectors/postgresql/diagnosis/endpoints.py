"""A source or a sink, examined from the network inwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg

from ferris_beam.connectors.postgresql.cdc.slots import Replication
from ferris_beam.connectors.postgresql.cdc.tables import parse_tables
from ferris_beam.connectors.postgresql.diagnosis import changes, sink, source
from ferris_beam.connectors.postgresql.diagnosis.connection import connected
from ferris_beam.connectors.postgresql.diagnosis.problems import problem
from ferris_beam.connectors.postgresql.failures import explained
from ferris_beam.connectors.postgresql.options import (
    PostgresqlSinkOptions,
    PostgresqlSourceOptions,
)
from ferris_beam.connectors.postgresql.server import Server
from ferris_beam.connectors.postgresql.writing.names import TableName
from ferris_beam.connectors.postgresql.writing.session import Session
from ferris_beam.errors import FerrisError
from ferris_beam.findings import Finding

Connection = psycopg.Connection[Any]


def diagnose_source(server: Server, options: PostgresqlSourceOptions) -> Iterator[Finding]:
    """`Reader.diagnose` of a table or query."""
    return _examined(server, lambda connection: source.examined(connection, options, server))


def diagnose_changes(
    server: Server, options: PostgresqlSourceOptions, replication: Replication
) -> Iterator[Finding]:
    """`Reader.diagnose` of change data capture."""

    def examined(connection: Connection) -> Iterator[Finding]:
        try:
            with explained(server.display):
                tables = parse_tables(connection, options.table, options.tables)
        except FerrisError as error:
            yield problem("tables", error, server)
            return
        if options.snapshot == "only":
            yield from changes.examined_snapshot(connection, server, tables)
        else:
            snapshot = options.snapshot == "initial"
            yield from changes.examined(connection, server, replication, tables, snapshot)

    return _examined(server, examined)


def diagnose_sink(
    server: Server, options: PostgresqlSinkOptions, target: TableName | None
) -> Iterator[Finding]:
    """`Writer.diagnose`; ``target`` is None where each row names its own table, or the stream
    will."""

    def examined(connection: Connection) -> Iterator[Finding]:
        yield from sink.examined(connection, target, options)
        if target is not None and options.mode in ("upsert", "apply"):
            with closing(Session(server)) as session:
                yield from sink.key(session, server, target, options)

    return _examined(server, examined, writes=True)


def _examined(
    server: Server, look: Callable[[Connection], Iterator[Finding]], writes: bool = False
) -> Iterator[Finding]:
    connection = yield from connected(server, writes)
    if connection is None:
        return
    try:
        with connection, explained(server.display):
            yield from look(connection)
    except FerrisError as error:
        yield problem("connection", error, server)
