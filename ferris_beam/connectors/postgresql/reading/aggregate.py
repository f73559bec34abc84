"""Whole aggregates, computed by the server where its results are the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.types as pt
from psycopg import sql

from ferris_beam.connector import AggregateCall, Chunk, Reader, Split
from ferris_beam.connectors.postgresql.reading.base import Connection, Opened, RelationReader
from ferris_beam.connectors.postgresql.reading.reader import TableReader
from ferris_beam.connectors.postgresql.reading.relation import Relation
from ferris_beam.connectors.postgresql.reading.selection import Wish, select
from ferris_beam.connectors.postgresql.types import Column, ddl_type
from ferris_beam.connectors.postgresql.types.arrow import precision_and_scale
from ferris_beam.connectors.postgresql.writing.names import digest
from ferris_beam.errors import FatalError

_INTEGERS = frozenset({"int2", "int4", "int8"})
_TEXTS = frozenset({"text", "varchar"})
_TIMES = frozenset({"date", "timestamp", "timestamptz"})
_KEYS = _INTEGERS | _TEXTS | _TIMES | {"bool", "uuid", "bytea", "numeric"}
_UNFIT = "ferris_unfit"
"""The column that says whether a group holds a value that has no place in Arrow."""


def aggregate_reader(
    reader: RelationReader, keys: Sequence[str], calls: Sequence[AggregateCall], schema: pa.Schema
) -> Reader | None:
    """A reader of the aggregates; None where the server would compute others.

    That is so of floats (NaN, negative zero, the order of additions), of numbers without declared
    precision, of texts whose order is not that of their bytes, and where a part of the condition
    stays with Arrow.
    """
    now = reader.now
    if now.selection.residual is not None or reader.wish.limit is not None:
        return None
    utf8 = _is_utf8(reader)
    for name in keys:
        if not _is_key(now.column(name)):
            return None
    for call, field in zip(calls, list(schema)[len(keys) :], strict=True):
        if not _is_exact(call, now.column(call.column or ""), field.type, utf8):
            return None
    return AggregateReader(reader, tuple(keys), tuple(calls), schema)


def _is_utf8(reader: RelationReader) -> bool:
    with reader.connections().connection() as connection:
        return connection.info.parameter_status("server_encoding") == "UTF8"


def _base(column: Column | None) -> str:
    """The name of a built-in scalar type, else nothing."""
    if column is None or column.cast or not column.base.builtin or column.base.kind != "scalar":
        return ""
    if column.base.name == "numeric" and not _has_precision(column):
        return ""
    return column.base.name


def _has_precision(column: Column) -> bool:
    return pt.is_decimal(column.type) and precision_and_scale(column.base.typmod) is not None


def _is_key(column: Column | None) -> bool:
    return _base(column) in _KEYS


def _is_exact(call: AggregateCall, column: Column | None, result: pa.DataType, utf8: bool) -> bool:
    base = _base(column)
    if call.function == "count":
        return pt.is_integer(result) and (call.column is None or bool(base))
    if column is None or not base:
        return False
    if call.function == "sum":
        return _is_exact_sum(base, column, result)
    comparable = base in _INTEGERS | _TIMES | {"numeric"} or (base in _TEXTS and utf8)
    return comparable and result == column.type


def _is_exact_sum(base: str, column: Column, result: pa.DataType) -> bool:
    if base in _INTEGERS:
        return pt.is_int64(result) or (pt.is_decimal(result) and result.scale >= 0)
    same_scale = pt.is_decimal(result) and base == "numeric"
    return same_scale and result.scale >= column.type.scale


class AggregateReader(TableReader):
    """One row for each group. Unit: the whole result. Not replayable."""

    def __init__(
        self,
        reader: RelationReader,
        keys: tuple[str, ...],
        calls: tuple[AggregateCall, ...],
        schema: pa.Schema,
    ) -> None:
        self.__dict__.update(reader.__getstate__())
        self.looks_up = False
        self.options = reader.options.model_copy(update={"split_by": None})
        self._keys, self._calls, self._schema = keys, calls, schema

    def described(self, connection: Connection) -> Opened:
        below = super().described(connection)
        query = self._query(below)
        relation = Relation(query, None, digest(query.as_string(connection)), 0)
        columns = tuple(relation.columns(connection, self.options))
        return Opened(relation, columns, select(Wish(), columns, utf8=True))

    def schema(self) -> pa.Schema:
        return self._schema

    def aggregated(
        self, keys: Sequence[str], calls: Sequence[AggregateCall], schema: pa.Schema
    ) -> Reader | None:
        return None

    def read(self, split: Split) -> Iterator[Chunk]:
        for chunk in super().read(split):
            for reject in chunk.rejects:
                raise self._unfit(reject.reason)
            yield replace(chunk, records=self._exact(chunk.records))

    def _query(self, below: Opened) -> sql.Composed:
        columns = {column.name: column for column in below.columns}
        keys = [_by_bytes(columns[name]) for name in self._keys]
        selected: list[sql.Composable] = [
            sql.SQL("{} AS {}").format(key, sql.Identifier(name))
            for key, name in zip(keys, self._schema.names, strict=False)
        ]
        for call, field in zip(self._calls, list(self._schema)[len(keys) :], strict=True):
            selected.append(_called(call, columns, field))
        used = [*self._keys, *(call.column for call in self._calls if call.column)]
        guards = [guard for name in dict.fromkeys(used) if (guard := _unfit(columns[name]))]
        if guards:
            unfit = sql.SQL(" OR ").join(guards)
            selected.append(
                sql.SQL("coalesce(bool_or({}), false) AS {}").format(unfit, sql.Identifier(_UNFIT))
            )
        parts = [
            sql.SQL("SELECT {} FROM {}").format(
                sql.SQL(", ").join(selected), below.relation.from_clause
            )
        ]
        if below.selection.condition is not None:
            parts.append(sql.SQL("WHERE {}").format(below.selection.condition))
        if keys:
            parts.append(sql.SQL("GROUP BY {}").format(sql.SQL(", ").join(keys)))
        return sql.SQL(" ").join(parts)

    def _exact(self, records: pa.RecordBatch) -> pa.RecordBatch:
        """With exactly the types that were asked for."""
        if _UNFIT in records.schema.names:
            if any(records[_UNFIT].to_pylist()):
                raise self._unfit("NaN of a numeric, or infinity of a time")
            records = records.drop_columns([_UNFIT])
        try:
            return records.cast(self._schema)
        except pa.ArrowInvalid as error:
            raise FatalError(
                f"{self.display}: an aggregate doesn't fit its type: {error}"
            ) from error

    def _unfit(self, reason: str) -> FatalError:
        return FatalError(
            f"{self.display}: an aggregate is over values that Arrow can't hold ({reason}); leave "
            "such rows out by a condition in query="
        )


def _by_bytes(column: Column) -> sql.Composable:
    name = sql.Identifier(column.name)
    return sql.SQL('({} COLLATE "C")').format(name) if column.base.name in _TEXTS else name


def _called(call: AggregateCall, columns: dict[str, Column], field: pa.Field) -> sql.Composable:
    """The call as the server says it; with a type where its own would be another."""
    argument = _by_bytes(columns[call.column]) if call.column else sql.SQL("*")
    found = sql.SQL("{}({})").format(sql.SQL(call.function), argument)
    if call.function == "sum":
        found = sql.SQL("{}::{}").format(found, sql.SQL(ddl_type(field.type)))
    return sql.SQL("{} AS {}").format(found, sql.Identifier(call.name))


def _unfit(column: Column) -> sql.Composable | None:
    name = sql.Identifier(column.name)
    if column.base.name == "numeric":
        return sql.SQL("{} = 'NaN'").format(name)
    if column.base.name in _TIMES:
        return sql.SQL("NOT isfinite({})").format(name)
    return None
