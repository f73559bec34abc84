"""What a worker remembers of a source that it asks for keys: their rows, and which have none.

Everything is done by whole columns: keys are found by an `Index` over those that are held, and a
batch either changes nothing or builds one new state.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ferris_beam.batches import concatenate
from ferris_beam.batches.words import Flags, Positions
from ferris_beam.sql.joins.index import Index
from ferris_beam.sql.joins.keys import Keys
from ferris_beam.sql.joins.sides import empty

_PAIRS = 1 << 20


@dataclass
class _Held:
    """``owners`` gives the key, by its place in ``keys``, of each of ``rows``; ``asked`` the time
    at which the source said so, ``used`` the last batch that had the key."""

    keys: pa.RecordBatch
    rows: pa.RecordBatch
    owners: Positions
    asked: npt.NDArray[np.float64]
    used: Positions

    @cached_property
    def words(self) -> Keys:
        return Keys.of(self.keys.columns, self.keys.num_rows)

    @cached_property
    def index(self) -> Index:
        return Index.of(self.words)

    def places(self, keys: Keys) -> Positions:
        """Where each of ``keys`` is held; -1: nowhere."""
        return _places(self.index, self.words, keys)

    def only(self, kept: Flags) -> _Held:
        """Some of the keys, and their rows."""
        if kept.all():
            return self
        rows = kept[self.owners]
        numbers = np.cumsum(kept) - 1
        return _Held(
            self.keys.filter(pa.array(kept)),
            self.rows.filter(pa.array(rows)),
            numbers[self.owners[rows]],
            self.asked[kept],
            self.used[kept],
        )


class LookupCache:
    """Up to ``capacity`` keys and ``nbytes`` of rows; those that were used longest ago are
    forgotten first, each after ``seconds``. While a batch is joined, all of its keys are held.

    ``names`` are the columns of ``rows`` that hold the keys, which are of the types of ``keys``.
    """

    def __init__(
        self,
        keys: pa.Schema,
        rows: pa.Schema,
        names: Sequence[str],
        capacity: int,
        seconds: float,
        nbytes: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._names = list(names)
        self._capacity = capacity
        self._seconds = seconds
        self._nbytes = nbytes
        self._clock = clock
        self._batch = 0
        self._now = clock()
        none = np.zeros(0, np.int64)
        self._held = _Held(empty(keys), empty(rows), none, np.zeros(0), none)

    def __len__(self) -> int:
        return self._held.keys.num_rows

    @property
    def rows(self) -> pa.RecordBatch:
        """The rows of all keys that are held."""
        return self._held.rows

    def missing(self, keys: pa.RecordBatch) -> pa.RecordBatch:
        """Those of a batch's ``keys``, each once, of which nothing is known any more; without those
        that are NULL in a column."""
        self._batch += 1
        self._now = self._clock()
        words = Keys.of(keys.columns, keys.num_rows)
        places = self._held.places(words)
        known = places >= 0
        known[known] = self._fresh()[places[known]]
        self._held.used[places[known]] = self._batch
        wanted = ~known if words.valid is None else ~known & words.valid
        unknown = keys.take(pa.array(np.flatnonzero(wanted)))
        return unknown.take(pa.array(_distinct(Keys.of(unknown.columns, unknown.num_rows))))

    def add(self, keys: pa.RecordBatch, rows: pa.RecordBatch) -> None:
        """What the source said of the keys that were `missing`: all their rows."""
        held = self._held.only(self._fresh())
        is_used = held.used == self._batch
        room = max(int(is_used.sum()), self._capacity - keys.num_rows)
        held = held.only(_latest(held.used, room))
        words = Keys.of(keys.columns, keys.num_rows)
        own = Keys.of([rows.column(name) for name in self._names], rows.num_rows)
        owners = _places(Index.of(words), words, own)
        asked_for = owners >= 0
        if not asked_for.all():  # the store found more to be equal than we do
            rows, owners = rows.filter(pa.array(asked_for)), owners[asked_for]
        count = len(held.used)
        self._held = _Held(
            concatenate([held.keys, keys]),
            concatenate([held.rows, rows]),
            np.concatenate([held.owners, owners + count]),
            np.concatenate([held.asked, np.full(keys.num_rows, self._now)]),
            np.concatenate([held.used, np.full(keys.num_rows, self._batch)]),
        )

    def trim(self) -> bool:
        """Forgets what is too much, when a batch is done; whether there was anything."""
        held = self._held
        room = self._capacity
        if held.rows.nbytes > self._nbytes:
            room = min(room, int(len(held.used) * self._nbytes / held.rows.nbytes))
        if len(held.used) <= room:
            return False
        self._held = held.only(_latest(held.used, room))
        return True

    def _fresh(self) -> Flags:
        return self._now - self._held.asked < self._seconds


def _latest(used: Positions, count: int) -> Flags:
    """The ``count`` keys that were used last."""
    kept = np.zeros(len(used), bool)
    kept[np.argsort(-used, kind="stable")[:count]] = True
    return kept


def _places(index: Index, held: Keys, asked: Keys) -> Positions:
    """Where in ``held``, whose keys are distinct, each of ``asked`` is; -1: nowhere."""
    result = np.full(asked.num_rows, -1, np.int64)
    if index.unique:
        found = index.find_one(asked).astype(np.int64)
        rows = np.flatnonzero(found >= 0)
        parts = iter([(rows, found[rows])])
    else:  # different keys of the same hash
        parts = index.find(asked).pairs(_PAIRS)
    for rows, places in parts:
        if not index.exact:
            same = asked.equal(rows, held, places)
            rows, places = rows[same], places[same]
        result[rows] = places
    return result


def _distinct(keys: Keys) -> Positions:
    """The first row of each key, in their order."""
    hashes = keys.hashes()
    rows = np.arange(keys.num_rows)
    found = [rows[:0]]
    while len(rows):
        _, firsts, groups = np.unique(hashes[rows], return_index=True, return_inverse=True)
        chosen = rows[firsts]
        found.append(chosen)
        if keys.exact:
            break
        rows = rows[~keys.equal(rows, keys, chosen[groups])]
    return np.sort(np.concatenate(found))
