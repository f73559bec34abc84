"""The tables of the stream, as they are where it is read, and what their changes mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from ferris_beam.connectors.postgresql.cdc.log import Relation
from ferris_beam.connectors.postgresql.cdc.mark import Columns
from ferris_beam.connectors.postgresql.cdc.tables import (
    Connection,
    Key,
    Table,
    TableName,
    Tables,
    columns_of_table,
    key_of,
)
from ferris_beam.connectors.postgresql.types import TypeOptions, resolve
from ferris_beam.connectors.postgresql.types.catalog import Described
from ferris_beam.errors import SchemaError

Policy = Literal["evolve", "ignore", "fail"]
_INDEXED = ("d", "i")


class KnownTables:
    """``columns`` are those that tables had at first, where the policy asks for them (`Progress`);
    ``latest`` is the table of which something was heard last."""

    def __init__(
        self,
        connection: Connection,
        tables: Tables,
        options: TypeOptions,
        policy: Policy,
        columns: Columns,
    ) -> None:
        self.columns = dict(columns)
        self.latest: Table | None = None
        self._connection = connection
        self._tables = tables
        self._options = options
        self._policy = policy
        self._by_oid: dict[int, Table] = {}

    def describe(self, oid: int, relation: Relation) -> None:
        """The stream says what a table is from here on. Raises `SchemaError` where it is no longer
        what it was, and that is to stop the pipeline."""
        if relation.name not in self._tables:
            return
        key = Key(relation.key)
        if relation.identity not in _INDEXED:
            key = key_of(self._connection, relation.name)
        columns = resolve(self._connection, relation.columns, self._options)
        self._by_oid[oid] = self._kept(Table(relation.name, columns, key), relation.columns)

    def at(self, oid: int) -> Table | None:
        """None for a table that nobody asked for."""
        return self._by_oid.get(oid)

    def in_catalog(self, name: TableName) -> Table:
        """A table as it is now."""
        columns = columns_of_table(self._connection, name, self._options)
        described = tuple(Described(column.name, column.oid, column.typmod) for column in columns)
        return self._kept(Table(name, columns, key_of(self._connection, name)), described)

    def _kept(self, table: Table, described: tuple[Described, ...]) -> Table:
        if self._policy != "evolve":
            before = self.columns.setdefault(table.name, described)
            if before != described:
                table = self._changed(table, before, described)
        self.latest = table
        return table

    def _changed(
        self, table: Table, before: tuple[Described, ...], after: tuple[Described, ...]
    ) -> Table:
        if self._policy == "fail":
            raise SchemaError(
                f"the columns of {table.name} have changed: {_difference(before, after)}. Say "
                "on_schema_change=evolve to go on with the new ones, or ignore to keep the old"
            )
        return replace(table, shown=resolve(self._connection, before, self._options))


def _difference(before: Sequence[Described], after: Sequence[Described]) -> str:
    old, new = ({column.name: column for column in columns} for columns in (before, after))
    parts = [
        ("without", [name for name in old if name not in new]),
        ("with", [name for name in new if name not in old]),
        ("another type", [name for name in old if name in new and old[name] != new[name]]),
    ]
    told = [f"{what} {', '.join(map(repr, names))}" for what, names in parts if names]
    return "; ".join(told) or "in another order"
