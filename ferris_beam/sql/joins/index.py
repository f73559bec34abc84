"""Finds the rows of a table by their key: built once, asked with whole columns of keys.

Integers that lie close together are looked up in a dense table, everything else in a hash table
with open addressing and linear probing. Both are filled and asked by whole arrays at a time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ferris_beam.batches.words import Hashes, Positions
from ferris_beam.sql.joins.keys import Keys

Pairs = tuple[Positions, Positions]
"""Rows that match: position in the one side, position in the other."""

_DENSE = 16
"""A dense table may have so many times as many slots as there are keys."""

_DENSE_ALWAYS = 1 << 16
"""Slots that a dense table may have however few keys there are."""

_ROW = np.int32
"""Row numbers: a table of two billion rows would not fit anyway."""


@dataclass(frozen=True)
class Candidates:
    """For each row that was asked for: which rows of the table may match, as a range
    ``starts[i] : starts[i] + counts[i]`` of ``order``."""

    starts: Positions
    counts: Positions
    order: np.ndarray

    def pairs(self, limit: int) -> Iterator[Pairs]:
        """(row asked for, row of the table), the former in order, at most ``limit`` at a time."""
        ends = np.cumsum(self.counts, dtype=np.int64)
        total = int(ends[-1]) if len(ends) else 0
        for begin in range(0, total, limit):
            yield self._between(begin, min(begin + limit, total), ends)

    def _between(self, begin: int, end: int, ends: Positions) -> Pairs:
        """The pairs number ``begin`` to ``end``; ``ends`` counts those up to each row."""
        first = int(np.searchsorted(ends, begin, side="right"))
        last = int(np.searchsorted(ends, end - 1, side="right")) + 1
        before = ends[first:last] - self.counts[first:last]
        taken = np.minimum(ends[first:last], end) - np.maximum(before, begin)
        asked = np.repeat(np.arange(first, last), taken)
        within = np.arange(begin, end) - np.repeat(before, taken)
        return asked, self.order[self.starts[asked] + within].astype(np.int64)


class Index(ABC):
    """The rows of a table, grouped by key. Immutable, so that threads may share it.

    ``unique``: no group has more than one row; ``exact``: a row of the group has the key for
    certain, else keys must be compared.
    """

    exact: bool
    unique: bool

    # One item more at the end of each stands for the group -1, which is none.
    _only: np.ndarray
    """If unique: the row of each group, or -1."""
    _starts: Positions
    _counts: Positions
    _order: np.ndarray
    """If not: where in ``_order`` the rows of each group begin, and how many there are."""

    @staticmethod
    def of(keys: Keys) -> Index:
        rows = np.arange(keys.num_rows) if keys.valid is None else np.flatnonzero(keys.valid)
        if keys.exact and len(rows):
            words = keys.word()[rows].view(np.int64)
            least, most = int(words.min()), int(words.max())
            if most - least < max(_DENSE_ALWAYS, _DENSE * len(rows)):
                return DenseIndex(words, rows, least, most)
        return HashIndex(keys.hashes()[rows], rows, keys.exact)

    def find(self, keys: Keys) -> Candidates:
        """What may match each row of ``keys``; for an index that is not ``unique``."""
        groups = self._valid_groups(keys)
        return Candidates(self._starts[groups], self._counts[groups], self._order)

    def find_one(self, keys: Keys) -> Positions:
        """The one row that may match each row of ``keys``, or -1; for an index that is."""
        return self._only[self._valid_groups(keys)]

    def _valid_groups(self, keys: Keys) -> Positions:
        groups = self._groups(keys)
        return groups if keys.valid is None else np.where(keys.valid, groups, -1)

    @abstractmethod
    def _groups(self, keys: Keys) -> Positions:
        """The group of each key, -1 where there is none."""


class DenseIndex(Index):
    """A group for each integer from the least to the greatest key."""

    exact = True

    def __init__(self, words: Positions, rows: Positions, least: int, most: int) -> None:
        self._least = np.int64(least).view(np.uint64)
        self._slots = most - least + 1
        groups = words - least
        self._only = np.full(self._slots + 1, -1, _ROW)
        self._only[groups] = rows
        self.unique = bool((self._only[groups] == rows).all())
        if not self.unique:
            counts = np.bincount(groups, minlength=self._slots + 1)
            self._counts, self._starts = counts, np.cumsum(counts) - counts
            self._order = rows[np.argsort(groups, kind="stable")].astype(_ROW)

    def _groups(self, keys: Keys) -> Positions:
        # Unsigned, what lies below the least wraps to a number above the greatest.
        distance = keys.word() - self._least
        return np.minimum(distance, np.uint64(self._slots), out=distance).view(np.int64)


class HashIndex(Index):
    """A group for each hash. A hash begins to look for its slot at its highest bits."""

    def __init__(self, hashes: Hashes, rows: Positions, exact: bool) -> None:
        self.exact = exact
        order = np.argsort(hashes)
        hashes, rows = hashes[order], rows[order].astype(_ROW)
        is_first = np.append(True, hashes[1:] != hashes[:-1])[: len(hashes)]
        firsts = np.flatnonzero(is_first)
        self.unique = len(firsts) == len(hashes)
        slots = self._fill(hashes[firsts])
        none = len(self._hashes)
        if self.unique:
            self._only = np.full(none + 1, -1, _ROW)
            self._only[slots] = rows
        else:
            self._order = rows
            self._starts = np.zeros(none + 1, np.int64)
            self._counts = np.zeros(none + 1, np.int64)
            self._starts[slots] = firsts
            self._counts[slots] = np.diff(np.append(firsts, len(hashes)))

    def _fill(self, hashes: Hashes) -> Positions:
        """The slot of each of ``hashes``, which rise: its own, or the first free one behind it."""
        bits = max(4, (2 * len(hashes)).bit_length())
        self._shift = np.uint64(64 - bits)
        numbers = np.arange(len(hashes))
        slots: Positions = numbers + np.maximum.accumulate(self._homes(hashes) - numbers)
        self._empty = _unused(hashes)
        # Behind the last one there is always an empty slot, where a search ends.
        size = max(1 << bits, int(slots[-1]) + 1 if len(slots) else 0) + 1
        self._hashes = np.full(size, self._empty)
        self._hashes[slots] = hashes
        return slots

    def _homes(self, hashes: Hashes) -> Positions:
        return (hashes >> self._shift).view(np.int64)

    def _groups(self, keys: Keys) -> Positions:
        hashes = keys.hashes()
        at = self._homes(hashes)
        held = self._hashes[at]
        found = held == hashes
        groups = np.where(found, at, -1)
        pending = np.flatnonzero(~found & (held != self._empty))
        at, hashes = at[pending], hashes[pending]
        while len(pending):
            at += 1
            held = self._hashes[at]
            found = held == hashes
            groups[pending[found]] = at[found]
            on = np.flatnonzero(~found & (held != self._empty))
            pending, at, hashes = pending[on], at[on], hashes[on]
        return groups


def _unused(hashes: Hashes) -> np.uint64:
    """A number that is none of ``hashes``."""
    mark = 0x5BF03635F0B7A54D
    while (hashes == np.uint64(mark)).any():
        mark += 1
    return np.uint64(mark)
