"""Between Arrow's memory and numpy's, without copies where there can be none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def single(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """One array of a chunked one."""
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def memory_of(values: pa.Array, kind: npt.DTypeLike) -> npt.NDArray:
    """The values' memory as ``kind``, without regard to NULLs."""
    dtype = np.dtype(kind)
    data = values.buffers()[1]
    if data is None or not len(values):
        return np.zeros(len(values), dtype)
    return np.frombuffer(data, dtype, len(values), values.offset * dtype.itemsize)


def is_null(values: pa.Array) -> Flags:
    return np.asarray(values.is_null().to_numpy(zero_copy_only=False), np.bool_)


def is_true(values: pa.Array) -> Flags:
    """NULL counts as false."""
    if pa.types.is_null(values.type):
        return np.zeros(len(values), np.bool_)
    return np.asarray(pc.fill_null(values, False).to_numpy(zero_copy_only=False), np.bool_)


def floats_of(values: pa.Array) -> npt.NDArray[np.float64]:
    """Numbers without NULLs as doubles, rounded where they have more digits."""
    return memory_of(values.cast(pa.float64(), safe=False), np.float64)


def take(values: pa.Array, rows: Integers) -> pa.Array:
    """The values at ``rows``; -1 stands for NULL."""
    if pa.types.is_string_view(values.type) or pa.types.is_binary_view(values.type):
        return take(values.cast(pa.large_binary()), rows).cast(values.type)  # has no kernel
    if len(rows) and int(rows.min(initial=0)) < 0:
        places = pa.array(rows, mask=rows < 0)
    else:
        places = pa.array(rows)
    return values.take(places)


def nullable(values: npt.NDArray, missing: Flags, kind: pa.DataType) -> pa.Array:
    """An Arrow array with NULL where ``missing``."""
    mask = missing if missing.any() else None
    found = pa.array(values, mask=mask)
    return found if found.type.equals(kind) else found.cast(kind)


def lists(offsets: Integers, items: pa.Array) -> pa.LargeListArray:
    return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), items)


def list_parts(values: pa.LargeListArray) -> tuple[Integers, pa.Array]:
    """Of lists without NULLs: how long each is, and all their items one after the other."""
    offsets = values.offsets.to_numpy(zero_copy_only=False)
    return np.diff(offsets), values.flatten()


def concatenated(batches: Sequence[pa.RecordBatch], schema: pa.Schema) -> pa.RecordBatch:
    """One batch of all; dictionaries are unified."""
    if len(batches) == 1:
        return batches[0]
    if not batches:
        return pa.RecordBatch.from_arrays(
            [pa.array([], field.type) for field in schema], schema=schema
        )
    table = pa.Table.from_batches([_unifiable(batch, schema) for batch in batches], schema)
    columns = [single(column) for column in table.unify_dictionaries().columns]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _unifiable(records: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Arrow unifies only dictionaries without NULL: where one holds it, indices become NULL."""
    columns = [_without_null_values(column) for column in records.columns]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _without_null_values(values: pa.Array) -> pa.Array:
    if not pa.types.is_dictionary(values.type) or not values.dictionary.null_count:
        return values
    encoded = values.dictionary_decode().dictionary_encode()
    indices = encoded.indices.cast(values.type.index_type)
    return pa.DictionaryArray.from_arrays(indices, encoded.dictionary, ordered=values.type.ordered)
