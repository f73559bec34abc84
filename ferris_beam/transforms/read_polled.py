"""Reading a source to which units are added for ever, lane by lane."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from typing import Any

import apache_beam as beam
from apache_beam.io.watermark_estimators import ManualWatermarkEstimator
from apache_beam.utils.timestamp import Duration

from ferris_beam.connector import Split
from ferris_beam.errors import TransientError
from ferris_beam.interval import Interval
from ferris_beam.transforms.context import Run
from ferris_beam.transforms.operator import recorded
from ferris_beam.transforms.polled import Lane, PolledSource, polled_source
from ferris_beam.transforms.progress import SinkProgress
from ferris_beam.transforms.reading import Reading
from ferris_beam.transforms.split import narrowed
from ferris_beam.transforms.stopping import rest, wait_for_rest
from ferris_beam.transforms.tracker import SplitRestrictions

PAUSE_SECONDS = 0.2
"""How long a lane without news is left alone."""

ACKNOWLEDGE_SECONDS = 1.0
"""How often a source that waits for it is told what all sinks hold of a unit."""

PATIENT_SECONDS = 10.0
"""How long a lane that is alone waits inside of its turn for news: FnApiRunner comes back at once,
and keeps some memory of every bundle. Sinks that gather commits look at the clock between turns."""

TURN_SECONDS = 0.25
"""After so long a lane leaves the turn to the others of its bundle, so that sinks commit what was
read; a split that ends is read to its end first."""

_RESTRICTIONS = SplitRestrictions()
_WATERMARKS = ManualWatermarkEstimator.default_provider()


class PolledReadDoFn(Reading):
    """Element: a lane; restriction: the chunks that it gave so far.

    The watermark stays where time begins, since units that are still to come may be older.
    """

    source_here: PolledSource | None = None

    @beam.DoFn.unbounded_per_element()
    def process(
        self,
        element: Split,
        tracker: Any = beam.DoFn.RestrictionParam(_RESTRICTIONS),
        watermark: Any = beam.DoFn.WatermarkEstimatorParam(_WATERMARKS),
    ) -> Iterator[Any]:
        assert isinstance(self.run, Run)
        run, name = self.run.identity.run, f"{self.label} {element.interval.unit}"
        number, _, count = element.interval.unit.removeprefix("lane ").partition(" of ")
        with recorded(run):
            polled = self._polled(int(count))
            lane = polled.lane(int(number))
            with lane.lock:
                wait_for_rest(run, name)
                before = tracker.current_restriction().start
                patient = time.monotonic() + (self._patience(count == "1"))
                while not self.is_stopping():
                    polled.resume(lane, before)
                    polled.poll()
                    yield from self._turn(lane, tracker)
                    if lane.position != before or time.monotonic() >= patient:
                        break
                    rest(run, name, PAUSE_SECONDS)
                    wait_for_rest(run, name)
                if lane.position == before:
                    rest(run, name, PAUSE_SECONDS)
                    tracker.defer_remainder(Duration(PAUSE_SECONDS))
                else:
                    tracker.defer_remainder()

    def start_bundle(self) -> None:
        self.refuse_if_stopping()

    def setup(self) -> None:
        super().setup()
        assert isinstance(self.run, Run)
        self.unopened = deepcopy(self.reader)
        self.progress = SinkProgress(self.run, self.label, self.reader.earliest)
        self.acknowledged: dict[str, float] = {}

    def teardown(self) -> None:
        super().teardown()
        self.source_here = None
        self.progress.close()

    def _patience(self, alone: bool) -> float:
        """Seconds to wait inside of a turn: none where other work waits for the end of it."""
        assert isinstance(self.run, Run)
        endless = [source for source in self.run.sources if not source.bounded]
        return PATIENT_SECONDS if alone and len(endless) == 1 else 0.0

    def _polled(self, lanes: int) -> PolledSource:
        assert isinstance(self.run, Run)
        if self.source_here is None:
            self.source_here = polled_source(self.run, self.label, self.unopened, lanes)
        return self.source_here

    def _turn(self, lane: Lane, tracker: Any) -> Iterator[Any]:
        """Each split that waits at most once, until the turn is over."""
        until = time.monotonic() + TURN_SECONDS
        for _ in range(len(lane.waiting)):
            left: list[Split] = []
            yield from self._read(lane.waiting.popleft(), lane, tracker, until, left)
            lane.waiting.extend(left)
            if self.is_stopping() or time.monotonic() > until:
                return

    def _read(
        self, split: Split, lane: Lane, tracker: Any, until: float, left: list[Split]
    ) -> Iterator[Any]:
        """The outputs of a split; ``left`` gets what is to be read of it in later turns."""
        assert lane.position is not None
        interval = split.interval
        position = interval.start
        for chunk in self.chunks(split):
            if not tracker.try_claim((lane.position, lane.position + 1)):
                break  # the runner has taken the rest of the turn away
            lane.position += 1
            yield from self.outputs(split, position, chunk)
            position = chunk.end
            if chunk.final or position == interval.end:
                return
            if self.is_stopping() or (interval.end is None and time.monotonic() > until):
                break
        else:
            if interval.end is not None:
                raise self.ended_early(split, position)
            self.note_backlog(split, position)
        self._acknowledge(split)
        left.append(narrowed(split, Interval(interval.unit, position, interval.end)))

    def _acknowledge(self, split: Split) -> None:
        """Tells the source what all sinks hold of a unit, where it is time to."""
        unit, now = split.interval.unit, time.monotonic()
        if not self.reader.confirms or not self.opened:
            return
        if now - self.acknowledged.setdefault(unit, now) < ACKNOWLEDGE_SECONDS:
            return
        self.acknowledged[unit] = now
        with suppress(TransientError):
            reached = self.progress.reached(unit)
            if reached is not None:
                self.reader.acknowledge(split, reached)
