"""Which tables' changes are read, and what the catalog says of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from ferris_beam.connectors.postgresql.types import Column, TypeOptions, resolve
from ferris_beam.connectors.postgresql.types.catalog import Described
from ferris_beam.errors import ConfigurationError

Connection = psycopg.Connection[Any]


class TableName(NamedTuple):
    """A table with its schema; `str` gives ``public.orders``."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)


@dataclass(frozen=True)
class Tables:
    """The tables that were asked for: some by name, all of some schemas."""

    names: tuple[TableName, ...]
    schemas: tuple[str, ...] = ()

    @property
    def single(self) -> bool:
        """Whether there can only be one."""
        return not self.schemas and len(self.names) == 1

    def matching(self, connection: Connection) -> list[TableName]:
        """The tables there are, in the order of their names: partitioned tables, not their
        partitions. Raises `ConfigurationError` for one that is not there."""
        rows = connection.execute(
            _TABLES, {"schemas": list(self.schemas), "names": [str(name) for name in self.names]}
        ).fetchall()
        found = [TableName(*row) for row in rows]
        for missing in set(self.names) - set(found):
            raise ConfigurationError(
                f"there is no table {missing}, or its changes can't be read (a view, a foreign, "
                "temporary or unlogged table)"
            )
        return sorted(found)

    def __contains__(self, name: TableName) -> bool:
        return name in self.names or name.schema in self.schemas


_TABLES = """
SELECT n.nspname::text, c.relname::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p'
AND (n.nspname = ANY(%(schemas)s) AND NOT c.relispartition
    OR n.nspname || '.' || c.relname = ANY(%(names)s))
ORDER BY 1, 2
"""
_IN_SEARCH_PATH = """
SELECT n.nspname::text FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = to_regclass(%s)
"""
_DESCRIBED = """
SELECT a.attname::text, a.atttypid::int8, a.atttypmod
FROM pg_catalog.pg_attribute a
WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
ORDER BY a.attnum
"""
_KEY = """
SELECT array_agg(a.attname::text ORDER BY k.place),
    array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY k.place)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_index i ON i.indrelid = c.oid
    AND CASE WHEN c.relreplident = 'i' THEN i.indisreplident ELSE i.indisprimary END
CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, place)
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
WHERE c.oid = to_regclass(%s) AND k.place <= i.indnkeyatts
"""


@dataclass(frozen=True)
class Key:
    """The columns that tell a table's rows apart in the stream, and their types in SQL: those of
    the replica identity's index, else the primary key. Empty where there is neither."""

    columns: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table whose changes are read: what its columns are now, and its key."""

    name: TableName
    columns: tuple[Column, ...]
    key: Key
    shown: tuple[Column, ...] = ()
    """The columns that records have where they may not change with the table; else empty."""

    @property
    def key_indices(self) -> list[int]:
        names = [column.name for column in self.columns]
        return [names.index(name) for name in self.key.columns if name in names]


def key_of(connection: Connection, table: TableName) -> Key:
    """Of a table that is gone or renamed: no key."""
    row = connection.execute(_KEY, (_regclass(table),)).fetchone()
    if row is None or row[0] is None:
        return Key()
    return Key(tuple(row[0]), tuple(row[1]))


def columns_of_table(
    connection: Connection, table: TableName, options: TypeOptions
) -> tuple[Column, ...]:
    """The columns as changes have them: without generated ones, all of them nullable, since the
    stream doesn't say, and a delete has only the key."""
    rows = connection.execute(_DESCRIBED, (_regclass(table),)).fetchall()
    return resolve(connection, [Described(*row) for row in rows], options)


def parse_tables(connection: Connection, table: str | None, tables: tuple[str, ...]) -> Tables:
    """What ``table=`` and ``tables=`` mean; names without a schema are found on the search path."""
    schemas = tuple(dict.fromkeys(text[:-2] for text in tables if text.endswith(".*")))
    given = [text for text in tables if not text.endswith(".*")] + ([table] if table else [])
    if not given and not schemas:
        given = [_only_table(connection)]
    names = tuple(dict.fromkeys(_name_of(connection, text) for text in given))
    return Tables(names, schemas)


def _name_of(connection: Connection, text: str) -> TableName:
    schema, _, name = text.rpartition(".")
    if schema:
        return TableName(schema, name)
    row = connection.execute(_IN_SEARCH_PATH, (sql.Identifier(text).as_string(connection),))
    found = row.fetchone()
    if found is None:
        raise ConfigurationError(
            f"there is no table {text!r} on the search path; name it with its schema"
        )
    return TableName(found[0], text)


def _only_table(connection: Connection) -> str:
    """The table named like the database, or the only one there is."""
    rows = connection.execute(
        "SELECT schemaname || '.' || tablename, tablename = current_database() "
        "FROM pg_catalog.pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') "
        "AND tablename <> '_ferris_ledger' ORDER BY 1"
    ).fetchall()
    named = [name for name, same in rows if same] or [name for name, _ in rows]
    if len(named) == 1:
        return str(named[0])
    listed = ", ".join(name for name, _ in rows[:20]) or "none"
    raise ConfigurationError(
        f"say which table's changes are wanted, with table= or tables=; there are: {listed}"
    )


def _regclass(table: TableName) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in table)
