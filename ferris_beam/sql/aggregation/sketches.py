"""approx_count_distinct: HyperLogLog (Flajolet and others, 2007).

The estimate is Ertl's ("New cardinality estimation algorithms for HyperLogLog sketches", 2017),
which needs no correction for few or many values. A sketch is the list of its registers that aren't
zero, so that small groups stay small; it depends on the set of values only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ferris_beam.batches.hashing import hashes_of
from ferris_beam.sql.aggregation.arrays import Integers, list_parts, lists, memory_of
from ferris_beam.sql.aggregation.codes import normalised
from ferris_beam.sql.aggregation.grouping import Groups, of_codes
from ferris_beam.sql.aggregation.state import Columns, Function, State

_BITS = 12
_REGISTERS = 1 << _BITS
"""A standard error of 1.04 / sqrt(4096) = 1.6 %."""
_RANKS = 64 - _BITS + 1
"""The greatest rank that a register can hold."""


@dataclass(frozen=True)
class HyperLogLog(State):
    """Registers as ``number * 64 + rank``."""

    @property
    def types(self) -> tuple[pa.DataType, ...]:
        return (pa.large_list(pa.int32()),)

    def partial(self, groups: Groups, arguments: Columns) -> list[pa.Array]:
        groups, (values,) = groups.of_valid(*arguments)
        hashes = hashes_of(normalised(values))
        registers = (hashes >> np.uint64(64 - _BITS)).astype(np.int64)
        return [_greatest(groups, registers, _rank(hashes << np.uint64(_BITS)))]

    def merge(self, groups: Groups, columns: Columns) -> list[pa.Array]:
        lengths, items = list_parts(columns[0])
        entries = memory_of(items, np.int32).astype(np.int64)
        groups = Groups(np.repeat(groups.codes, lengths), groups.count)
        return [_greatest(groups, entries >> 6, entries & 63)]


def _rank(bits: npt.NDArray[np.uint64]) -> Integers:
    """The place of the highest bit that is set, from 1; `_RANKS` where none is."""
    bits = bits | np.uint64(1 << (_BITS - 1))
    rank = np.ones(len(bits), np.int64)
    for shift in (32, 16, 8, 4, 2, 1):
        empty = bits >> np.uint64(64 - shift) == 0
        rank[empty] += shift
        bits = np.where(empty, bits << np.uint64(shift), bits)
    return rank


def _greatest(groups: Groups, registers: Integers, ranks: Integers) -> pa.LargeListArray:
    cells = groups.codes * _REGISTERS + registers
    both = of_codes((cells, max(1, groups.count * _REGISTERS)))
    best = np.zeros(both.count, np.int64)
    np.maximum.at(best, both.codes, ranks)
    found = cells[both.members]
    order = np.argsort(found)
    owners = found[order] // _REGISTERS
    entries = found[order] % _REGISTERS * 64 + best[order]
    offsets = np.searchsorted(owners, np.arange(groups.count + 1))
    return lists(offsets, pa.array(entries.astype(np.int32)))


@dataclass(frozen=True)
class ApproximateCount(Function):
    sketch: HyperLogLog
    type: pa.DataType

    @property
    def states(self) -> tuple[State, ...]:
        return (self.sketch,)

    def finish(self, *states: Columns) -> pa.Array:
        lengths, items = list_parts(states[0][0])
        ranks = memory_of(items, np.int32).astype(np.int64) & 63
        groups = np.repeat(np.arange(len(lengths)), lengths)
        counts = np.zeros((len(lengths), _RANKS + 1), np.int64)
        np.add.at(counts, (groups, ranks), 1)
        counts[:, 0] = _REGISTERS - lengths
        return pa.array(np.round(_estimates(counts)).astype(np.int64)).cast(self.type)


def _estimates(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """From how many registers hold each rank (Ertl, algorithm 6)."""
    most = _RANKS - 1
    found = _REGISTERS * _tau(1.0 - counts[:, most + 1] / _REGISTERS)
    for rank in range(most, 0, -1):
        found = 0.5 * (found + counts[:, rank])
    found = found + _REGISTERS * _sigma(counts[:, 0] / _REGISTERS)
    with np.errstate(divide="ignore"):
        return np.where(counts[:, 0] == _REGISTERS, 0.0, _REGISTERS**2 / (2 * np.log(2)) / found)


def _sigma(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """x + Σ 2^(k-1) x^(2^k)."""
    x = np.where(x == 1.0, 0.0, x)  # an empty sketch counts as 0 anyway
    total, factor, before = x.copy(), 1.0, np.full(len(x), -1.0)
    while (total != before).any():
        x, before = x * x, total
        total = total + x * factor
        factor *= 2
    return total


def _tau(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(1 - x - Σ (1 - x^(2^-k))² 2^-k) / 3."""
    total, factor, before = 1.0 - x, 1.0, np.full(len(x), -1.0)
    ends = (x == 0.0) | (x == 1.0)
    while (total != before).any():
        x, before = np.sqrt(x), total
        factor *= 0.5
        total = total - (1.0 - x) ** 2 * factor
    return np.where(ends, 0.0, total / 3.0)
