"""Changes as records tell of them, flat or in an envelope, brought into one form.

Flat: the columns of a table, and ``_operation``. Envelope: ``operation``, ``before`` and ``after``
(structs, or texts of JSON). Beside them may stand ``_table``, ``_unchanged`` (columns that were not
sent since they did not change) and a column of positions.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from ferris_beam.connectors.postgresql.writing.names import TableName
from ferris_beam.errors import BadRecordError, ConfigurationError, SchemaError

Index: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]

INSERT, UPDATE, READ, DELETE, TRUNCATE = range(5)
_OPERATIONS = ["insert", "update", "read", "delete", "truncate"]
_TOLD = ("_operation", "_table", "_lsn", "_commit_time", "_position", "_unchanged")
"""Columns of flat changes that say something of the change and are no column of the table."""

_SHAPES = (
    "mode=apply takes changes: flat ones, with a column _operation, or envelopes with the columns "
    "operation, before and after; to add rows as they are, say mode=append or mode=upsert"
)


@dataclass(frozen=True)
class Changes:
    """Changes of one table, in their order: ``kinds`` of `INSERT` and so on, the row after each
    (of a deleted one at least its key), the names of columns that were not sent, positions, and
    which row of the batch each was: all of one length."""

    kinds: Index
    values: pa.RecordBatch
    unsent: pa.Array | None
    positions: pa.Array | None
    rows: Index

    def __len__(self) -> int:
        return len(self.kinds)

    def take(self, at: Index) -> Changes:
        chosen = pa.array(at)
        return Changes(
            self.kinds[at],
            self.values.take(chosen),
            None if self.unsent is None else self.unsent.take(chosen),
            None if self.positions is None else self.positions.take(chosen),
            self.rows[at],
        )

    def unsent_of(self, column: str) -> Mask | None:
        """bool[changes]: whether the column was not sent; None where it always was."""
        if self.unsent is None or self.unsent.null_count == len(self):
            return None
        hits = pc.equal(self.unsent.flatten(), column).to_numpy(zero_copy_only=False)
        found = np.zeros(len(self), np.bool_)
        found[pc.list_parent_indices(self.unsent).to_numpy()[hits]] = True
        return found if found.any() else None


@dataclass(frozen=True)
class Group:
    """The changes of one table in a batch, as they came; ``rows`` are their places in it."""

    table: TableName
    records: pa.RecordBatch
    rows: Index


def groups(records: pa.RecordBatch, table: TableName | None, display: str) -> Iterator[Group]:
    """The changes of each table; ``table`` is where all of them go, None: where each one says."""
    rows = np.arange(records.num_rows, dtype=np.int64)
    if table is not None:
        yield Group(table, records, rows)
        return
    if "_table" not in records.schema.names:
        raise ConfigurationError(
            f"{display}: changes without a column _table don't say which table they are for; name "
            "it: ?table=orders"
        )
    named = records.column("_table").dictionary_encode()
    if named.null_count:
        row = int(np.flatnonzero(named.is_null().to_numpy(zero_copy_only=False))[0])
        raise BadRecordError("the column _table is null", "a change names no table", row)
    codes = named.indices.to_numpy()
    for code, name in enumerate(named.dictionary.to_pylist()):
        at = np.flatnonzero(codes == code)
        yield Group(TableName.parse(name), records.take(pa.array(at)), at)


def is_flat(schema: pa.Schema) -> bool:
    """Raises `SchemaError` for records that don't tell of changes."""
    if "_operation" in schema.names:
        return True
    if {"operation", "before", "after"} <= set(schema.names):
        kinds = {schema.field("before").type, schema.field("after").type}
        if all(pt.is_struct(kind) or is_document(kind) for kind in kinds):
            return False
    raise SchemaError(_SHAPES)


def is_document(kind: pa.DataType) -> bool:
    return bool(pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind))


def flat(group: Group, position: str | None) -> Changes:
    records = group.records
    kinds = _kinds(records.column("_operation"), group.rows)
    names = [name for name in records.schema.names if name not in _TOLD and name != position]
    values = records.select(names)
    return Changes(kinds, values, *_told(records, position, group.rows), group.rows)


def enveloped(
    group: Group, before: pa.RecordBatch, after: pa.RecordBatch, position: str | None, keyed: bool
) -> Changes:
    """``before`` and ``after`` are the rows in the envelope's columns, taken out of them. Where a
    table has no key, an update is a delete and an insert."""
    records = group.records
    kinds = _kinds(records.column("operation"), group.rows)
    unsent, positions = _told(records, position, group.rows)
    changes = Changes(kinds, _chosen(before, after, kinds == DELETE), unsent, positions, group.rows)
    return changes if keyed else _as_pairs(changes, before)


def _chosen(before: pa.RecordBatch, after: pa.RecordBatch, deleted: Mask) -> pa.RecordBatch:
    """Rows of ``before`` where ``deleted``, else of ``after``."""
    count = len(deleted)
    at = pa.array(np.arange(count) + np.where(deleted, count, 0))
    both = pa.concat_batches([after, before.cast(after.schema)])
    return both.take(at)


def _as_pairs(changes: Changes, before: pa.RecordBatch) -> Changes:
    updated = changes.kinds == UPDATE
    if not updated.any():
        return changes
    of = np.repeat(np.arange(len(changes)), 1 + updated)
    second = np.zeros(len(of), np.bool_)
    second[1:] = of[1:] == of[:-1]
    pairs = changes.take(of)
    first = updated[of] & ~second
    old = before.cast(changes.values.schema).take(pa.array(of))
    kinds = np.where(first, DELETE, np.where(second, INSERT, pairs.kinds))
    new = kinds != DELETE
    values = _chosen(old, pairs.values, ~new)
    unsent = pairs.unsent
    if unsent is not None:
        unsent = pc.if_else(pa.array(new), unsent, pa.scalar(None, unsent.type))
    return Changes(kinds, values, unsent, pairs.positions, pairs.rows)


def rows_in(column: pa.Array) -> pa.RecordBatch:
    """The fields of structs as columns; where there is no struct, nulls."""
    fields = [field.with_nullable(True) for field in column.type]
    return pa.RecordBatch.from_arrays(column.flatten(), schema=pa.schema(fields))


def unsent_names(records: pa.RecordBatch) -> list[str]:
    """The columns that some changes were sent without."""
    if "_unchanged" not in records.schema.names:
        return []
    names: list[str] = records.column("_unchanged").flatten().unique().to_pylist()
    return names


def _kinds(column: pa.Array, rows: Index) -> Index:
    found = pc.index_in(column.cast(pa.string()), value_set=pa.array(_OPERATIONS))
    if found.null_count:
        at = int(np.flatnonzero(found.is_null().to_numpy(zero_copy_only=False))[0])
        raise BadRecordError(
            f"the operation {column[at].as_py()!r} is none of {', '.join(_OPERATIONS)}",
            "an unknown operation",
            int(rows[at]),
        )
    return np.asarray(found.to_numpy(), np.int64)


def _told(
    records: pa.RecordBatch, position: str | None, rows: Index
) -> tuple[pa.Array | None, pa.Array | None]:
    """What was not sent, and the positions."""
    names: Any = records.schema.names
    unsent = records.column("_unchanged") if "_unchanged" in names else None
    if unsent is not None and not pt.is_list(unsent.type):
        unsent = unsent.cast(pa.list_(pa.string()))
    if position is None:
        return unsent, None
    if position not in names:
        raise SchemaError(f"the changes have no column {position!r}, which position= names")
    found = records.column(position)
    if found.null_count:
        at = int(np.flatnonzero(found.is_null().to_numpy(zero_copy_only=False))[0])
        raise BadRecordError(f"{position} is null", "a change has no position", int(rows[at]))
    return unsent, found


@contextmanager
def located(rows: Index) -> Iterator[None]:
    """Errors that name a row of those that were sent name the row of the batch instead."""
    try:
        yield
    except BadRecordError as error:
        if error.row is None or error.row >= len(rows):
            raise
        row = int(rows[error.row])
        raise BadRecordError(error.message, error.reason, row, error.category) from error
