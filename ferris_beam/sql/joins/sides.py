"""One side of a join: which of its columns are needed, and what its keys are."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa
from sqlglot import exp

from ferris_beam.batches.words import Hashes
from ferris_beam.sql.joins.common import cast_key
from ferris_beam.sql.joins.expressions import Expressions, is_column
from ferris_beam.sql.joins.keys import Keys, is_key_type


class JoinSide:
    """Makes of a side's batches what the join needs: the columns that the result and the condition
    name, then those keys that are not such a column already, in the type common to both sides."""

    def __init__(
        self,
        keys: Sequence[exp.Expression],
        expressions: Expressions,
        types: Sequence[pa.DataType],
        given: pa.Schema,
        needed: Collection[str],
    ) -> None:
        self.spoken = ", ".join(key.sql() for key in keys)
        self._expressions = expressions
        self._types = list(types)
        columns = [name for name in given.names if name in needed]
        self.key_columns = [
            key.name
            if is_column(key) and key.name in columns and type_.equals(wanted)
            else unused_name(f"key {number}", given.names)
            for number, (key, type_, wanted) in enumerate(
                zip(keys, expressions.types, types, strict=True)
            )
        ]
        added = {
            name: pa.field(name, wanted)
            for name, wanted in zip(self.key_columns, types, strict=True)
            if name not in columns
        }
        self.schema = pa.schema([*(given.field(name) for name in columns), *added.values()])
        self.hash_column = unused_name("hash", self.schema.names)

    def prepared(self, records: pa.RecordBatch) -> pa.RecordBatch:
        """A batch of `schema`. Raises `BadRecordError` for a row whose key can't be computed."""
        keys = dict(zip(self.key_columns, self._key_values(records), strict=True))
        if not self.schema.names:
            return no_columns(records.num_rows)
        columns = [
            keys[name] if name in keys else records.column(name) for name in self.schema.names
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def _key_values(self, records: pa.RecordBatch) -> list[pa.Array]:
        values = self._expressions.values(records)
        return [cast_key(value, type_) for value, type_ in zip(values, self._types, strict=True)]

    def keys(
        self, prepared: pa.RecordBatch, nulls_equal: bool, with_hash: bool = False
    ) -> Keys | None:
        """None where the join has no keys. ``with_hash``: the hash is a part of the key."""
        if not self.key_columns:
            return None
        names = [*self.key_columns, self.hash_column] if with_hash else self.key_columns
        columns = [prepared.column(name) for name in names]
        return Keys.of(columns, prepared.num_rows, nulls_equal)


def content_hashes(records: pa.RecordBatch) -> Hashes:
    """A hash of each whole row, apart from nested values: what a row is decides it, not where it
    stands, so that a repeat in another order finds the same."""
    columns = [column for column in records.columns if is_key_type(column.type)]
    return Keys.of(columns, records.num_rows, nulls_equal=True).hashes()


def partition_hashes(records: pa.RecordBatch, keys: Keys) -> Hashes:
    """What decides the partition: the key; where it is NULL, and so meets nothing, the row."""
    hashes = keys.hashes()
    if keys.valid is not None:
        alone = np.flatnonzero(~keys.valid)
        hashes[alone] = content_hashes(records.take(pa.array(alone)))
    return hashes


def unused_name(name: str, taken: Collection[str]) -> str:
    """``name``, with as many ``_`` behind it as it takes."""
    while name in taken:
        name += "_"
    return name


def no_columns(rows: int) -> pa.RecordBatch:
    """Rows without any column: they still count."""
    return pa.RecordBatch.from_struct_array(pa.array([{}] * rows, pa.struct([])))


def empty(schema: pa.Schema) -> pa.RecordBatch:
    """A batch without rows."""
    return pa.RecordBatch.from_pylist([], schema)
