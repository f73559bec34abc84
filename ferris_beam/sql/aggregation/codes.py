"""Values as numbers: equal values of a column have equal codes.

NULL is a value like any other here, NaN equals NaN, and -0.0 equals 0.0 (as GROUP BY has it).
"""

from __future__ import annotations

import threading
from collections import deque

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.sql.aggregation.arrays import Flags, Integers, is_null, memory_of, take

Coded = tuple[Integers, int]
"""The code of each row, and a number that is greater than all of them."""

_CodedDictionary = tuple[Integers, int, bool]
"""`Coded`, and whether each code is its own place: so it is where no value is repeated."""

_DICTIONARIES = 4
_DICTIONARY_BYTES = 1 << 20
"""How many dictionaries are remembered, and up to which size."""

_WIDEST = 1 << 62
"""Codes stay below, so that their sums and differences fit into 64 bits."""


def codes_of(values: pa.Array) -> Coded:
    kind = values.type
    if pa.types.is_dictionary(kind):
        return _of_dictionary(values)
    if pa.types.is_boolean(kind):
        return _of_integers(values.cast(pa.uint8()), np.dtype(np.uint8))
    if pa.types.is_floating(kind):
        return _of_floats(values)
    if pa.types.is_struct(kind):
        return _of_struct(values)
    if pa.types.is_map(kind) or is_list(kind):
        return _of_lists(values)
    dtype = integer_type(kind)
    return _encoded(values) if dtype is None else _of_integers(values, dtype)


def combined(columns: list[Coded]) -> Coded:
    """One code for the rows of several columns; it grows with the first one, then the second…"""
    codes, count = columns[0]
    for more, by in columns[1:]:
        if count * by >= _WIDEST:
            (codes, count), (more, by) = _ranked(codes), _ranked(more)
        codes = codes * by
        codes += more
        count *= by
    return codes, count


def _ranked(numbers: Integers) -> Coded:
    """Numbers without gaps in the same order."""
    if not len(numbers):
        return numbers, 1
    order = np.argsort(numbers)
    begins = begin_runs(numbers[order])
    ranks = np.empty(len(numbers), np.int64)
    ranks[order] = np.cumsum(begins) - 1
    return ranks, int(np.count_nonzero(begins))


def begin_runs(numbers: Integers) -> Flags:
    """Where something else begins, in numbers of which equal ones lie side by side."""
    begins = np.ones(len(numbers), np.bool_)
    np.not_equal(numbers[1:], numbers[:-1], out=begins[1:])
    return begins


def integer_type(kind: pa.DataType) -> np.dtype | None:
    """The integers that lie in the memory of this type; None: it has others."""
    if pa.types.is_unsigned_integer(kind):
        return np.dtype(f"u{kind.bit_width // 8}")
    if pa.types.is_integer(kind) or (pa.types.is_temporal(kind) and not pa.types.is_interval(kind)):
        return np.dtype(f"i{kind.bit_width // 8}")
    return None


def normalised(values: pa.Array) -> pa.Array:
    """The one spelling of each value: floats have several NaN and two zeros."""
    if not pa.types.is_floating(values.type):
        return values
    zero, nan = pa.scalar(0.0, values.type), pa.scalar(float("nan"), values.type)
    if pa.types.is_float16(values.type):
        return normalised(values.cast(pa.float32())).cast(values.type)
    return pc.if_else(pc.is_nan(values), nan, pc.add(values, zero))


def _of_integers(values: pa.Array, dtype: np.dtype) -> Coded:
    found = memory_of(values, dtype)
    if dtype == np.uint64:
        found = (found ^ np.uint64(1 << 63)).view(np.int64)
    return codes_of_numbers(found, is_null(values) if values.null_count else None)


def _of_floats(values: pa.Array) -> Coded:
    if pa.types.is_float16(values.type):
        values = values.cast(pa.float32())
    bits = memory_of(normalised(values).cast(pa.float64()), np.int64)
    return codes_of_numbers(bits, is_null(values) if values.null_count else None)


def codes_of_numbers(numbers: npt.NDArray, missing: Flags | None = None) -> Coded:
    """Codes that rise with the numbers; NULL has the one behind the last."""
    present = numbers if missing is None else numbers[~missing]
    if not len(present):
        return np.zeros(len(numbers), np.int64), 1
    least = int(present.min())
    spread = int(present.max()) - least + 1
    if spread >= _WIDEST:
        numbers, spread = _ranked(numbers.astype(np.int64, copy=False))
        least = 0
    codes = numbers.astype(np.int64, copy=False) - np.int64(least)
    if missing is None:
        return codes, spread
    codes[missing] = spread
    return codes, spread + 1


def _encoded(values: pa.Array) -> Coded:
    if pa.types.is_null(values.type):
        return np.zeros(len(values), np.int64), 1
    encoded = values.dictionary_encode(null_encoding="encode")
    codes = memory_of(encoded.indices, np.int32).astype(np.int64)
    return codes, max(1, len(encoded.dictionary))


def _of_dictionary(values: pa.DictionaryArray) -> Coded:
    """A dictionary may hold a value twice, and more values than there are rows."""
    if len(values.dictionary) > max(1024, 2 * len(values)):
        return codes_of(values.dictionary_decode())
    codes, count, counting = _known.of(values.dictionary)
    indices = values.indices
    if indices.null_count:
        nulls = is_null(values.dictionary)
        of_null = int(codes[nulls][0]) if nulls.any() else count
        codes, counting = np.append(codes, of_null), False
        indices = pc.fill_null(indices.cast(pa.int64()), len(codes) - 1)
        count = max(count, of_null + 1)
    if not len(codes):
        return np.zeros(len(values), np.int64), 1
    places = indices.to_numpy(zero_copy_only=False).astype(np.int64, copy=False)
    return (places if counting else codes[places]), count


class _Dictionaries(threading.local):
    """The codes of the dictionaries that a thread met last: batch after batch of a column comes
    with an equal one, and to compare two costs a fraction of coding one."""

    def __init__(self) -> None:
        self._last: deque[tuple[pa.Array, _CodedDictionary]] = deque(maxlen=_DICTIONARIES)

    def of(self, dictionary: pa.Array) -> _CodedDictionary:
        for known, coded in self._last:
            if known.equals(dictionary):
                return coded
        coded = _coded(dictionary)
        if dictionary.nbytes <= _DICTIONARY_BYTES:
            copied = take(dictionary, np.arange(len(dictionary)))  # else a whole batch may stay
            self._last.appendleft((copied, coded))
        return coded


_known = _Dictionaries()


def _coded(dictionary: pa.Array) -> _CodedDictionary:
    codes, count = codes_of(dictionary)
    if count > 2 * len(codes):
        codes, count = _ranked(codes)
    return codes, count, bool((codes == np.arange(len(codes))).all())


def _of_struct(values: pa.StructArray) -> Coded:
    missing = is_null(values)
    coded = combined([(missing.astype(np.int64), 2), *map(codes_of, values.flatten())])
    codes = np.where(missing, np.int64(-1), coded[0])
    return _encoded(pa.array(codes))


def is_list(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


def items_of(values: pa.Array) -> tuple[Integers, pa.Array]:
    """How long each list or map is (0 for NULL), and all their items one after the other."""
    kind = values.type
    if pa.types.is_map(kind):
        entry = pa.struct([kind.key_field, kind.item_field])
        values = values.cast(pa.list_(pa.field("entries", entry, nullable=False)))
    lengths = pc.fill_null(pc.list_value_length(values), 0)
    return lengths.to_numpy(zero_copy_only=False).astype(np.int64), values.flatten()


def _of_lists(values: pa.Array) -> Coded:
    """A list is the text made of its items' codes."""
    lengths, items = items_of(values)
    codes = codes_of(items)[0]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64) * 8
    texts = pa.Array.from_buffers(
        pa.large_binary(), len(values), [None, pa.py_buffer(offsets), pa.py_buffer(codes)]
    )
    if values.null_count:
        texts = pc.if_else(values.is_valid(), texts, pa.scalar(None, pa.large_binary()))
    return _encoded(texts)
