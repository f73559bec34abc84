"""SESSION: events of a key that are closer to each other than a gap.

A session is ``[first, last + gap)``: an event exactly at ``last + gap`` begins another one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ferris_beam.sql.aggregation.arrays import Integers
from ferris_beam.sql.aggregation.grouping import Groups


@dataclass(frozen=True)
class Sessions:
    """``gap`` in microseconds."""

    gap: int

    def split(
        self, keys: Groups, first: Integers, last: Integers
    ) -> tuple[Groups, Integers, Integers]:
        """Sessions of shorter ones, each from ``first`` to ``last`` (an event is both): which rows
        are one session, and from when to when it lasts."""
        if not len(first):
            return Groups(np.zeros(0, np.int64), 0), first, last
        order = _by_key_and_time(keys, first)
        codes, start = keys.codes[order], first[order]
        until = last[order] if last is first else _latest(codes, last[order])
        begins = np.ones(len(start), np.bool_)
        begins[1:] = (codes[1:] != codes[:-1]) | (start[1:] - until[:-1] >= self.gap)
        places = np.flatnonzero(begins)
        numbers = np.empty(len(start), np.int64)
        numbers[order] = np.cumsum(begins) - 1
        ends = np.append(places[1:], len(start)) - 1
        return Groups(numbers, len(places)), start[places], until[ends]


def _by_key_and_time(keys: Groups, times: Integers) -> Integers:
    earliest = int(times.min())
    spread = int(times.max()) - earliest + 1
    if keys.count * spread < 1 << 62:
        return np.argsort(keys.codes * spread + (times - earliest))
    return np.lexsort((times, keys.codes))


def _latest(codes: Integers, last: Integers) -> Integers:
    """The greatest ``last`` so far among the rows of the same code, which lie side by side."""
    earliest = int(last.min())
    spread = int(last.max()) - earliest + 1
    if (int(codes[-1]) + 1) * spread < 1 << 62:
        base = codes * spread
        return np.maximum.accumulate(base + (last - earliest)) - base + earliest
    ranks = np.unique(last, return_inverse=True)
    base = codes * len(ranks[0])
    return ranks[0][np.maximum.accumulate(base + ranks[1]) - base]
