"""What all DoFns that read have in common: warm readers, counted chunks, origins, rejected rows."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import Timestamp

from ferris_beam.batches import Batch
from ferris_beam.connector import Chunk, Reader, Residual, Split
from ferris_beam.errors import FatalError
from ferris_beam.interval import Interval, Origin
from ferris_beam.reliability import AT_WORK, retrying
from ferris_beam.reliability.dead_letters import DeadLetterFormat, strict_error
from ferris_beam.transforms.context import PipelineContext, Run
from ferris_beam.transforms.event_time import EventTime
from ferris_beam.transforms.meter import Meter
from ferris_beam.transforms.operator import REJECTS, Operator, rejected, stop_if_failed
from ferris_beam.transforms.stopping import is_stopping, refuse_if_stopping


class Reading(Operator):
    """Reads splits with a reader that stays open between bundles."""

    is_source = True
    event_time: EventTime | None = None
    """Where the event time of an endless source's rows stands."""
    began: tuple[int, str] | None = None
    """From where on this run reads the unit at hand, and the mark there: for endless stages."""

    def __init__(
        self,
        context: PipelineContext,
        reader: Reader,
        residual: Residual,
        connector: str,
        source: str,
        plan: str,
        strict: bool,
    ) -> None:
        self.run: PipelineContext | Run = context
        self.reader = reader
        self.residual = residual
        self.source = source
        self.plan = plan
        self.connector = connector
        self.strict = strict
        self.opened = False

    def description(self) -> str:
        return f"read {self.plan}" + (f" {self.event_time}" if self.event_time else "")

    def setup(self) -> None:
        assert isinstance(self.run, Run)
        identity = self.run.identity
        self.meter = Meter(identity.run, self.connector)
        self.letters = DeadLetterFormat(identity.name, self.label, self.connector, self.source)

    def teardown(self) -> None:
        self._close()

    def is_stopping(self) -> bool:
        assert isinstance(self.run, Run)
        return is_stopping(self.run.identity.run)

    def refuse_if_stopping(self) -> None:
        assert isinstance(self.run, Run)
        refuse_if_stopping(self.run.identity.run)

    def chunks(self, split: Split) -> Iterator[Chunk]:
        """The chunks of a split, timed, and stopped when another part of the run failed.

        After a `TransientError` the reader is opened anew and goes on behind the last chunk.
        """
        assert isinstance(self.run, Run)
        chunks: Iterator[Chunk] | None = None
        position, mark = split.interval.start, split.mark

        def following() -> Chunk | None:
            nonlocal chunks
            if chunks is None:
                self._open()
                rest = replace(split.interval, start=position)
                chunks = self.reader.read(replace(split, interval=rest, mark=mark))
            began = time.perf_counter_ns()
            try:
                return next(chunks, None)
            finally:
                self.meter.count("read_micros", (time.perf_counter_ns() - began) // 1000)

        def start_over() -> None:
            nonlocal chunks
            chunks = None
            self.meter.count("retries")
            self._close()

        while True:
            stop_if_failed(self.run.identity.run)
            chunk = retrying(following, AT_WORK, start_over)
            if chunk is None:
                return
            position, mark = chunk.end, chunk.mark
            yield chunk

    def _open(self) -> None:
        if not self.opened:
            self.reader.open()
            self.opened = True

    def _close(self) -> None:
        if self.opened:
            self.opened = False
            self.reader.close()

    def note_backlog(self, split: Split, position: int) -> None:
        backlog = self.reader.backlog(split, position)
        if backlog is not None:
            self.meter.gauge("backlog_bytes", backlog.nbytes)
            if backlog.seconds is not None:
                self.meter.gauge("backlog_seconds", round(backlog.seconds))

    def ended_early(self, split: Split, position: int) -> FatalError:
        return FatalError(
            f"the reader of {self.source} ended at position {position} of {split.interval}: "
            "it must cover its interval"
        )

    def outputs(self, split: Split, position: int, chunk: Chunk) -> Iterable[Any]:
        """The batch of a chunk and the batch of its rejected rows, with their origins."""
        interval = Interval(split.interval.unit, position, chunk.end)
        origin = Origin(
            self.path_of(None),
            interval,
            split.identity,
            split.ordered,
            mark=chunk.mark,
            began=self.began,
        )
        self.meter.count("rows_read", chunk.records.num_rows + len(chunk.rejects))
        self.meter.count("bytes_read", chunk.nbytes)
        self.meter.count("batches_read")
        self.meter.count("rows_rejected", len(chunk.rejects))
        self.meter.count("positions_lost", chunk.lost)
        if chunk.rejects and self.strict:
            raise strict_error(chunk.rejects[0], self.source)
        yield self._stamped(Batch(self._rest(chunk), origin), chunk)
        if not self.strict:
            letters = self.letters.of_rejects(interval.unit, chunk.rejects, chunk.records.schema)
            yield rejected(Batch(letters, replace(origin, path=self.path_of(REJECTS))))

    def _rest(self, chunk: Chunk) -> Any:
        records = chunk.records
        if self.residual.predicate is not None:
            records = records.filter(self.residual.predicate)
        if self.residual.columns is not None:
            records = records.select(list(self.residual.columns))
        return records

    @staticmethod
    def _stamped(batch: Batch, chunk: Chunk) -> Batch | TimestampedValue:
        if chunk.timestamp is None:
            return batch
        return TimestampedValue(batch, Timestamp(micros=chunk.timestamp))
