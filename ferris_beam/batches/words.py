"""64-bit hashes of columns, whole arrays at a time: the same in every process and version.

Words are mixed by the finaliser of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom
number generators", 2014; constants of Stafford's variant 13), which is a bijection: two different
words never have the same hash.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import types

Hashes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.int64]
Rows = Positions | slice

_LONG = 256
"""Bytes above which a string is hashed on its own: word by word pays for many rows at a time."""

_MASKS = np.array([(1 << 8 * count) - 1 for count in range(9)], np.uint64)
"""The lowest bytes of a word."""

_FIRST, _SECOND, _GOLDEN = (
    np.uint64(number) for number in (0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0x9E3779B97F4A7C15)
)


def mix(words: Hashes) -> Hashes:
    """A hash of each word."""
    mixed = words ^ (words >> np.uint64(30))
    mixed *= _FIRST
    mixed ^= mixed >> np.uint64(27)
    mixed *= _SECOND
    mixed ^= mixed >> np.uint64(31)
    return mixed


def combine(hashes: Hashes, words: Hashes) -> Hashes:
    """A hash of what ``hashes`` stand for, followed by ``words``; the order matters."""
    return mix(hashes * _GOLDEN + words)


@dataclass(frozen=True)
class Strings:
    """Byte strings in Arrow's layout. ``data`` has at least 8 bytes behind the last string."""

    data: npt.NDArray[np.uint8]
    starts: Positions
    lengths: Positions

    def hashes(self) -> Hashes:
        """The length and a sum over words, each multiplied by a number of its place: a word of
        zeros adds nothing, so that strings of all lengths are summed up together."""
        found = self.lengths.astype(np.uint64) * _GOLDEN
        for offset, rows in _word_by_word(np.minimum(self.lengths, _LONG)):
            words = self._load(rows, offset) & _kept(self.lengths[rows], offset)
            found[rows] += mix(words * _weight(offset))
        for row in np.flatnonzero(self.lengths > _LONG):
            start, length = self.starts[row], self.lengths[row]
            digest = blake2b(self.data[start : start + length].tobytes(), digest_size=8).digest()
            found[row] = np.frombuffer(digest, "<u8")[0]
        return mix(found)

    def equal(self, rows: Positions, other: Strings, other_rows: Positions) -> Flags:
        """Whether string ``rows[i]`` is string ``other_rows[i]`` of ``other``, for each i."""
        mine, others = self._take(rows), other._take(other_rows)
        same: Flags = mine.lengths == others.lengths
        lengths = np.where(same, mine.lengths, 0)
        for offset, at in _word_by_word(lengths):
            difference = mine._load(at, offset) ^ others._load(at, offset)
            same[at] &= difference & _kept(lengths[at], offset) == 0
        return same

    def _take(self, rows: Positions) -> Strings:
        return Strings(self.data, self.starts[rows], self.lengths[rows])

    def _load(self, rows: Rows, offset: int) -> Hashes:
        """The 8 bytes from ``offset`` on of each row, whatever they belong to."""
        unaligned: Hashes = np.ndarray(
            (self.data.size - 7,), dtype="<u8", buffer=self.data, strides=(1,)
        )
        # Of rows that are shorter any word will do: nothing of it is kept.
        return unaligned[np.minimum(self.starts[rows] + offset, self.data.size - 8)]


def _word_by_word(lengths: Positions) -> Iterator[tuple[int, Rows]]:
    """The offset of each word, with the rows that reach so far, or all where many do."""
    for offset in range(0, int(lengths.max(initial=0)), 8):
        reaching = lengths > offset
        if 2 * np.count_nonzero(reaching) > len(lengths):
            yield offset, slice(None)
        else:
            yield offset, np.flatnonzero(reaching)


def _kept(lengths: Positions, offset: int) -> Hashes:
    """Masks for the bytes of the word at ``offset`` that belong to strings of these lengths."""
    return _MASKS[np.clip(lengths - offset, 0, 8)]


def _weight(offset: int) -> np.uint64:
    """An odd number for each place of a word."""
    return np.uint64((0xD1342543DE82EF95 * (offset + 1)) % (1 << 64) | 1)


def is_text(type_: pa.DataType) -> bool:
    """Whether values of this type are byte strings."""
    return (
        types.is_string(type_)
        or types.is_large_string(type_)
        or types.is_string_view(type_)
        or types.is_binary(type_)
        or types.is_large_binary(type_)
        or types.is_binary_view(type_)
        or types.is_fixed_size_binary(type_)
    )


def strings_of(column: pa.Array) -> Strings:
    """The byte strings of a column; below a NULL stands anything."""
    text = types.is_string(column.type) or types.is_binary(column.type)
    large = types.is_large_string(column.type) or types.is_large_binary(column.type)
    if not (text or large):
        is_view = types.is_string_view(column.type)
        return strings_of(column.cast(pa.large_string() if is_view else pa.large_binary()))
    dtype = "<i8" if large else "<i4"
    _, offsets, data = column.buffers()
    if len(column) == 0 or offsets is None:
        return Strings(np.zeros(8, np.uint8), *(np.zeros(len(column), np.int64),) * 2)
    bounds = np.frombuffer(offsets, dtype)[column.offset : column.offset + len(column) + 1]
    bounds = bounds.astype(np.int64)
    return Strings(_padded(data, bounds), bounds[:-1] - bounds[0], np.diff(bounds))


def _padded(data: pa.Buffer | None, bounds: Positions) -> np.ndarray:
    """The bytes between the first and the last of ``bounds``, and 8 more behind them."""
    start, stop = int(bounds[0]), int(bounds[-1])
    if data is not None and data.size >= stop + 8:
        return np.frombuffer(data, np.uint8)[start : stop + 8]
    padded = np.zeros(stop - start + 8, np.uint8)
    if data is not None:
        padded[: stop - start] = np.frombuffer(data, np.uint8)[start:stop]
    return padded
