"""What reading a table or query needs: that it is there, rights, columns that can be mapped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg

from ferris_beam.connectors.postgresql.diagnosis.problems import problem
from ferris_beam.connectors.postgresql.diagnosis.rights import find, right_to, row_security
from ferris_beam.connectors.postgresql.failures import explained
from ferris_beam.connectors.postgresql.options import PostgresqlSourceOptions
from ferris_beam.connectors.postgresql.reading.relation import Relation, find_relation
from ferris_beam.connectors.postgresql.server import Server
from ferris_beam.connectors.postgresql.writing.names import TableName
from ferris_beam.errors import FerrisError
from ferris_beam.findings import Finding

Connection = psycopg.Connection[Any]


def examined(
    connection: Connection, options: PostgresqlSourceOptions, server: Server
) -> Iterator[Finding]:
    hidden = _hidden(connection, options)
    if hidden is not None:
        yield hidden
        return
    try:
        with explained(server.display):
            relation = find_relation(connection, options)
    except FerrisError as error:
        yield problem("table", error, server)
        return
    rights = list(_rights(connection, relation))
    yield from rights
    if not any(finding.state == "problem" for finding in rights):
        yield _columns(connection, relation, options, server)


def _hidden(connection: Connection, options: PostgresqlSourceOptions) -> Finding | None:
    """A table in a schema that the role may not use can't be looked up, but is in the catalog."""
    found = find(connection, TableName.parse(options.table)) if options.table else None
    if found is None or found.schema_usable:
        return None
    return right_to(connection, found, ["SELECT"])


def _rights(connection: Connection, relation: Relation) -> Iterator[Finding]:
    if relation.name is None:
        return
    yield Finding("table", "ok", f"{relation.name} is there")
    found = find(connection, relation.name)
    if found is not None:
        yield right_to(connection, found, ["SELECT"])
        yield from row_security(found, connection.info.user)


def _columns(
    connection: Connection, relation: Relation, options: PostgresqlSourceOptions, server: Server
) -> Finding:
    check = "query" if relation.name is None else "columns"
    try:
        with explained(server.display):
            columns = relation.columns(connection, options)
    except FerrisError as error:
        return problem(check, error, server)
    return Finding(check, "ok", f"{len(columns)} columns, all of which Arrow has a type for")
