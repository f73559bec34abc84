"""Finds the rows of a table by their key: built once, asked with whole columns of keys.

Integers that lie close together are looked up in a dense table, everything else in a hash table
with open addressing, whose slots are filled and probed by whole arrays: one pass for all keys, the
next for those whose slot another key had taken, and so on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ferris_beam.sql.joins.hashing import Hashes, Positions
from ferris_beam.sql.joins.keys import Keys

Pairs = tuple[Positions, Positions]
"""Rows that match: position in the one side, position in the other."""

_DENSE = 8
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

    def __init__(self, rows: Positions, group_of: Positions, groups: int, exact: bool) -> None:
        """Row ``rows[i]`` belongs to group ``group_of[i]``, below ``groups``; some are empty."""
        counts = np.bincount(group_of, minlength=groups)
        self.exact = exact
        self.unique = bool(counts.max(initial=0) <= 1)
        self.num_rows = len(rows)
        if self.unique:
            self._only = np.full(groups + 1, -1, _ROW)
            self._only[group_of] = rows
        else:
            self._order = rows[np.argsort(group_of, kind="stable")].astype(_ROW)
            # One more at the end stands for the group -1, which is none.
            self._counts = np.append(counts, 0)
            self._starts = np.append(np.cumsum(counts) - counts, 0)

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
        return self._only[self._valid_groups(keys)].astype(np.int64)

    def _valid_groups(self, keys: Keys) -> Positions:
        groups = self._groups(keys)
        return groups if keys.valid is None else np.where(keys.valid, groups, -1)

    @abstractmethod
    def _groups(self, keys: Keys) -> Positions:
        """The group of each key, -1 where there is none."""


class DenseIndex(Index):
    """A group for each integer from the least to the greatest key."""

    def __init__(self, words: Positions, rows: Positions, least: int, most: int) -> None:
        self._least = np.int64(least).view(np.uint64)
        self._slots = most - least + 1
        super().__init__(rows, words - least, self._slots, exact=True)

    def _groups(self, keys: Keys) -> Positions:
        # Unsigned, what lies below the least wraps to a number above the greatest.
        distance = keys.word() - self._least
        return np.where(distance < self._slots, distance, np.uint64(self._slots)).view(np.int64)


class HashIndex(Index):
    """A group for each hash: the number of its slot."""

    def __init__(self, hashes: Hashes, rows: Positions, exact: bool) -> None:
        bits = max(4, (2 * len(rows)).bit_length())
        self._shift = np.uint64(64 - bits)
        self._mask = (1 << bits) - 1
        self._empty = self._unused(hashes)
        self._slots = np.full(1 << bits, self._empty)
        super().__init__(rows, self._insert(hashes), 1 << bits, exact)

    @staticmethod
    def _unused(hashes: Hashes) -> np.uint64:
        """A number that is nobody's hash marks empty slots."""
        mark = 0x5BF03635F0B7A54D
        while (hashes == np.uint64(mark)).any():
            mark += 1
        return np.uint64(mark)

    def _insert(self, hashes: Hashes) -> Positions:
        """Takes a slot for each hash; equal ones walk the same way, and find the same."""
        groups = np.empty(len(hashes), np.int64)
        pending = np.arange(len(hashes))
        at = (hashes >> self._shift).astype(np.int64)
        while len(pending):
            free = self._slots[at] == self._empty
            self._slots[at[free]] = hashes[free]
            settled = self._slots[at] == hashes
            groups[pending[settled]] = at[settled]
            pending, hashes = pending[~settled], hashes[~settled]
            at = (at[~settled] + 1) & self._mask
        return groups

    def _groups(self, keys: Keys) -> Positions:
        hashes = keys.hashes()
        at = (hashes >> self._shift).astype(np.int64)
        held = self._slots[at]
        groups = np.where(held == hashes, at, -1)
        return self._walk(groups, hashes, at, held)

    def _walk(self, groups: Positions, hashes: Hashes, at: Positions, held: Hashes) -> Positions:
        """Goes on from slots that hold another hash, to the next that is the own or empty."""
        pending = np.flatnonzero((held != hashes) & (held != self._empty))
        at, hashes = at[pending], hashes[pending]
        while len(pending):
            at = (at + 1) & self._mask
            held = self._slots[at]
            found = held == hashes
            groups[pending[found]] = at[found]
            on = ~found & (held != self._empty)
            pending, at, hashes = pending[on], at[on], hashes[on]
        return groups
