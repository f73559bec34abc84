"""64-bit hashes of columns, whole arrays at a time: the same in every process and version.

Words are mixed by the finaliser of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom
number generators", 2014; constants of Stafford's variant 13), which is a bijection: two different
words never have the same hash.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.int64]

_LONG = 256
"""Bytes above which a string is hashed on its own: word by word pays for many rows at a time."""

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
    """Byte strings in Arrow's layout. ``data`` has at least 7 bytes behind the last string."""

    data: npt.NDArray[np.uint8]
    starts: Positions
    lengths: Positions

    def hashes(self) -> Hashes:
        found = mix(self.lengths.astype(np.uint64))
        for offset, rows in self._words(np.minimum(self.lengths, _LONG)):
            words = self._load(rows, offset)
            found[rows] = combine(found[rows], words)
        for row in np.flatnonzero(self.lengths > _LONG):
            start, length = self.starts[row], self.lengths[row]
            digest = blake2b(self.data[start : start + length].tobytes(), digest_size=8).digest()
            found[row] = np.frombuffer(digest, "<u8")[0]
        return found

    def equal(self, rows: Positions, other: Strings, other_rows: Positions) -> Flags:
        """Whether string ``rows[i]`` is string ``other_rows[i]`` of ``other``, for each i."""
        mine, others = self._take(rows), other._take(other_rows)
        same: Flags = mine.lengths == others.lengths
        for offset, at in mine._words(np.where(same, mine.lengths, 0)):
            same[at] &= mine._load(at, offset) == others._load(at, offset)
        return same

    @staticmethod
    def _words(lengths: Positions) -> list[tuple[int, Positions]]:
        """The offset of each word, with the rows that reach so far."""
        longest = int(lengths.max(initial=0))
        return [(offset, np.flatnonzero(lengths > offset)) for offset in range(0, longest, 8)]

    def _take(self, rows: Positions) -> Strings:
        return Strings(self.data, self.starts[rows], self.lengths[rows])

    def _load(self, rows: Positions, offset: int) -> Hashes:
        """The 8 bytes from ``offset`` on of each row, with zeros behind the string's end."""
        unaligned: Hashes = np.ndarray(
            (max(self.data.size - 7, 0),), dtype="<u8", buffer=self.data, strides=(1,)
        )
        words = unaligned[self.starts[rows] + offset]
        surplus = 8 - np.clip(self.lengths[rows] - offset, 0, 8)
        kept = np.uint64(0xFFFFFFFFFFFFFFFF) >> (surplus.astype(np.uint64) * np.uint64(8))
        return words & kept
