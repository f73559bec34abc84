"""The restriction of the one splittable DoFn: positions of a unit, claimed by whole chunks."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from apache_beam.io.iobase import RestrictionProgress, RestrictionTracker
from apache_beam.transforms.core import RestrictionProvider

from ferris_beam.connector import Split


@dataclass(frozen=True, slots=True)
class Restriction:
    """Positions from ``start`` to ``end`` (None: never ends) of a split; may be empty.

    A divisible restriction is split at multiples of ``grain``; any is split where it stands.
    """

    start: int
    end: int | None
    divisible: bool = True
    grain: int = 1

    @classmethod
    def of(cls, split: Split) -> Restriction:
        interval = split.interval
        divisible = split.divisible and not split.ordered and interval.end is not None
        return cls(interval.start, interval.end, divisible, split.grain)

    @property
    def empty(self) -> bool:
        return self.end is not None and self.end <= self.start


class IntervalTracker(RestrictionTracker):
    """Claims the span of a chunk as a whole, so that a batch is never cut by a split."""

    def __init__(self, restriction: Restriction) -> None:
        self._restriction = restriction
        self._reached = restriction.start
        self._ended = False

    def current_restriction(self) -> Restriction:
        return self._restriction

    def try_claim(self, span: tuple[int, int | None]) -> bool:
        """Claims the positions ``span[0]`` to ``span[1]``; False where they are no longer ours.

        An end of None claims all that an endless unit could ever have: it has ended.
        """
        start, end = span
        if end is None:
            self._ended = True
            return True
        if start != self._reached or end <= start:
            raise ValueError(f"claimed {span}, but the next position is {self._reached}")
        last = self._restriction.end
        if last is not None and start >= last:
            return False
        if last is not None and end > last:
            raise ValueError(f"the chunk {span} crosses the end of {self._restriction}")
        self._reached = end
        return True

    def try_split(self, fraction_of_remainder: float) -> tuple[Restriction, Restriction] | None:
        at = self._split_point(fraction_of_remainder)
        if at is None:
            return None
        primary = replace(self._restriction, end=at)
        residual = replace(self._restriction, start=at)
        self._restriction = primary
        return primary, residual

    def _split_point(self, fraction: float) -> int | None:
        """Where to split: here for a checkpoint, else at a multiple of the grain; None: nowhere.

        An ordered or endless unit is never split in the middle: its positions would be read, and
        so committed, out of order.
        """
        end = self._restriction.end
        if self._ended:
            return None
        if fraction == 0:
            return self._reached if end is None or self._reached < end else None
        if not self._restriction.divisible or end is None:
            return None
        grain = self._restriction.grain
        kept = max(1, math.ceil((end - self._reached) * fraction))
        at = -(-(self._reached + kept) // grain) * grain
        return at if at < end else None

    def current_progress(self) -> RestrictionProgress:
        done = self._reached - self._restriction.start
        if self._restriction.end is None:
            return RestrictionProgress(completed=done, remaining=1)
        return RestrictionProgress(completed=done, remaining=self._restriction.end - self._reached)

    def check_done(self) -> bool:
        end = self._restriction.end
        if not self._ended and (end is None or self._reached < end):
            raise ValueError(f"read only up to {self._reached} of {self._restriction}")
        return True

    def is_bounded(self) -> bool:
        return self._restriction.end is not None


class SplitRestrictions(RestrictionProvider):
    """The restrictions of `Split` elements. Splits are cut before the shuffle, not here."""

    def initial_restriction(self, element: Split) -> Restriction:
        return Restriction.of(element)

    def create_tracker(self, restriction: Restriction) -> IntervalTracker:
        return IntervalTracker(restriction)

    def restriction_size(self, element: Split, restriction: Restriction) -> float:
        """Bytes, in proportion; an endless unit counts as little, it is never waited for."""
        if restriction.end is None or element.interval.end is None:
            return 1
        whole = element.interval.end - element.interval.start
        share = (restriction.end - restriction.start) / whole
        return share * (element.size if element.size is not None else whole)

    def truncate(self, element: Split, restriction: Restriction) -> Any:
        return None if restriction.end is None else restriction
