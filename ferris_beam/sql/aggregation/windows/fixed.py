"""TUMBLE and HOP with windows of one length.

HOP aggregates panes, which are as long as the greatest common divisor of size and slide: each
window is made of whole ones, so a row is counted once and only the pane's state is merged into
all of its windows.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

import numpy as np

from ferris_beam.sql.aggregation.arrays import Integers


@dataclass(frozen=True)
class FixedWindows:
    """``[start, start + size)`` for each ``start`` that is ``offset`` and a multiple of ``slide``;
    all in microseconds. A slide longer than the size leaves times that are in no window."""

    size: int
    slide: int
    offset: int = 0

    @property
    def pane(self) -> int:
        return gcd(self.size, self.slide)

    @property
    def panes_are_windows(self) -> bool:
        """Whether each pane is one window of its own."""
        return self.size == self.slide

    def assign(self, times: Integers) -> tuple[Integers | None, Integers]:
        """The rows that are in a window (None: all), and the number of the pane of each."""
        shifted = times - self.offset if self.offset else times
        rows = None
        if self.slide > self.size:
            inside = shifted % self.slide < self.size
            rows, shifted = np.flatnonzero(inside), shifted[inside]
        return rows, shifted // self.pane  # rounded down, also before 1970

    def starts(self, numbers: Integers) -> Integers:
        """When panes begin."""
        return numbers * self.pane + self.offset

    def numbers(self, starts: Integers) -> Integers:
        """The number of the pane that begins at each of ``starts``."""
        return (starts - self.offset) // self.pane

    def windows(self, panes: Integers) -> tuple[Integers | None, Integers]:
        """For each window that a pane belongs to: the pane's place (None: each once, in order),
        and the window's start."""
        if self.panes_are_windows:
            return None, panes
        last = (panes - self.offset) // self.slide * self.slide + self.offset
        places, starts = [], []
        for back in range(-(-self.size // self.slide)):
            start = last - back * self.slide
            inside = np.flatnonzero(start + self.size > panes)
            places.append(inside)
            starts.append(start[inside])
        return np.concatenate(places), np.concatenate(starts)

    def ends(self, starts: Integers) -> Integers:
        return starts + self.size
