"""Which columns of a batch go into which of a table, and as what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from ferris_beam.batches.casting import cast_column, cast_records, spoken
from ferris_beam.connectors.postgresql.binary import Encoder
from ferris_beam.connectors.postgresql.types import Column, ServerType
from ferris_beam.connectors.postgresql.writing.table import Table, TargetColumn
from ferris_beam.errors import BadRecordError, SchemaError


@dataclass(frozen=True, slots=True)
class Written:
    """A column on its way: ``type`` is that of the values that are encoded for it."""

    target: TargetColumn
    type: pa.DataType

    @property
    def name(self) -> str:
        return self.target.name

    @property
    def by_text(self) -> bool:
        """Whether the server makes the value of a text: its binary format isn't known here."""
        return bool(self.target.column.cast)


@dataclass(frozen=True)
class Plan:
    """How batches of one schema go into a table."""

    table: Table
    columns: tuple[Written, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def by_text(self) -> bool:
        return any(column.by_text for column in self.columns)

    @property
    def sends_identity(self) -> bool:
        """Whether values are given for a column that is GENERATED ALWAYS AS IDENTITY."""
        return any(column.target.identity == "a" for column in self.columns)

    @property
    def replaced(self) -> tuple[str, ...]:
        """The columns that a row with the same key is given anew: the server never changes one
        that is GENERATED ALWAYS AS IDENTITY."""
        return tuple(column.name for column in self.columns if column.target.identity != "a")

    def only(self, names: Sequence[str]) -> Plan:
        """The same for some of the columns, in the order of ``names``."""
        by_name = {column.name: column for column in self.columns}
        return Plan(self.table, tuple(by_name[name] for name in names))

    def fitted(self, records: pa.RecordBatch) -> pa.RecordBatch:
        """The columns as they are sent; `BadRecordError` for the first row that doesn't fit."""
        schema = pa.schema([(column.name, column.type) for column in self.columns])
        cast = cast_records(records, schema)
        if cast.failures:
            first = cast.failures[0]
            raise BadRecordError(first.reason, f"{first.column} doesn't fit", first.row)
        return cast.records


def column_beside(name: str, declared: str, server: ServerType, kind: pa.DataType) -> Written:
    """A column of a staging table that is none of the target's."""
    column = Column(name, server.oid, -1, kind, True, server)
    return Written(TargetColumn(column, declared, False, False, False, ""), kind)


def missing_columns(schema: pa.Schema, table: Table) -> list[pa.Field]:
    """The fields of a schema that the table has no column for."""
    return [field for field in schema if field.name not in table.by_name]


def plan(schema: pa.Schema, table: Table, unknown: str) -> Plan:
    """Raises `SchemaError` where columns or types don't fit; ``unknown`` is the option `columns`.

    Columns that the server generates are left to it.
    """
    _refuse_twins(schema)
    missing = missing_columns(schema, table)
    if missing and unknown != "ignore":
        raise SchemaError(_lacks(table, missing))
    refuse_gaps(schema, table)
    columns = []
    for field in schema:
        target = table.by_name.get(field.name)
        if target is not None and not target.generated:
            columns.append(written(field, target, table))
    if not columns:
        raise SchemaError(
            f"the table {table.name} has none of the columns {', '.join(schema.names)}; write to "
            "another table, or rename columns"
        )
    return Plan(table, tuple(columns))


def written(field: pa.Field, target: TargetColumn, table: Table) -> Written:
    kind = _sent(field.type, target.column)
    try:
        cast_column(pa.array([], field.type), kind, name=field.name)
    except SchemaError:
        raise SchemaError(
            f"column {field.name!r}: {spoken(field.type)} can't be written to {table.name}, where "
            f"it is {target.declared}; cast one to the other, leave the column out, or write to "
            "another table (?table=)"
        ) from None
    return Written(target, kind)


def _sent(given: pa.DataType, column: Column) -> pa.DataType:
    """What values become before they are encoded: what they are, unless the encoder doesn't take
    that, or would silently round it."""
    if column.cast:
        return column.type if pa.types.is_list(column.type) else pa.string()
    if _is_rounded(given, column) or not _is_taken(given, column):
        return column.type
    return given


def _is_rounded(given: pa.DataType, column: Column) -> bool:
    if pa.types.is_decimal(given):
        return column.base.typmod >= 0 and pa.types.is_decimal(column.type)
    return (pa.types.is_timestamp(given) or pa.types.is_time(given)) and given.unit == "ns"


def _is_taken(given: pa.DataType, column: Column) -> bool:
    try:
        Encoder(pa.schema([(column.name, given)]), [column])
    except SchemaError:
        return False
    return True


def _refuse_twins(schema: pa.Schema) -> None:
    names = schema.names
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins:
        raise SchemaError(f"there are several columns named {twins[0]!r}; rename them")


def refuse_gaps(schema: pa.Schema, table: Table) -> None:
    """Columns that must have a value, and get none."""
    gaps = [
        column
        for column in table.columns
        if column.not_null and not column.filled and column.name not in schema.names
    ]
    if gaps:
        named = ", ".join(f"{column.name} ({column.declared})" for column in gaps)
        raise SchemaError(
            f"the table {table.name} needs a value in {named}, and the rows have none; add the "
            "column to the rows, or a default to the table: ALTER TABLE … ALTER COLUMN … SET "
            "DEFAULT …"
        )


def _lacks(table: Table, missing: Sequence[pa.Field]) -> str:
    named = ", ".join(f"{field.name} ({field.type})" for field in missing)
    there = ", ".join(f"{column.name} ({column.declared})" for column in table.columns)
    return (
        f"the table {table.name} has no column {named}; it has {there}. columns=evolve adds what "
        "is missing, columns=ignore leaves it out"
    )
