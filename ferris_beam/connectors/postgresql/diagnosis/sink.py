"""What a sink needs: its table or the right to make it, rights, a key, a place for the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg

from ferris_beam.connectors.postgresql.diagnosis.problems import problem
from ferris_beam.connectors.postgresql.diagnosis.rights import (
    current_schema,
    find,
    may,
    may_create,
    quoted,
    right_to,
    spelled,
)
from ferris_beam.connectors.postgresql.options import PostgresqlSinkOptions
from ferris_beam.connectors.postgresql.server import Server
from ferris_beam.connectors.postgresql.writing.ledger_rows import LEDGER
from ferris_beam.connectors.postgresql.writing.names import TableName
from ferris_beam.connectors.postgresql.writing.session import Session
from ferris_beam.connectors.postgresql.writing.table import describe
from ferris_beam.errors import FerrisError
from ferris_beam.findings import Finding

Connection = psycopg.Connection[Any]

_RIGHTS = {
    "append": ["INSERT"],
    "upsert": ["SELECT", "INSERT", "UPDATE"],
    "apply": ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"],
    "overwrite": ["INSERT", "TRUNCATE"],
}
_LEDGER_RIGHTS = ["SELECT", "INSERT", "DELETE"]


def examined(
    connection: Connection, target: TableName | None, options: PostgresqlSinkOptions
) -> Iterator[Finding]:
    """``target`` is None where each row names its own table, or the stream will."""
    schema = (target and target.schema) or current_schema(connection)
    if schema is None:
        yield Finding(
            "schema",
            "problem",
            "none of the schemas on the search path can be used",
            f"name one, as ?table=schema.name, or: ALTER ROLE {quoted(connection.info.user)} SET "
            "search_path = schema;",
        )
        return
    if target is None:
        yield Finding("table", "ok", "the name of the stream, or of each change, will say which")
    else:
        yield from _table(connection, target, schema, options)
    yield _ledger(connection, TableName(target.schema if target else None, LEDGER), schema)
    if options.mode in ("upsert", "apply"):
        yield _temporary(connection)


def _table(
    connection: Connection, target: TableName, schema: str, options: PostgresqlSinkOptions
) -> Iterator[Finding]:
    found = find(connection, target)
    if found is not None:
        yield Finding("table", "ok", f"{found.name} is there")
        yield right_to(connection, found, _RIGHTS[options.mode])
    elif options.create_table:
        yield _makes(connection, "table", f"{target} is made at the start", schema)
    else:
        fix = "create it, check its schema, or let create_table=true create it"
        yield Finding("table", "problem", f"there is no table {target}", fix)
    if options.mode == "overwrite":
        yield _makes(connection, "new table", "rows are gathered beside the table", schema)


def _makes(connection: Connection, check: str, seen: str, schema: str) -> Finding:
    """Whether a table may be made in a schema."""
    if may_create(connection, schema):
        return Finding(check, "ok", seen)
    role = connection.info.user
    known = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,))
    if known.fetchone() is None:
        fix = f"CREATE SCHEMA {quoted(schema)} AUTHORIZATION {quoted(role)};"
        return Finding(check, "problem", f"{seen}, but there is no schema {schema}", fix)
    fix = f"GRANT USAGE, CREATE ON SCHEMA {quoted(schema)} TO {quoted(role)};"
    return Finding(check, "problem", f"{seen}, but {role} may not create in {schema}", fix)


def key(
    session: Session, server: Server, target: TableName, options: PostgresqlSinkOptions
) -> Iterator[Finding]:
    """Whether the rows of a table that is there can be told apart. `apply` takes all of their
    columns where there is no key."""
    try:
        table = describe(session, target)
    except FerrisError as error:
        yield problem("key", error, server)
        return
    if table is None:
        return
    wanted = options.key or table.primary_key
    told = ", ".join(wanted)
    if not wanted:
        fix = f"ALTER TABLE {spelled(table.name)} ADD PRIMARY KEY (…); or name the key with key="
        seen = f"{table.name} has no primary key"
        if options.mode == "upsert":
            yield Finding("key", "problem", seen, fix)
        else:
            seen += ": rows are told apart by all of their columns"
            fix += "\nor let the source send whole rows: ALTER TABLE … REPLICA IDENTITY FULL"
            yield Finding("key", "warning", seen, fix)
    elif table.has_key(wanted):
        yield Finding("key", "ok", f"rows are told apart by {told}")
    else:
        fix = f"CREATE UNIQUE INDEX ON {spelled(table.name)} ({', '.join(map(quoted, wanted))});"
        yield Finding("key", "problem", f"{table.name} has no unique index on {told}", fix)


def _ledger(connection: Connection, name: TableName, schema: str) -> Finding:
    found = find(connection, name)
    if found is None:
        return _makes(connection, "ledger", f"{name} is made at the start", schema)
    if may(connection, found, _LEDGER_RIGHTS):
        return Finding("ledger", "ok", f"progress is kept in {found.name}")
    role, rights = connection.info.user, ", ".join(_LEDGER_RIGHTS)
    fix = f"GRANT {rights} ON {spelled(found.name)} TO {quoted(role)};"
    return Finding("ledger", "problem", f"{role} lacks {rights} on {found.name}", fix)


def _temporary(connection: Connection) -> Finding:
    query = "SELECT has_database_privilege(current_database(), 'TEMPORARY')"
    ((allowed,),) = connection.execute(query).fetchall()
    if allowed:
        return Finding("temporary tables", "ok", "rows are gathered in temporary tables")
    role, database = connection.info.user, connection.info.dbname
    return Finding(
        "temporary tables",
        "problem",
        f"rows are gathered in temporary tables, which {role} may not make",
        f"GRANT TEMPORARY ON DATABASE {quoted(database)} TO {quoted(role)};",
    )
