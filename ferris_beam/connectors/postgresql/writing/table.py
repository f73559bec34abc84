"""What the catalog says of a table that is to be written."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ferris_beam.connectors.postgresql.types import Choices, Column, Described, resolve
from ferris_beam.connectors.postgresql.writing.names import TableName
from ferris_beam.connectors.postgresql.writing.session import Session
from ferris_beam.errors import ConfigurationError

_WRITABLE = {"r": "table", "p": "partitioned table", "v": "view", "f": "foreign table"}

_TABLE = """
SELECT c.oid::int8, n.nspname::text, c.relname::text, c.relkind::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = to_regclass(%s)
"""
_COLUMNS = """
SELECT attname::text, atttypid::int8, atttypmod,
    pg_catalog.format_type(atttypid, atttypmod), attnotnull,
    atthasdef OR attidentity <> '', attgenerated <> '', attidentity::text
FROM pg_catalog.pg_attribute
WHERE attrelid = %s::oid AND attnum > 0 AND NOT attisdropped
ORDER BY attnum
"""
_KEYS = """
SELECT array_agg(a.attname::text ORDER BY k.place), i.indisprimary
FROM pg_catalog.pg_index i
CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k(number, place)
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
WHERE i.indrelid = %s::oid AND i.indisunique AND i.indisvalid AND i.indimmediate
    AND i.indpred IS NULL AND i.indexprs IS NULL AND k.place <= i.indnkeyatts
GROUP BY i.indexrelid, i.indisprimary
ORDER BY i.indisprimary DESC, i.indexrelid
"""


@dataclass(frozen=True, slots=True)
class TargetColumn:
    """A column of the table. ``declared`` is its type as SQL spells it; ``filled``, the server
    has a value where a row has none; ``generated``, it takes no other. ``identity`` is 'a' where
    such a value is always made, 'd' by default, '' where the column is none of identity."""

    column: Column
    declared: str
    not_null: bool
    filled: bool
    generated: bool
    identity: str

    @property
    def name(self) -> str:
        return self.column.name


@dataclass(frozen=True)
class Table:
    """A table as it stands. ``keys`` are the columns of its unique indexes that ON CONFLICT can
    name, those of the primary key first."""

    name: TableName
    oid: int
    kind: str
    columns: tuple[TargetColumn, ...]
    keys: tuple[tuple[str, ...], ...]
    primary_key: tuple[str, ...]

    @cached_property
    def by_name(self) -> dict[str, TargetColumn]:
        return {column.name: column for column in self.columns}

    def has_key(self, key: tuple[str, ...]) -> bool:
        return any(sorted(unique) == sorted(key) for unique in self.keys)


def describe(session: Session, name: TableName) -> Table | None:
    """The table as the catalog has it; None where there is none."""
    found = session.rows(_TABLE, [name.identifier.as_string(None)])
    if not found:
        return None
    ((oid, schema, table, kind),) = found
    if kind not in _WRITABLE:
        raise ConfigurationError(f"{session.display}: {name} is not a table that can be written")
    rows = session.rows(_COLUMNS, [oid])
    described = [Described(row[0], row[1], row[2], not row[4]) for row in rows]
    columns = resolve(session.connection, described, Choices(unmapped="text"))
    keys = [(tuple(names), primary) for names, primary in session.rows(_KEYS, [oid])]
    return Table(
        TableName(schema, table),
        oid,
        _WRITABLE[kind],
        tuple(TargetColumn(column, *row[3:]) for column, row in zip(columns, rows, strict=True)),
        tuple(names for names, _ in keys),
        next((names for names, primary in keys if primary), ()),
    )
