"""TUMBLE and HOP by the calendar: months and years, and days and hours of a time zone.

Borders lie on a grid of local time: every so many months since January 2000, or every so many
microseconds. An hour that a zone repeats has two of each border, an hour that it leaves out has
none (what would begin in it begins behind it). Whole days begin once, at the first of two
midnights. TUMBLE's windows end where the next begins; HOP's end after their size, of days and
months by the calendar.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.sql.aggregation.arrays import Integers, memory_of
from ferris_beam.sql.nodes import Duration

HOUR = 3_600_000_000
DAY = 24 * HOUR
_NONE = Duration()
_ORIGIN = 12 * 30
"""January 2000, in months since 1970: where months are counted from (as DuckDB does)."""


@dataclass(frozen=True)
class CalendarWindows:
    """``[start, end)`` for each ``start`` on the grid of ``slide`` and ``offset`` in ``zone``."""

    size: Duration
    slide: Duration
    offset: Duration = _NONE
    zone: str = "UTC"

    panes_are_windows = True

    def assign(self, times: Integers) -> tuple[Integers | None, Integers]:
        """Each row once for each of its windows (None: all rows once), and the windows' numbers,
        which are their starts."""
        if self.size == self.slide:
            return None, self._latest(times)
        number = self._number(self._local(times))
        rows: list[Integers] = []
        starts: list[Integers] = []
        for back in range(-1, self._overlapping):
            for start in self._starts(number - back):
                inside = np.flatnonzero((start <= times) & (times < self.ends(start)))
                rows.append(inside)
                starts.append(start[inside])
        return _once(np.concatenate(rows), np.concatenate(starts))

    def starts(self, numbers: Integers) -> Integers:
        return numbers

    def numbers(self, starts: Integers) -> Integers:
        return starts

    def windows(self, panes: Integers) -> tuple[Integers | None, Integers]:
        return None, panes

    def ends(self, starts: Integers) -> Integers:
        distinct, places = np.unique(starts, return_inverse=True)
        return self._ends(distinct)[places]

    def _ends(self, starts: Integers) -> Integers:
        if self.size == self.slide:
            return self._next(starts)
        if not self.size.months and self.size.micros < DAY:
            return starts + self.size.micros
        local = _plus_months(self._local(starts), self.size.months) + self.size.micros
        return self._instants(local, "earliest")

    @property
    def _repeats(self) -> bool:
        """Whether a repeated hour has borders of its own."""
        return not self.slide.months and self.slide.micros < DAY

    @property
    def _overlapping(self) -> int:
        """No more windows begin before a time and hold it."""
        longest = self.size.months * 31 * DAY + self.size.micros + DAY
        shortest = self.slide.months * 28 * DAY + self.slide.micros
        return -(-longest // shortest) + 1

    def _latest(self, times: Integers) -> Integers:
        """The last border that isn't behind a time."""
        first, *second = self._starts(self._number(self._local(times)))
        return np.where(second[0] <= times, second[0], first) if second else first

    def _next(self, starts: Integers) -> Integers:
        """The first border behind each of ``starts``."""
        number = self._number(self._local(starts))
        found = np.full(len(starts), np.iinfo(np.int64).max)
        back = -(-HOUR // self.slide.micros) if self._repeats else 0
        for step in range(-back, 2):
            for start in self._starts(number + step):
                found = np.where((start > starts) & (start < found), start, found)
        return found

    def _starts(self, number: Integers) -> list[Integers]:
        """The instants of grid lines: the first one, and the second if an hour is repeated."""
        if self.slide.months:
            months = number * self.slide.months + self.offset.months + _ORIGIN
            local = months.astype("M8[M]").astype("M8[us]").astype(np.int64) + self.offset.micros
        else:
            local = number * self.slide.micros + self.offset.micros
        which = ("earliest", "latest") if self._repeats else ("earliest",)
        return [self._instants(local, each) for each in which]

    def _number(self, local: Integers) -> Integers:
        """The number of the grid line in front of each local time."""
        since = local - self.offset.micros
        if not self.slide.months:
            return since // self.slide.micros
        months = since.astype("M8[us]").astype("M8[M]").astype(np.int64)
        return (months - _ORIGIN - self.offset.months) // self.slide.months

    def _local(self, times: Integers) -> Integers:
        if self.zone == "UTC":
            return times
        zoned = pa.array(times).view(pa.timestamp("us", self.zone))
        return memory_of(pc.local_timestamp(zoned), np.int64)

    def _instants(self, local: Integers, ambiguous: str) -> Integers:
        """Of local times; where the clock jumps over one, the instant of that."""
        if self.zone == "UTC":
            return local
        wall = pa.array(local).view(pa.timestamp("us"))
        zoned = pc.assume_timezone(wall, self.zone, ambiguous=ambiguous, nonexistent="latest")
        return memory_of(zoned, np.int64)


def _once(rows: Integers, starts: Integers) -> tuple[Integers, Integers]:
    """Where an hour is left out, two lines of the grid are one instant."""
    order = np.lexsort((starts, rows))
    rows, starts = rows[order], starts[order]
    differs = np.ones(len(rows), np.bool_)
    differs[1:] = (rows[1:] != rows[:-1]) | (starts[1:] != starts[:-1])
    return rows[differs], starts[differs]


def _plus_months(local: Integers, months: int) -> Integers:
    """The same day of a later month, or its last."""
    if not months:
        return local
    times = local.astype("M8[us]")
    first = times.astype("M8[M]")
    later = first + np.timedelta64(months, "M")
    within = (times - first.astype("M8[us]")).astype(np.int64)
    length = (later + np.timedelta64(1, "M")).astype("M8[D]") - later.astype("M8[D]")
    days = np.minimum(within // DAY, length.astype(np.int64) - 1)
    return later.astype("M8[us]").astype(np.int64) + days * DAY + within % DAY
