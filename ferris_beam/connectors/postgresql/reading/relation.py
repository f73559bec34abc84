"""What is read: a table, view, partitioned table or query, as the catalog describes it."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import psycopg
from psycopg import sql

from ferris_beam.connectors.postgresql.options import PostgresqlSourceOptions
from ferris_beam.connectors.postgresql.types import Column, as_relation, columns_of
from ferris_beam.connectors.postgresql.writing.names import TableName, digest
from ferris_beam.errors import ConfigurationError

Connection = psycopg.Connection[Any]

_CANDIDATES = """
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
AND c.relname NOT LIKE '\\_ferris%' ORDER BY n.nspname = current_schema() DESC, 1, 2
"""
_FOUND = """
SELECT c.oid::int8, n.nspname, c.relname FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = to_regclass(%s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""
_HEAPS = """
WITH RECURSIVE family(oid) AS (
    SELECT %(oid)s::oid
  UNION
    SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN family ON family.oid = i.inhparent
)
SELECT n.nspname, c.relname,
    c.relkind IN ('r', 'm') AND coalesce(a.amname, '') = 'heap',
    pg_relation_size(c.oid) / current_setting('block_size')::int8,
    pg_table_size(c.oid),
    row_security_active(c.oid) OR NOT has_table_privilege(c.oid, 'SELECT')
FROM family JOIN pg_catalog.pg_class c ON c.oid = family.oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam
WHERE c.relkind <> 'p' ORDER BY 1, 2
"""
_SHOWN = 20
"""How many names an error lists."""


@dataclass(frozen=True)
class Heap:
    """A table that has blocks: by itself, or a partition."""

    name: TableName
    blocks: int
    nbytes: int


@dataclass(frozen=True)
class Relation:
    """``source`` is an identifier, or a query; ``name`` is a table's or view's, None of a query,
    for which ``digest`` stands."""

    source: sql.Composable
    name: TableName | None
    digest: str
    oid: int

    @property
    def from_clause(self) -> sql.Composable:
        return as_relation(self.source)

    @property
    def label(self) -> str:
        """What tells it from other relations of the database; a query may hold secrets."""
        return f"table={self.name}" if self.name is not None else f"query={self.digest}"

    def columns(self, connection: Connection, options: PostgresqlSourceOptions) -> list[Column]:
        """The columns; takes a lock that keeps them so until the transaction's end."""
        return list(columns_of(connection, self.source, options))

    def heaps(self, connection: Connection) -> list[Heap] | None:
        """The tables whose blocks hold all rows; None where rows are to be had only as a whole: of
        a view, a query or a foreign table, and where partitions have rights of their own."""
        if self.name is None:
            return None
        rows = connection.execute(_HEAPS, {"oid": self.oid}).fetchall()
        whole = any(not plain or barred for _, _, plain, _, _, barred in rows)
        if whole or not rows:
            return None
        return [
            Heap(TableName(schema, table), blocks, nbytes)
            for schema, table, _, blocks, nbytes, _ in rows
        ]


def find_relation(connection: Connection, options: PostgresqlSourceOptions) -> Relation:
    """The relation that the options name; raises `ConfigurationError` where it isn't there."""
    if options.query is not None:
        query = options.query.strip().rstrip(";")
        return Relation(sql.SQL(query), None, digest(query), 0)
    name = TableName.parse(options.table) if options.table else _only(connection)
    row = connection.execute(_FOUND, (name.identifier.as_string(connection),)).fetchone()
    if row is None:
        raise _missing(connection, name)
    oid, schema, table = row
    found = TableName(schema, table)
    return Relation(found.identifier, found, "", oid)


def _only(connection: Connection) -> TableName:
    names = [TableName(*row) for row in connection.execute(_CANDIDATES).fetchall()]
    database = connection.info.dbname
    namesake = [name for name in names if name.table == database]
    if namesake or len(names) == 1:
        return (namesake or names)[0]
    if not names:
        raise ConfigurationError(f"the database {database!r} has no table that this role can see")
    raise ConfigurationError(f"which table of {database!r}? Say ?table=name: {_listed(names)}")


def _missing(connection: Connection, name: TableName) -> ConfigurationError:
    names = [TableName(*row) for row in connection.execute(_CANDIDATES).fetchall()]
    spelled = {str(each): each for each in names} | {each.table: each for each in names}
    near = get_close_matches(str(name), spelled, 1)
    hint = f"did you mean {spelled[near[0]]}?" if near else f"there are: {_listed(names)}"
    return ConfigurationError(
        f"there is no table or view {name} in {connection.info.dbname!r}\n{hint}"
    )


def _listed(names: list[TableName]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (", ".join(map(str, names[:_SHOWN])) or "none") + more
