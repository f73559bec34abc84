"""Reading units that never end, all of which are there from the start."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import apache_beam as beam
from apache_beam.io.watermark_estimators import ManualWatermarkEstimator
from apache_beam.utils.timestamp import Duration, Timestamp

from ferris_beam.connector import Chunk, Split
from ferris_beam.errors import TransientError
from ferris_beam.interval import Interval
from ferris_beam.reliability import AT_WORK, retrying
from ferris_beam.transforms.context import Run
from ferris_beam.transforms.operator import recorded
from ferris_beam.transforms.progress import SinkProgress
from ferris_beam.transforms.read_polled import PAUSE_SECONDS
from ferris_beam.transforms.reading import Reading
from ferris_beam.transforms.stopping import rest, wait_for_rest
from ferris_beam.transforms.tracker import Restriction, SplitRestrictions

ACKNOWLEDGE_SECONDS = 1.0
"""How often a source that waits for it is told what all sinks hold."""

_RESTRICTIONS = SplitRestrictions()
_WATERMARKS = ManualWatermarkEstimator.default_provider()


class EndlessReadDoFn(Reading):
    """Element a `Split` without end, restriction its positions from the next one on."""

    def setup(self) -> None:
        super().setup()
        assert isinstance(self.run, Run)
        self.progress = SinkProgress(self.run, self.label, self.reader.earliest)
        self.acknowledged: dict[str, float] = {}
        self.read: dict[str, Split] = {}

    def start_bundle(self) -> None:
        self.refuse_if_stopping()

    def teardown(self) -> None:
        super().teardown()
        self.progress.close()

    @beam.DoFn.unbounded_per_element()
    def process(
        self,
        split: Split,
        tracker: Any = beam.DoFn.RestrictionParam(_RESTRICTIONS),
        watermark: Any = beam.DoFn.WatermarkEstimatorParam(_WATERMARKS),
    ) -> Iterator[Any]:
        assert isinstance(self.run, Run)
        run, name = self.run.identity.run, f"{self.label} {split.interval.unit}"
        with recorded(run):
            restriction: Restriction = tracker.current_restriction()
            if restriction.empty:
                return
            wait_for_rest(run, name)
            position = restriction.start
            if self.event_time is not None:
                self.began = split.interval.start, split.mark
            interval = Interval(split.interval.unit, position, restriction.end)
            split = self._resumed(replace(split, interval=interval))
            for read in self.chunks(split):
                chunk = self._timed(read, watermark)
                if not tracker.try_claim((position, chunk.end)):
                    return
                yield from self.outputs(split, position, chunk)
                position = chunk.end
                self._read_up_to(split, chunk)
                self._acknowledge(split)
                if chunk.watermark is not None:
                    watermark.set_watermark(Timestamp(micros=chunk.watermark))
                if chunk.final:
                    tracker.try_claim((position, None))
                    return
                if self.is_stopping():
                    break
            self._acknowledge(split)
            self.note_backlog(split, position)
            rest(run, name, PAUSE_SECONDS)
            tracker.defer_remainder(Duration(PAUSE_SECONDS))

    def _timed(self, chunk: Chunk, watermark: Any) -> Chunk:
        if self.event_time is None:
            return chunk
        reached = watermark.current_watermark()
        return self.event_time.timed(chunk, None if reached is None else reached.micros)

    def _resumed(self, split: Split) -> Split:
        """With mark and borders as this instance left them; else as ledgers have them: the runner
        may have brought the rest of the unit here from elsewhere."""
        left = self.read.get(split.interval.unit)
        if left is not None and left.interval.start == split.interval.start:
            return replace(split, mark=left.mark, borders=left.borders)
        if not self.reader.cuts:
            return split
        return retrying(lambda: self.progress.resumed(split), AT_WORK)

    def _read_up_to(self, split: Split, chunk: Chunk) -> None:
        unit = split.interval.unit
        borders = tuple(border for border in split.borders if border > chunk.end)
        left = Interval(unit, chunk.end, None)
        self.read[unit] = replace(split, interval=left, mark=chunk.mark, borders=borders)

    def _acknowledge(self, split: Split) -> None:
        """Tells the source what all sinks hold, where it is time to."""
        if not self.reader.confirms or not self.opened:
            return
        unit, now = split.interval.unit, time.monotonic()
        if now - self.acknowledged.setdefault(unit, now) < ACKNOWLEDGE_SECONDS:
            return
        self.acknowledged[unit] = now
        with suppress(TransientError):
            reached = self.progress.reached(unit)
            if reached is not None:
                self.reader.acknowledge(split, reached)
