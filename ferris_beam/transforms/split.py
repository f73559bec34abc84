"""The first step of every Read: what there is to read, minus what all its sinks hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from zlib import crc32

import apache_beam as beam

from ferris_beam.connector import ENDED, Reader, Split
from ferris_beam.errors import SourceChangedError
from ferris_beam.interval import Interval, IntervalSet
from ferris_beam.ledger import LedgerState, refuse_changed
from ferris_beam.reliability import retrying
from ferris_beam.transforms.claims import Claims, claim
from ferris_beam.transforms.context import PipelineContext, Run
from ferris_beam.transforms.live_marks import Needed, needed_by_stages
from ferris_beam.transforms.meter import Meter
from ferris_beam.transforms.operator import recorded
from ferris_beam.transforms.progress import resumed_from

PIECE_BYTES = 16 << 20
"""What one piece of a divisible split aims at: small enough to spread, large enough to be cheap."""


LANES = 8
"""How many tasks share a source that is polled, on a runner that has several workers for it."""


class SplitDoFn(beam.DoFn):
    """Emits the pieces that are still to be read; with ``whole`` one list of all splits, in order;
    of a source that is polled only the lanes in which it will be read.

    Skipping here is an optimisation: a runner that restores a job without this step repeats
    intervals, and the sinks mask them.
    """

    label = ""

    def __init__(
        self,
        context: PipelineContext,
        reader: Reader,
        connector: str,
        whole: int | None,
        lanes: int = 1,
    ) -> None:
        self.run: PipelineContext | Run = context
        self.reader = reader
        self.connector = connector
        self.whole = whole
        self.lanes = lanes

    def process(self, _: bytes) -> Iterator[Any]:
        run = self.run
        assert isinstance(run, Run)
        with recorded(run.identity.run):
            claims = claim(run)
            if claims.written:
                return
            if self.reader.poll_seconds:
                yield from lanes(self.lanes)
                return
            splits = self._splits(claims)
            if not run.policy.continue_changed:
                self._refuse_gaps(claims, splits)
            if self.whole is not None:
                yield splits
                return
            meter = Meter(run.identity.run, self.connector)
            for split in splits:
                for missing in self._missing(run, claims, split):
                    part = resumed_from(
                        run,
                        self.label,
                        claims.ledgers,
                        narrowed(split, missing),
                        self.reader.earliest,
                    )
                    meter.expect(part.size or 0)
                    yield from pieces(part)

    def _splits(self, claims: Claims) -> Sequence[Split]:
        known = known_units(claims.ledgers)

        def listed() -> Sequence[Split]:
            try:
                self.reader.open()
                return list(self.reader.splits(known))
            finally:
                self.reader.close()

        return retrying(listed)

    def _refuse_gaps(self, claims: Claims, splits: Sequence[Split]) -> None:
        """Refuses to go on where a unit is gone of which a part is committed: the rest of it may
        be missing then, or be read a second time under another name."""
        listed = {split.interval.unit for split in splits}
        for state in claims.ledgers.values():
            for path, done in state.committed.items():
                gone = sorted(set(done.units()) - listed) if path[0] == self.label else []
                if gone:
                    raise SourceChangedError(
                        f"{gone[0]} is no longer there, but rows of it are committed, and this "
                        "run was not finished: were they all, or was it moved? Put it back, or "
                        "say --continue to go on without it, or --reset to start from zero"
                    )

    def _missing(self, run: Run, claims: Claims, split: Split) -> list[Interval]:
        return missing_of(run, self.label, claims.ledgers, split)


def known_units(ledgers: Mapping[str, LedgerState]) -> dict[str, str]:
    """The units that ledgers know, with their fingerprints."""
    return {unit: found for state in ledgers.values() for unit, found in state.identities.items()}


def missing_of(
    run: Run, label: str, ledgers: Mapping[str, LedgerState], split: Split
) -> list[Interval]:
    """What at least one sink of the Read ``label`` still needs of a split, in order."""
    if label in run.held or feeds_unfinished(run, label, ledgers):
        return [split.interval]
    needed = IntervalSet()
    starts: list[int] = []
    sinks = list(run.sinks_of(label))
    live = list(needed_by_stages(run, label, split.interval.unit, ledgers.__getitem__))
    if not sinks and not live and not any(run.stages_of(label)):
        return [split.interval]
    if None in live or (live and split.interval.end is not None):
        return [split.interval]
    starts += _starts_of(split, live)
    for sink, paths in sinks:
        if paths is None:
            return [split.interval]
        state = ledgers[sink.label]
        state.check_unit(split.interval.unit, split.identity)
        for path in paths:
            for interval in state.missing(path, split.interval):
                if interval.end is None:
                    starts.append(interval.start)
                else:
                    needed.add(interval)
    if split.interval.end is not None:
        return list(needed)
    return _from_first(split.interval, [*starts, *(interval.start for interval in needed)])


def _starts_of(split: Split, stages: Sequence[Needed | None]) -> Iterator[int]:
    """From where on stages over endless input need a split."""
    for needed in stages:
        if needed is not None:
            refuse_changed(split.interval.unit, needed.identity, split.identity)
            yield max(needed.position, split.interval.start)


def feeds_unfinished(run: Run, label: str, ledgers: Mapping[str, LedgerState]) -> bool:
    """Whether a sink misses results of a stage that is fed by the Read ``label``, or nobody knows
    what of them is missing: they can only be made of all its rows."""
    if not all(run.is_watched(stage) for stage in run.stages_of(label)):
        return True
    return any(
        ledgers[sink.label].missing(path, stage.interval)
        for stage in run.stages_of(label)
        for sink, paths in run.sinks_of(stage.label)
        for path in paths or ()
    )


def _from_first(endless: Interval, starts: Sequence[int]) -> list[Interval]:
    """An endless unit is read from the first position that any sink misses; not at all where all
    know that it has ended."""
    first = min(starts, default=ENDED)
    return [replace(endless, start=first)] if first < ENDED else []


def lanes(count: int) -> Iterator[Split]:
    """The tasks in which a source is polled: endless, their positions count chunks."""
    for number in range(count):
        lane = Interval(f"lane {number} of {count}", 0, None)
        yield Split(lane, divisible=False, ordered=True)


def lane_of(split: Split, count: int) -> int:
    """Which lane reads a split: in every process the same. An ordered unit stays in one."""
    interval = split.interval
    key = interval.unit if split.ordered else f"{interval.unit} {interval.start}"
    return crc32(key.encode("utf-8", "surrogatepass")) % count


def narrowed(split: Split, interval: Interval) -> Split:
    """``split`` with another interval, and its size in proportion."""
    if interval == split.interval:
        return split
    size = split.size
    if size is not None and split.interval.end is not None:
        whole = split.interval.end - split.interval.start
        size = round(size * (interval.closed_end - interval.start) / whole)
    return replace(split, interval=interval, size=size)


def pieces(split: Split) -> Iterator[Split]:
    """Cuts a divisible split at multiples of its grain into pieces of about `PIECE_BYTES`."""
    count = round((split.size or 0) / PIECE_BYTES)
    interval = split.interval
    if not split.divisible or split.ordered or interval.end is None or count < 2:
        yield split
        return
    grain = split.grain
    step = max(1, -(-(interval.end - interval.start) // count) // grain) * grain
    start = interval.start
    while start < interval.end:
        end = min((start // grain) * grain + step, interval.end)
        yield narrowed(split, Interval(interval.unit, start, end))
        start = end
