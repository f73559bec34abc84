"""To which hash partition rows belong: the same in every process, on every machine, for ever.

Equal values of one type have equal hashes, whatever their encoding (dictionary, chunk, slice) and
whichever batch they are in. NULL, NaN and ±0.0 each have one hash. The number of a partition is
part of what ledgers remember, so the function must never change.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from zlib import crc32

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ferris_beam.batches.words import Hashes, is_text, mix, strings_of

_NULL = np.uint64(0x9E3779B97F4A7C15)
_SEED = np.uint64(0x2545F4914F6CDD1D)
_WORD = np.uint64(0x100000001B3)


def partitions_of(
    records: pa.RecordBatch, key_columns: Sequence[str], count: int
) -> npt.NDArray[np.int64]:
    """The partition of each row, ``0 <= p < count``; without key columns 0 for all."""
    if not key_columns or count == 1:
        return np.zeros(records.num_rows, np.int64)
    hashes = hashes_of_rows([records[name] for name in key_columns], records.num_rows)
    return (hashes % np.uint64(count)).astype(np.int64)


def hashes_of_rows(columns: Sequence[pa.Array], num_rows: int) -> Hashes:
    """One 64-bit hash for each row of ``columns``; their order matters."""
    hashes = np.full(num_rows, _SEED, np.uint64)
    for column in columns:
        hashes = mix(hashes * _WORD ^ hashes_of(column))
    return hashes


def hashes_of(values: pa.Array) -> Hashes:
    """One 64-bit hash for each value."""
    hashes = _hashes_of_valid(values)
    if values.null_count:
        hashes = np.where(_mask_of_nulls(values), _NULL, hashes)
    return hashes


def _hashes_of_valid(values: pa.Array) -> Hashes:
    kind = values.type
    if pa.types.is_dictionary(kind):
        return _of_dictionary(values)
    if pa.types.is_floating(kind):
        return _of_floats(values)
    if pa.types.is_boolean(kind):
        return mix(_integers(values.cast(pa.uint8()), np.dtype(np.uint8)))
    if pa.types.is_decimal(kind):
        return _of_decimals(values)
    if is_text(kind):
        return strings_of(values).hashes()
    if pa.types.is_null(kind):
        return np.full(len(values), _NULL, np.uint64)
    if pa.types.is_integer(kind) or pa.types.is_temporal(kind):
        return _of_integers(values)
    return _of_others(values)


def _mask_of_nulls(values: pa.Array) -> npt.NDArray[np.bool_]:
    return np.asarray(values.is_null().to_numpy(zero_copy_only=False), np.bool_)


def _buffer(values: pa.Array, kind: np.dtype) -> npt.NDArray:
    """The values' memory, without regard to NULLs."""
    data = values.buffers()[1]
    if data is None or not len(values):
        return np.zeros(len(values), kind)
    return np.frombuffer(data, kind, len(values), values.offset * kind.itemsize)


def _integers(values: pa.Array, kind: np.dtype) -> Hashes:
    """Sign-extended, so that the width of an integer doesn't matter."""
    found = _buffer(values, kind)
    signed = found.astype(np.int64) if kind.kind == "i" else found
    return signed.astype(np.uint64)


def _of_integers(values: pa.Array) -> Hashes:
    kind = values.type
    if not (pa.types.is_integer(kind) or kind.bit_width in (32, 64)):
        return _of_others(values)  # intervals of three parts
    signed = not pa.types.is_unsigned_integer(kind)
    dtype = np.dtype(f"{'i' if signed else 'u'}{kind.bit_width // 8}")
    return mix(_integers(values, dtype))


def _of_floats(values: pa.Array) -> Hashes:
    numbers = _buffer(values.cast(pa.float64()), np.dtype(np.float64)).copy()
    numbers[numbers == 0.0] = 0.0
    numbers[np.isnan(numbers)] = np.nan
    return mix(numbers.view(np.uint64))


def _of_decimals(values: pa.Array) -> Hashes:
    values = values.cast(pa.decimal256(76, values.type.scale))
    words = _buffer(values, np.dtype("V32")).view(np.uint64).reshape(len(values), 4)
    hashes = mix(words[:, 0])
    for word in range(1, 4):
        hashes = mix(hashes * _WORD ^ words[:, word])
    return hashes


def _of_dictionary(values: pa.DictionaryArray) -> Hashes:
    if not len(values.dictionary):
        return np.full(len(values), _NULL, np.uint64)
    indices = values.indices.fill_null(0) if values.indices.null_count else values.indices
    return hashes_of(values.dictionary)[indices.to_numpy(zero_copy_only=False)]


def _of_others(values: pa.Array) -> Hashes:
    """Nested values: by their text, one for each distinct one."""
    texts = [json.dumps(value, default=str, sort_keys=True) for value in values.to_pylist()]
    return mix(np.array([crc32(text.encode()) for text in texts], np.uint64))


def split_by_partition(
    records: pa.RecordBatch, key_columns: Sequence[str], count: int
) -> list[tuple[int, pa.RecordBatch]]:
    """The rows of each partition that has any, their order kept."""
    if not records.num_rows:
        return []
    if not key_columns or count == 1:
        return [(0, records)]
    partitions = partitions_of(records, key_columns, count)
    narrow = partitions.astype(np.int16) if count <= 1 << 15 else partitions  # sorted by radix
    order = np.argsort(narrow, kind="stable")
    sizes = np.bincount(partitions, minlength=count)
    ordered = records.take(pa.array(order))
    ends = np.cumsum(sizes)
    return [
        (partition, ordered.slice(int(ends[partition] - size), int(size)))
        for partition, size in enumerate(sizes)
        if size
    ]
