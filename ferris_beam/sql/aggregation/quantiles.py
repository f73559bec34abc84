"""median, percentile_cont, percentile_disc, mode and top_k: of all values that there are.

Equal values are kept once, with their number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.sql.aggregation.arrays import Integers, floats_of, lists, take
from ferris_beam.sql.aggregation.counted import Counted, entries
from ferris_beam.sql.aggregation.grouping import Groups
from ferris_beam.sql.aggregation.ranking import ranks_of
from ferris_beam.sql.aggregation.state import Columns, Function, State


@dataclass(frozen=True)
class Ordered:
    """The entries of all groups, by group and value."""

    groups: Groups
    values: pa.Array
    until: Integers
    """How many rows there are up to each entry, itself included, in all groups so far."""
    before: Integers
    """How many rows the groups in front of each one have."""

    @property
    def rows(self) -> Integers:
        """How many each group has."""
        return np.diff(self.before)

    def at(self, place: Integers) -> Integers:
        """The entry that holds the row at ``place`` (from 0) of each group."""
        return np.searchsorted(self.until, self.before[:-1] + place, side="right")


def ordered(state: pa.LargeListArray, descending: bool) -> Ordered:
    groups, values, rows = entries(state)
    ranks = ranks_of(values)
    order = np.lexsort((~ranks if descending else ranks, groups.codes))
    until = np.cumsum(rows[order])
    ends = np.concatenate([[0], until])[groups.offsets]
    codes = groups.codes[order]
    return Ordered(Groups(codes, groups.count), take(values, order), until, ends)


@dataclass(frozen=True)
class Quantile(Function):
    """The value behind ``share`` of the rows. ``discrete``: the first one that there is; else
    between two, in proportion. ``shares`` has several for a list of results."""

    state: Counted
    shares: tuple[float, ...]
    type: pa.DataType
    discrete: bool = False
    descending: bool = False
    many: bool = False

    @property
    def states(self) -> tuple[State, ...]:
        return (self.state,)

    def finish(self, *states: Columns) -> pa.Array:
        found = ordered(states[0][0], self.descending)
        kind = self.type.value_type if self.many else self.type
        columns = [self._at(found, share, kind) for share in self.shares]
        if not self.many:
            return columns[0]
        count = found.groups.count
        places = np.arange(count * len(columns)) % len(columns) * count
        places += np.arange(count * len(columns)) // len(columns)
        items = pa.concat_arrays(columns).take(pa.array(places))
        made = lists(np.arange(count + 1) * len(columns), items)
        empty = pa.array(found.rows == 0)
        return pc.if_else(empty, pa.scalar(None, made.type), made).cast(self.type)

    def _at(self, found: Ordered, share: float, kind: pa.DataType) -> pa.Array:
        empty = found.rows == 0
        if self.discrete:
            place = np.maximum(np.ceil(share * found.rows).astype(np.int64) - 1, 0)
            rows = np.where(empty, -1, found.at(np.where(empty, 0, place)))
            return take(found.values, rows).cast(kind)
        position = share * np.maximum(found.rows - 1, 0)
        low = np.floor(position).astype(np.int64)
        high = np.ceil(position).astype(np.int64)
        values = _floats(found.values)
        if not len(values):
            return pa.nulls(len(empty), kind)
        last = len(values) - 1
        below = values[np.minimum(found.at(low), last)]
        above = values[np.minimum(found.at(high), last)]
        with np.errstate(invalid="ignore"):
            between = np.where(low == high, below, below + (above - below) * (position - low))
        return _as_type(between, empty, kind, found.values.type)


def _floats(values: pa.Array) -> np.ndarray:
    if pa.types.is_temporal(values.type):
        values = values.cast(pa.int64() if values.type.bit_width == 64 else pa.int32())
    return floats_of(values)


def _as_type(
    numbers: np.ndarray, missing: np.ndarray, kind: pa.DataType, of: pa.DataType
) -> pa.Array:
    if pa.types.is_temporal(of):
        ticks = pa.array(np.round(numbers).astype(np.int64), mask=missing)
        if of.bit_width == 32:
            ticks = ticks.cast(pa.int32())
        return ticks.view(of).cast(kind)
    if pa.types.is_integer(kind):
        numbers = np.round(numbers)
    found = pa.array(numbers, mask=missing)
    return found if found.type.equals(kind) else found.cast(kind, safe=False)


@dataclass(frozen=True)
class MostFrequent(Function):
    """The ``count`` values with most rows, as a list, or (``count`` 0: mode) the first of them.
    Of values with equally many rows the least comes first."""

    state: Counted
    count: int
    type: pa.DataType

    @property
    def states(self) -> tuple[State, ...]:
        return (self.state,)

    def finish(self, *states: Columns) -> pa.Array:
        groups, values, rows = entries(states[0][0])
        order = np.lexsort((ranks_of(values), -rows, groups.codes))
        if not self.count:
            chosen = np.full(groups.count, -1, np.int64)
            has = groups.sizes > 0
            chosen[has] = order[groups.offsets[:-1][has]]
            return take(values, chosen).cast(self.type)
        place = np.arange(len(order)) - np.repeat(groups.offsets[:-1], groups.sizes)
        kept = np.minimum(groups.sizes, self.count)
        items = take(values, order[place < self.count])
        found = lists(np.concatenate([[0], np.cumsum(kept)]), items)
        missing = pa.array(groups.sizes == 0)
        return pc.if_else(missing, pa.scalar(None, found.type), found).cast(self.type)
