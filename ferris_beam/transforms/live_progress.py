"""What a partition of a stage over endless input knows of its input and its results.

Positions of a partition's results are event times: a *tick* is the interval from the time up to
which results went out before to the time of this one. Both ends are borders of windows, so they
are the same when the input is read again, whatever its batches look like then; where late rows made
the difference, results are cut at the borders that ledgers have already.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ferris_beam.interval import Interval, IntervalSet
from ferris_beam.ledger import LedgerState, Path
from ferris_beam.transforms.context import Run
from ferris_beam.transforms.event_time import EARLIEST, LATEST
from ferris_beam.transforms.graph import LiveStage
from ferris_beam.transforms.live_marks import Needs

BEGINNING = -(1 << 63)
"""The event time before all others, at position 0."""
MILLISECOND = 1_000


def position_of(time: int) -> int:
    """The position of an event time, in microseconds since 1970."""
    return time - BEGINNING


def time_of(position: int) -> int:
    return position + BEGINNING


@dataclass
class UnitProgress:
    """What came of one unit by one path. ``began`` is where the run reads it from, ``marks`` are
    the reader's at the ends of batches, and ``waiting`` the smallest position of rows that the
    state still holds, by the greatest event time that came with them; ``letters`` is that of rows
    that were too late and didn't go out yet."""

    began: int
    identity: str = ""
    received: IntervalSet = field(default_factory=IntervalSet)
    marks: dict[int, str] = field(default_factory=dict)
    waiting: dict[int, int] = field(default_factory=dict)
    letters: int | None = None

    def take(self, interval: Interval, mark: str, last: int | None) -> None:
        """An interval came; rows of it up to the event time ``last`` are in the state."""
        self.received.add(interval)
        if mark:
            self.marks[interval.closed_end] = mark
        if last is not None:
            self.waiting[last] = min(interval.start, self.waiting.get(last, interval.start))

    def keep_letters(self, start: int) -> None:
        self.letters = start if self.letters is None else min(start, self.letters)

    def settle(self, unit: str, first: int | None, letters: bool) -> None:
        """Results went out; what is left in the state happened at ``first`` or later, and
        ``letters`` says whether late rows are left."""
        if not letters:
            self.letters = None
        self.waiting = {
            last: start
            for last, start in self.waiting.items()
            if first is not None and last >= first
        }
        needed = self.needed(unit)
        self.marks = {end: mark for end, mark in self.marks.items() if end >= needed}

    def needed(self, unit: str) -> int:
        """The position from which on the unit must be read again."""
        reached = self.received.missing(Interval(unit, self.began, None))[0].start
        letters = () if self.letters is None else (self.letters,)
        return min((reached, *self.waiting.values(), *letters))


@dataclass
class PartitionProgress:
    """``closed``: the time up to which results went out; ``pending``: the times at which some are
    due, in order; ``borders``: the ends of ticks that some sink holds already; ``batches`` and
    ``letters``: how many states and how many batches of late rows are stored."""

    closed: int = BEGINNING
    borders: list[int] = field(default_factory=list)
    pending: list[int] = field(default_factory=list)
    units: dict[tuple[Path, str], UnitProgress] = field(default_factory=dict)
    batches: int = 0
    letters: int = 0

    @classmethod
    def resumed(cls, ends: Iterable[int]) -> PartitionProgress:
        """``ends``: the positions up to which each path of each sink holds the ticks. What was
        read again goes out again, and sinks mask it: so the same rows are late as before."""
        return cls(borders=sorted({time_of(end) for end in ends if end}))

    def expect(self, times: Iterable[int]) -> None:
        """Results are due at ``times``."""
        for time in times:
            at = bisect_right(self.pending, time)
            if time > self.closed and (not at or self.pending[at - 1] != time):
                insort(self.pending, time)

    def unit(self, path: Path, unit: str, identity: str, began: int, mark: str) -> UnitProgress:
        """What came of a unit, which this run reads from ``began`` on, with the reader's mark."""
        found = self.units.get((path, unit))
        if found is None:
            marks = {began: mark} if mark else {}
            found = self.units[path, unit] = UnitProgress(began, identity, marks=marks)
        return found

    def due(self, watermark: int, lateness: int) -> list[int]:
        """The times of the results that can go out, in order, with the borders in between."""
        times = [time for time in self.pending if timer_at(time, lateness) <= watermark]
        if not times:
            return []
        between = [border for border in self.borders if self.closed < border < times[-1]]
        return sorted({*between, times[-1]})

    def close(self, time: int, first: int | None, *, letters: bool = False) -> None:
        """Results up to ``time`` went out; what is left in the state is at ``first`` or later, and
        ``letters`` says whether late rows are left."""
        self.closed = time
        self.pending = self.pending[bisect_right(self.pending, time) :]
        self.borders = [border for border in self.borders if border > time]
        for (_, unit), progress in self.units.items():
            progress.settle(unit, first, letters)

    def needs(self, paths: Iterable[Path]) -> Needs:
        """What must be read again to get what isn't in results yet. ``paths`` are all by which
        batches come: a unit that hasn't come by one of them must be read from its start."""
        found: dict[str, dict[str, tuple[int, str, str]]] = {}
        every = list(paths)
        for label, unit in sorted({(path[0], unit) for path, unit in self.units}):
            ways = [self.units.get((path, unit)) for path in every if path[0] == label]
            if ways and None not in ways:
                found.setdefault(label, {})[unit] = _least(unit, ways)
        return found


def _least(unit: str, ways: list[UnitProgress | None]) -> tuple[int, str, str]:
    known = [way for way in ways if way is not None]
    position = min(way.needed(unit) for way in known)
    marks = [way.marks[position] for way in known if position in way.marks]
    return position, marks[0] if marks else "", known[0].identity


def timer_at(time: int, lateness: int) -> int:
    """The watermark at which results up to ``time`` go out. Runners know milliseconds only, and
    cut off what is behind them: so the next whole one."""
    due = -(-(time + lateness) // MILLISECOND) * MILLISECOND
    return min(max(due, EARLIEST), LATEST)


def held_ends(
    run: Run, stage: LiveStage, partition: int, ledgers: Mapping[str, LedgerState]
) -> Iterator[int]:
    """Up to which position each path of each sink holds the ticks of a partition; 0: nothing."""
    for sink, paths in run.sinks_of(stage.label):
        for path in paths or ():
            done = ledgers[sink.label].committed.get(path)
            yield (done.end_of(stage.unit(partition)) if done is not None else None) or 0
