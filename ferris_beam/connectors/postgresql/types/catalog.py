"""The columns of a table, view, partitioned table or query, asked from the server."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from psycopg.postgres import types as builtin_types
from psycopg.rows import tuple_row

from ferris_beam.connectors.postgresql.types.arrow import column_of
from ferris_beam.connectors.postgresql.types.column import Column, Kind, ServerType, TypeOptions
from ferris_beam.errors import ConfigurationError

Connection = psycopg.Connection[Any]

_FIRST_USER_OID = 16384  # FirstNormalObjectId in src/include/access/transam.h

_TYPES = """
WITH RECURSIVE needed(oid) AS (
    SELECT unnest(%(oids)s::oid[])
  UNION
    SELECT inner_type.oid FROM needed
    JOIN pg_catalog.pg_type t ON t.oid = needed.oid
    CROSS JOIN LATERAL (
        SELECT t.typbasetype AS oid WHERE t.typtype = 'd'
        UNION ALL SELECT t.typelem WHERE t.typelem <> 0 AND t.typlen = -1
        UNION ALL SELECT a.atttypid FROM pg_catalog.pg_attribute a
            WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0
            AND NOT a.attisdropped
    ) inner_type
)
SELECT t.oid::int8, t.typname::text, t.typtype::text, t.typbasetype::int8, t.typtypmod,
    CASE WHEN t.typlen = -1 AND t.typcategory = 'A' THEN t.typelem::int8 ELSE 0 END,
    (SELECT coalesce(json_agg(json_build_array(a.attname, a.atttypid::int8, a.atttypmod)
        ORDER BY a.attnum), '[]') FROM pg_catalog.pg_attribute a
        WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)
FROM pg_catalog.pg_type t JOIN needed ON needed.oid = t.oid
"""
_NOT_NULL = """
SELECT attrelid::int8, attnum::int4 FROM pg_catalog.pg_attribute
WHERE attnotnull AND attrelid = ANY(%(tables)s::oid[])
"""
_KINDS: dict[str, Kind] = {"e": "enum", "c": "composite", "r": "range", "m": "range"}


class Described(NamedTuple):
    """A column as the protocol describes it (RowDescription, pgoutput's Relation)."""

    name: str
    oid: int
    typmod: int = -1
    nullable: bool = True


class _Row(NamedTuple):
    """A row of `_TYPES`; ``fields`` of a composite: (name, oid, typmod)."""

    oid: int
    name: str
    typtype: str
    base: int
    base_typmod: int
    element: int
    fields: list[tuple[str, int, int]]


def columns_of(
    connection: Connection, relation: sql.Composable | str, options: TypeOptions
) -> tuple[Column, ...]:
    """The columns of ``relation``: an `Identifier` of a table or view, or a query's text (or
    `Composed`), which is described and not run.

    Raises `ConfigurationError` for a column that can't be mapped, and the driver's errors.
    """
    described = describe(connection, relation)
    names = [column.name for column in described]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigurationError(
            f"the query returns two columns with the name {twice[0]!r}: rename one with AS"
        )
    return resolve(connection, described, options)


def describe(connection: Connection, relation: sql.Composable | str) -> list[Described]:
    """The columns of a relation or query, without knowing their types."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        # Never prepared: a prepared statement fails once the table has other columns.
        query = sql.SQL("SELECT * FROM {} LIMIT 0").format(as_relation(relation))
        cursor.execute(query, prepare=False)
        result = cursor.pgresult
        if result is None:
            raise psycopg.ProgrammingError("the query returns no columns")
        found = range(result.nfields)
        origins = [(result.ftable(n), result.ftablecol(n)) for n in found]
        cursor.execute(_NOT_NULL, {"tables": sorted({table for table, _ in origins if table})})
        # Only of a table's own columns is it known that they can't be NULL: an outer join in a
        # query makes NULLs of them.
        strict = set(cursor.fetchall()) if isinstance(relation, sql.Identifier) else set()
        return [
            Described(
                (result.fname(n) or b"").decode(),
                result.ftype(n),
                result.fmod(n),
                origins[n] not in strict,
            )
            for n in found
        ]


def as_relation(relation: sql.Composable | str) -> sql.Composable:
    """What can stand behind FROM: the identifier, or the query in brackets."""
    if isinstance(relation, sql.Identifier):
        return relation
    query = sql.SQL(relation.strip().rstrip(";")) if isinstance(relation, str) else relation
    # The line's end closes a comment that the query may end with.
    return sql.SQL("({}\n) AS query").format(query)


def resolve(
    connection: Connection, described: Sequence[Described], options: TypeOptions
) -> tuple[Column, ...]:
    """The columns with their types; asks the server only where types are not built in."""
    types = server_types(connection, {column.oid for column in described})
    return tuple(
        column_of(
            column.name,
            column.oid,
            column.typmod,
            column.nullable,
            types[column.oid].with_typmod(column.typmod),
            options,
        )
        for column in described
    )


def server_types(connection: Connection, oids: Iterable[int]) -> dict[int, ServerType]:
    """The types of these oids, by one query for all that are not built in."""
    found = {oid: known for oid in oids if (known := _builtin(oid)) is not None}
    unknown = sorted(set(oids) - set(found))
    if unknown:
        with connection.cursor(row_factory=tuple_row) as cursor:
            cursor.execute(_TYPES, {"oids": unknown})
            rows = {row[0]: _Row(*row) for row in cursor.fetchall()}
        found |= {oid: _built(oid, rows) for oid in unknown if oid in rows}
        # A type that was dropped meanwhile: nobody can say what it was.
        found |= {
            oid: ServerType(oid, f"oid {oid}", builtin=False) for oid in set(oids) - set(found)
        }
    return found


def _builtin(oid: int) -> ServerType | None:
    info = builtin_types.get(oid)
    if info is None or type(info).__name__ != "TypeInfo":
        return None  # ranges are asked for
    scalar = ServerType(info.oid, info.name.strip('"'))  # "char" is named with its quotes
    return (
        scalar if info.oid == oid else ServerType(oid, f"_{scalar.name}", "array", element=scalar)
    )


def _built(oid: int, rows: dict[int, _Row]) -> ServerType:
    row = rows[oid]
    if row.typtype == "d":
        return _built(row.base, rows).with_typmod(row.base_typmod)
    builtin = oid < _FIRST_USER_OID
    if row.element:
        return ServerType(
            oid, row.name, "array", builtin=builtin, element=_built(row.element, rows)
        )
    kind = _KINDS.get(row.typtype, "scalar")
    fields = tuple(
        (name, _built(inner, rows).with_typmod(typmod)) for name, inner, typmod in row.fields
    )
    return ServerType(oid, row.name, kind, builtin=builtin, fields=fields)
