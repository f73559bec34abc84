"""Intervals of a unit, sets of them, and the origin that a batch carries.

A *unit* is what is read in order: a file, a topic partition, a replication slot. A *position* is an
unbounded integer on the unit's own scale (grid cell, row group and row, offset). An interval of
positions is one concept with three uses: the restriction of the splittable DoFn, the origin of a
batch, and what a ledger remembers.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from typing import Any


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """Positions ``start <= p < end`` of one unit; ``end`` None never ends."""

    unit: str
    start: int
    end: int | None

    def __post_init__(self) -> None:
        if self.end is not None and self.end <= self.start:
            raise ValueError(f"an interval holds at least one position, not {self}")

    @property
    def closed_end(self) -> int:
        """The end of an interval that is known to end (every batch's interval does)."""
        if self.end is None:
            raise ValueError(f"{self} never ends")
        return self.end

    def __str__(self) -> str:
        return f"{self.unit} [{self.start}, {'…' if self.end is None else self.end})"


class IntervalSet:
    """What of each unit is covered: disjoint intervals, neighbours coalesced.

    Adding is O(log n) when units are read in order. Not thread-safe.
    """

    __slots__ = ("_spans",)

    def __init__(self, intervals: Iterable[Interval] = ()) -> None:
        self._spans: dict[str, list[tuple[int, int]]] = {}
        for interval in intervals:
            self.add(interval)

    def add(self, interval: Interval) -> None:
        """Covers ``interval`` too; it must end."""
        start, end = interval.start, interval.closed_end
        spans = self._spans.setdefault(interval.unit, [])
        first = bisect_left(spans, start, key=lambda span: span[1])
        last = bisect_right(spans, end, key=lambda span: span[0])
        if first < last:
            start = min(start, spans[first][0])
            end = max(end, spans[last - 1][1])
        spans[first:last] = [(start, end)]

    def update(self, other: IntervalSet) -> None:
        for interval in other:
            self.add(interval)

    def missing(self, interval: Interval) -> list[Interval]:
        """The parts of ``interval`` that this set does not cover, in order."""
        found = []
        cursor = interval.start
        spans = self._spans.get(interval.unit, [])
        first = bisect_right(spans, cursor, key=lambda span: span[1])
        for start, end in islice(spans, first, None):
            if interval.end is not None and start >= interval.end:
                break
            if start > cursor:
                found.append(Interval(interval.unit, cursor, start))
            cursor = end
        if interval.end is None or cursor < interval.end:
            found.append(Interval(interval.unit, cursor, interval.end))
        return found

    def covers(self, interval: Interval) -> bool:
        spans = self._spans.get(interval.unit)
        if not spans or interval.end is None:
            return False
        at = bisect_right(spans, interval.start, key=lambda span: span[0]) - 1
        return at >= 0 and spans[at][1] >= interval.end

    def touches(self, interval: Interval) -> bool:
        """Whether any position of ``interval`` is covered."""
        return self.missing(interval) != [interval]

    def end_of(self, unit: str) -> int | None:
        """The highest covered position + 1, or None where nothing is covered."""
        spans = self._spans.get(unit)
        return spans[-1][1] if spans else None

    def units(self) -> Iterable[str]:
        return self._spans.keys()

    def forget(self, unit: str) -> None:
        self._spans.pop(unit, None)

    def copy(self) -> IntervalSet:
        twin = IntervalSet()
        twin._spans = {unit: list(spans) for unit, spans in self._spans.items()}
        return twin

    def to_json(self) -> dict[str, list[list[int]]]:
        return {unit: [list(span) for span in spans] for unit, spans in self._spans.items()}

    @classmethod
    def from_json(cls, value: Mapping[str, Iterable[Iterable[int]]]) -> IntervalSet:
        return cls(
            Interval(unit, start, end) for unit, spans in value.items() for start, end in spans
        )

    def __iter__(self) -> Iterator[Interval]:
        for unit, spans in self._spans.items():
            for start, end in spans:
                yield Interval(unit, start, end)

    def __bool__(self) -> bool:
        return any(self._spans.values())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, IntervalSet):
            return NotImplemented
        return set(self) == set(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"IntervalSet({', '.join(map(str, self))})"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a batch comes from, as it travels with it.

    ``path``: the labels of the Read and of every operator passed since; ``identity``: the
    fingerprint of the unit when it was read; ``ordered``: commits of the unit must follow one
    another; ``parts``: (i, n) for each time the interval's batch was exploded into n pieces;
    ``mark``: what the reader of an ordered unit must know to go on behind the interval; ``began``:
    from which position on this run reads the unit, and the mark there, where a stage that never
    ends asks for it.
    """

    path: tuple[str, ...]
    interval: Interval
    identity: str = ""
    ordered: bool = False
    parts: tuple[tuple[int, int], ...] = ()
    mark: str = ""
    began: tuple[int, str] | None = None

    def through(self, label: str) -> Origin:
        return replace(self, path=(*self.path, label))

    def part(self, index: int, count: int) -> Origin:
        return replace(self, parts=(*self.parts, (index, count))) if count > 1 else self

    @property
    def share(self) -> Fraction:
        """How much of the interval this batch is; the parts of a whole add up to 1."""
        share = Fraction(1)
        for _, count in self.parts:
            share /= count
        return share

    def to_json(self) -> list[Any]:
        interval = self.interval
        return [
            list(self.path),
            interval.unit,
            interval.start,
            interval.end,
            self.identity,
            self.ordered,
            [list(part) for part in self.parts],
            *self._rest(),
        ]

    def _rest(self) -> tuple[Any, ...]:
        if self.began is not None:
            return self.mark, list(self.began)
        return (self.mark,) if self.mark else ()

    @classmethod
    def from_json(cls, value: list[Any]) -> Origin:
        path, unit, start, end, identity, ordered, parts, *rest = value
        mark = rest[0] if rest else ""
        position, its_mark = rest[1] if len(rest) > 1 else (None, "")
        return cls(
            tuple(path),
            Interval(unit, start, end),
            identity,
            ordered,
            tuple((index, count) for index, count in parts),
            mark,
            None if position is None else (position, its_mark),
        )
