"""What the role may do with a table and its schema, by the catalog: nothing is tried out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from ferris_beam.connectors.postgresql.writing.names import TableName
from ferris_beam.findings import Finding

Connection = psycopg.Connection[Any]

_RELATION = """
SELECT c.oid::int8, n.nspname::text, c.relname::text, has_schema_privilege(n.oid, 'USAGE'),
    has_any_column_privilege(c.oid, 'SELECT'), row_security_active(c.oid)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = %(table)s AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND CASE WHEN %(schema)s::text IS NULL THEN n.nspname = ANY(current_schemas(true))
        ELSE n.nspname = %(schema)s END
ORDER BY array_position(current_schemas(true), n.nspname) LIMIT 1
"""
_OF_TABLE = "SELECT bool_and(has_table_privilege(%s::oid, each)) FROM unnest(%s::text[]) AS each"


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view that was found, with its schema."""

    oid: int
    name: TableName
    schema_usable: bool
    some_columns: bool
    filtered: bool
    """Row security applies to the role: it sees only rows that a policy allows."""


def find(connection: Connection, name: TableName) -> Relation | None:
    values = {"schema": name.schema, "table": name.table}
    row = connection.execute(_RELATION, values).fetchone()
    if row is None:
        return None
    oid, schema, table, usable, some, filtered = row
    return Relation(oid, TableName(schema, table), usable, some, filtered)


def may(connection: Connection, relation: Relation, rights: Sequence[str]) -> bool:
    ((allowed,),) = connection.execute(_OF_TABLE, (relation.oid, list(rights))).fetchall()
    return bool(allowed) and relation.schema_usable


def right_to(connection: Connection, relation: Relation, rights: Sequence[str]) -> Finding:
    """Whether the role has all of ``rights`` (SELECT, INSERT, …) on a table."""
    role, wanted = connection.info.user, ", ".join(rights)
    if may(connection, relation, rights):
        return Finding("rights", "ok", f"{role} has {wanted} on {relation.name}")
    statements = [f"GRANT {wanted} ON {spelled(relation.name)} TO {quoted(role)};"]
    if not relation.schema_usable:
        schema = quoted(relation.name.schema or "public")
        statements.insert(0, f"GRANT USAGE ON SCHEMA {schema} TO {quoted(role)};")
    if relation.some_columns and rights == ["SELECT"]:
        seen = f"{role} may read only some columns of {relation.name}: name them in a query="
        return Finding("rights", "warning", seen, "\n".join(statements))
    seen = f"{role} lacks {wanted} on {relation.name}"
    return Finding("rights", "problem", seen, "\n".join(statements))


def row_security(relation: Relation, role: str) -> Iterator[Finding]:
    if relation.filtered:
        seen = f"row security is on: {role} sees only the rows of {relation.name} that it may"
        fix = f"ALTER ROLE {quoted(role)} BYPASSRLS; lets it see all of them"
        yield Finding("row security", "warning", seen, fix)


def may_create(connection: Connection, schema: str) -> bool:
    query = "SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = %s"
    row = connection.execute(query, (schema,)).fetchone()
    return row is not None and bool(row[0])


def current_schema(connection: Connection) -> str | None:
    """The schema in which a table without one is made."""
    ((schema,),) = connection.execute("SELECT current_schema()::text").fetchall()
    return schema if schema is None else str(schema)


def quoted(name: str) -> str:
    """A name as SQL has it."""
    return sql.Identifier(name).as_string(None)


def spelled(name: TableName) -> str:
    return name.identifier.as_string(None)
