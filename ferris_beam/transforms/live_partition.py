"""One partition of a stage over endless input: takes batches, and puts out results in time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from ferris_beam.ledger import Path
from ferris_beam.transforms.live_marks import to_mark
from ferris_beam.transforms.live_message import Header
from ferris_beam.transforms.live_progress import PartitionProgress, position_of, timer_at
from ferris_beam.transforms.live_stage import LiveWork

MERGED_AT = 64
"""So many states are merged into one."""
SECOND = 1_000_000
LETTERS_AFTER = SECOND
"""Rows that came too late go out with a tick of their own, so many microseconds behind the last."""


class Store(Protocol):
    """Batches that a runner keeps for a partition."""

    def read(self) -> Iterable[pa.RecordBatch]: ...
    def add(self, records: pa.RecordBatch) -> None: ...
    def clear(self) -> None: ...


@dataclass(frozen=True)
class Tick:
    """Results of the positions from ``start`` to ``end``; what a restart must know behind it."""

    start: int
    end: int
    results: pa.RecordBatch
    late: Sequence[pa.RecordBatch]
    mark: str


@dataclass
class Partition:
    """``paths`` are all by which batches come to the stage."""

    work: LiveWork
    progress: PartitionProgress
    states: Store
    letters: Store
    paths: Iterable[Path]

    def take(self, header: Header, state: pa.RecordBatch, late: pa.RecordBatch) -> int:
        """A batch; returns how many of its rows are too late."""
        progress, work = self.progress, self.work
        progress.expect(header.times)
        taken = [state] if state.num_rows else []
        dropped = 0
        if late.num_rows:
            is_open = pa.array(work.times_of(late, header.seed) > progress.closed)
            in_time = late.filter(is_open)
            if in_time.num_rows:
                found, times = work.state_of(in_time, header.seed)
                progress.expect(times)
                taken.append(found)
            dropped = late.num_rows - in_time.num_rows
        for each in taken:
            self._keep(each)
        keeps = bool(dropped) and work.keeps_late
        if keeps:
            self.letters.add(late.filter(pa.compute.invert(is_open)))
            progress.letters += 1
            progress.expect([progress.closed + LETTERS_AFTER])
        self._note(header, taken, keeps)
        return dropped

    def _keep(self, state: pa.RecordBatch) -> None:
        self.states.add(state)
        self.progress.batches += 1
        if self.progress.batches >= MERGED_AT:
            merged = self.work.merge(list(self.states.read()))
            self._replace(merged)

    def _replace(self, state: pa.RecordBatch) -> None:
        self.states.clear()
        self.progress.batches = 0
        if state.num_rows:
            self.states.add(state)
            self.progress.batches = 1

    def _note(self, header: Header, taken: Sequence[pa.RecordBatch], keeps: bool) -> None:
        origin = header.origin
        if origin is None:
            return
        unit, start = origin.interval.unit, origin.interval.start
        began, mark = origin.began or (start, "")
        spans = [span for span in map(self.work.span, taken) if span is not None]
        last = max((-(-span[1] // SECOND) * SECOND for span in spans), default=None)
        way = self.progress.unit(origin.path, unit, origin.identity, began, mark)
        way.take(origin.interval, origin.mark, last)
        if keeps:
            way.keep_letters(origin.interval.start)

    def next_timer(self) -> int | None:
        """The watermark at which results are due next."""
        pending = self.progress.pending
        return timer_at(pending[0], self.work.lateness) if pending else None

    def fire(self, watermark: int) -> Iterator[Tick]:
        """The results that are due now, one tick after the other."""
        progress, work = self.progress, self.work
        times = progress.due(watermark, work.lateness)
        if not times:
            return
        state = work.merge(list(self.states.read()))
        late = list(self.letters.read()) if progress.letters else []
        for time in times:
            after, last = progress.closed, time == times[-1]
            results = work.due(state, after, time)
            rest = work.rest(state, time)
            span = work.span(rest)
            progress.close(time, None if span is None else span[0], letters=not last)
            if last:
                self._replace(rest)
                self.letters.clear()
                progress.letters = 0
            mark = to_mark(progress.needs(self.paths))
            start, end = position_of(after), position_of(time)
            yield Tick(start, end, results, late if last else (), mark)
