"""Values as numbers that have the same order.

NULL has no rank of its own (the caller places it); NaN is greater than all numbers; texts go by
their bytes, lists and structs item by item with NULL last.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.sql.aggregation.arrays import Integers, is_null, memory_of
from ferris_beam.sql.aggregation.codes import integer_type, is_list, items_of, normalised

MOST = np.int64((1 << 63) - 1)


def ranks_of(values: pa.Array) -> Integers:
    """A number for each value, less than `MOST`; that of a NULL means nothing."""
    kind = values.type
    if pa.types.is_boolean(kind):
        return ranks_of(values.cast(pa.uint8()))
    if pa.types.is_floating(kind):
        return _of_floats(memory_of(normalised(values).cast(pa.float64()), np.float64))
    dtype = integer_type(kind)
    if dtype is not None:
        return _of_integers(memory_of(values, dtype))
    if pa.types.is_dictionary(kind):
        return _of_dictionary(values)
    if pa.types.is_struct(kind):
        return _of_struct(values)
    if pa.types.is_map(kind) or is_list(kind):
        return _of_lists(values)
    return _of_dictionary(values.dictionary_encode())


def _of_integers(numbers: npt.NDArray) -> Integers:
    if numbers.dtype == np.uint64:
        return (numbers ^ np.uint64(1 << 63)).view(np.int64)
    return numbers.astype(np.int64, copy=False)


def _of_floats(numbers: npt.NDArray[np.float64]) -> Integers:
    """The bits of a double grow with it; those of a negative one fall."""
    bits = numbers.view(np.int64)
    return np.where(bits < 0, ~bits ^ np.int64(-1 << 63), bits)


def _of_dictionary(values: pa.DictionaryArray) -> Integers:
    """By the place of each distinct value among the others."""
    distinct = values.dictionary
    if not len(distinct):
        return np.zeros(len(values), np.int64)
    if is_view(distinct.type):
        distinct = distinct.cast(pa.large_binary())
    if pa.types.is_nested(distinct.type):
        places = ranks_of(distinct)
    else:
        places = memory_of(pc.rank(distinct, tiebreaker="dense"), np.uint64).astype(np.int64)
    indices = pc.fill_null(values.indices, 0) if values.indices.null_count else values.indices
    return places[indices.to_numpy(zero_copy_only=False)]


def is_view(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string_view(kind) or pa.types.is_binary_view(kind))


def _dense(values: pa.Array) -> Integers:
    """Ranks from 1 without gaps, NULL at the end."""
    ranks = ranks_of(values)
    if values.null_count:
        ranks = np.where(is_null(values), MOST, ranks)
    return np.unique(ranks, return_inverse=True)[1] + 1


def _of_struct(values: pa.StructArray) -> Integers:
    ranks = np.zeros(len(values), np.int64)
    for field in values.flatten():
        both = np.stack([ranks, _dense(field)], axis=1)
        ranks = np.unique(both, axis=0, return_inverse=True)[1].reshape(len(values))
    return ranks


def _of_lists(values: pa.Array) -> Integers:
    """A list is the text of its items' ranks, each as eight bytes, the highest first."""
    lengths, items = items_of(values)
    memory = _dense(items).astype(">i8")
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64) * 8
    texts = pa.Array.from_buffers(
        pa.large_binary(), len(values), [None, pa.py_buffer(offsets), pa.py_buffer(memory)]
    )
    return ranks_of(texts)
