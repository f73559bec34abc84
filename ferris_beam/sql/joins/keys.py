"""Keys of rows as machine words: equal keys have equal words, whatever column they stand in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from ferris_beam.batches.words import (
    Flags,
    Hashes,
    Positions,
    Strings,
    combine,
    is_text,
    mix,
    strings_of,
)

_WORD = np.uint64


@dataclass(frozen=True)
class Keys:
    """The keys of some rows. ``parts`` hold a word or a string of each row; ``valid`` is false
    where a key is NULL and therefore equal to nothing (None: nowhere)."""

    parts: tuple[Hashes | Strings, ...]
    valid: Flags | None
    num_rows: int

    @classmethod
    def of(cls, columns: Sequence[pa.Array], num_rows: int, nulls_equal: bool = False) -> Keys:
        """Columns of one and the other side of a comparison must have the same types."""
        parts: list[Hashes | Strings] = []
        valid: Flags | None = None
        for column in columns:
            known = None if column.null_count == 0 else _flags(pc.is_valid(column))
            found = parts_of(column)
            if nulls_equal:
                parts += _with_nulls(found, known, column)
                continue
            parts += found
            if known is not None:
                valid = known if valid is None else valid & known
        return cls(tuple(parts), valid, num_rows)

    @property
    def exact(self) -> bool:
        """Whether equal hashes mean equal keys."""
        return len(self.parts) == 1 and not isinstance(self.parts[0], Strings)

    def hashes(self) -> Hashes:
        if self.exact:
            return mix(self.word())
        start = np.zeros(self.num_rows, _WORD)
        return reduce(
            lambda hashes, part: combine(
                hashes, part.hashes() if isinstance(part, Strings) else part
            ),
            self.parts,
            start,
        )

    def equal(self, rows: Positions, other: Keys, other_rows: Positions) -> Flags:
        """Whether key ``rows[i]`` is key ``other_rows[i]`` of ``other``, for each i."""
        same = np.ones(len(rows), bool)
        for mine, others in zip(self.parts, other.parts, strict=True):
            if isinstance(mine, Strings):
                assert isinstance(others, Strings)
                same &= mine.equal(rows, others, other_rows)
            else:
                assert not isinstance(others, Strings)
                same &= mine[rows] == others[other_rows]
        return same

    def word(self) -> Hashes:
        """The one part of keys that are `exact`."""
        word = self.parts[0]
        assert not isinstance(word, Strings)
        return word


def parts_of(column: pa.Array) -> list[Hashes | Strings]:
    """The words of a column; below a NULL stands anything.

    -0.0 is 0.0, and every NaN is the same. Raises `TypeError` for a type that can't be a key.
    """
    type_ = column.type
    if types.is_dictionary(type_):
        return parts_of(column.dictionary_decode())
    if types.is_null(type_):
        return [np.zeros(len(column), _WORD)]
    if types.is_boolean(type_):
        return [_flags(column.fill_null(False)).astype(_WORD)]
    if types.is_floating(type_):
        return [_float_words(column)]
    if types.is_decimal(type_):
        return list(_decimal_words(column))
    if is_text(type_):
        return [strings_of(column)]
    if types.is_integer(type_) or types.is_temporal(type_):
        return list(_integer_words(column))
    raise TypeError(f"values of type {type_} can't be keys")


def is_key_type(type_: pa.DataType) -> bool:
    """Whether `parts_of` takes columns of this type."""
    try:
        parts_of(pa.nulls(0, type_))
    except TypeError:
        return False
    return True


def _flags(column: pa.Array) -> Flags:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=bool)


def _values(column: pa.Array, dtype: str, width: int = 1) -> np.ndarray:
    """The column's buffer as it is: ``width`` numbers of each row."""
    if len(column) == 0:
        return np.empty(0, dtype)
    whole = np.frombuffer(column.buffers()[1], dtype)
    return whole[column.offset * width : (column.offset + len(column)) * width]


def _integer_words(column: pa.Array) -> list[Hashes]:
    width = column.type.bit_width
    if width == 128:  # an interval of months, days and nanoseconds
        pair = _values(column, "<u8", 2)
        return [pair[0::2], pair[1::2]]
    sign = "u" if types.is_unsigned_integer(column.type) else "i"
    values = _values(column, f"<{sign}{width // 8}")
    return [values.astype(np.int64 if sign == "i" else _WORD, copy=False).view(_WORD)]


def _float_words(column: pa.Array) -> Hashes:
    values = _values(column, f"<f{column.type.bit_width // 8}").astype(np.float64) + 0.0
    values[np.isnan(values)] = np.nan
    return values.view(_WORD)


def _decimal_words(column: pa.Array) -> list[Hashes]:
    if column.type.bit_width < 128:
        column = column.cast(pa.decimal128(column.type.precision, column.type.scale))
    width = column.type.bit_width // 64
    words = _values(column, "<u8", width)
    if column.type.precision <= 18:
        return [words[0::width]]
    return [words[place::width] for place in range(width)]


def _with_nulls(
    parts: list[Hashes | Strings], known: Flags | None, column: pa.Array
) -> list[Hashes | Strings]:
    """``parts`` in which NULL is a value of its own, equal to itself."""
    if known is None:
        return [*parts, np.ones(len(column), _WORD)]
    cleared: list[Hashes | Strings] = [known.astype(_WORD)]
    for part in parts:
        if isinstance(part, Strings):
            cleared.append(Strings(part.data, part.starts, np.where(known, part.lengths, 0)))
        else:
            cleared.append(np.where(known, part, _WORD(0)))
    return [*cleared[1:], cleared[0]]
