"""Read: any connector's Reader as a Beam source of batches, by one splittable DoFn."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import apache_beam as beam
import pyarrow.compute as pc
from apache_beam.io.watermark_estimators import ManualWatermarkEstimator
from apache_beam.pvalue import PBegin, PCollection
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import Duration, Timestamp

from ferris_beam.batches import Batch
from ferris_beam.connector import Chunk, Reader, Residual, Split
from ferris_beam.errors import FatalError
from ferris_beam.interval import Interval, Origin
from ferris_beam.options import Resolved
from ferris_beam.reliability.dead_letters import DeadLetterFormat, strict_error
from ferris_beam.transforms.context import PipelineContext, Run, Source
from ferris_beam.transforms.endpoint import Endpoint, plan_of, shown
from ferris_beam.transforms.meter import Meter
from ferris_beam.transforms.operator import (
    REJECTS,
    Operator,
    apply_operator,
    recorded,
    rejected,
    stop_if_failed,
)
from ferris_beam.transforms.rows import Rows
from ferris_beam.transforms.split import SplitDoFn
from ferris_beam.transforms.tracker import Restriction, SplitRestrictions

if TYPE_CHECKING:
    from ferris_beam.transforms.dead_letters import DeadLetters

POLL_SECONDS = 0.2
"""How long an endless unit without news is left alone before it is asked again."""

_RESTRICTIONS = SplitRestrictions()
_WATERMARKS = ManualWatermarkEstimator.default_provider()


class Read(beam.PTransform):
    """The batches of a source (`fb.read`, `create_source`).

    Output: PCollection[Batch], one batch for each interval; with ``rows=True`` dictionaries, and
    ``beam.Row`` where ``schema`` (a NamedTuple class or `pyarrow.Schema`) is given. Rows that can't
    be read go to ``dead_letters``; without it the first one stops the job.

    Unit of parallelism and delivery are the connector's: see ``python -m ferris_beam connectors``.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        columns: Sequence[str] | None = None,
        predicate: pc.Expression | None = None,
        limit: int | None = None,
        rows: bool = False,
        schema: Any = None,
        dead_letters: DeadLetters | None = None,
    ) -> None:
        super().__init__()
        self.endpoint = endpoint
        self.columns = columns
        self.predicate = predicate
        self.limit = limit
        self.rows = rows
        self.row_schema = schema
        self.dead_letters = dead_letters

    def default_label(self) -> str:
        return f"Read({self.endpoint.display})"

    def expand(self, begin: PBegin) -> PCollection:
        context = PipelineContext.of(begin.pipeline)
        resolved = self.endpoint.resolved()
        reader, residual = self._reader(resolved)
        connector, source = self.endpoint.connector.name, shown(resolved)
        plan = f"{plan_of(resolved)} {self.columns} {self.predicate!s} {self.limit}"
        strict = self.dead_letters is None
        arguments = (context, reader, residual, connector, source, plan, strict)
        split = SplitDoFn(context, reader, connector, whole=residual.limit)
        read: _Reading
        if residual.limit is not None:
            read = LimitedReadDoFn(*arguments)
        else:
            read = ReadDoFn(*arguments) if reader.bounded else EndlessReadDoFn(*arguments)
        splits = (
            begin
            | "Start" >> beam.Impulse()
            | "Split" >> beam.ParDo(split)
            | "Spread" >> beam.Reshuffle()
        )
        outputs = apply_operator(splits, read, "Read")
        split.label = read.label
        context.local_secrets += resolved.options.local_secrets
        context.sources.append(
            Source(read.label, connector, source, reader.replayable, reader.ordered)
        )
        context.steps.append(read)
        if self.dead_letters is not None:
            self.dead_letters.add(outputs.rejects)
        if self.rows:
            return outputs.main | "Rows" >> Rows(self.row_schema)
        return outputs.main

    def _reader(self, resolved: Resolved) -> tuple[Reader, Residual]:
        reader = self.endpoint.reader(resolved)
        return reader.pushdown(self.columns, self.predicate, self.limit)

    def schema(self) -> Any:
        """The source's `pyarrow.Schema`: discovered now, which touches the store."""
        reader, _ = self._reader(self.endpoint.resolved())
        reader.open()
        try:
            return reader.schema()
        finally:
            reader.close()


class _Reading(Operator):
    """What reading whole splits and reading up to a limit share."""

    is_source = True

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
        return f"read {self.plan}"

    def setup(self) -> None:
        assert isinstance(self.run, Run)
        identity = self.run.identity
        self.meter = Meter(identity.run, self.connector)
        self.letters = DeadLetterFormat(identity.name, self.label, self.connector, self.source)

    def teardown(self) -> None:
        if self.opened:
            self.reader.close()
            self.opened = False

    def chunks(self, split: Split) -> Iterator[Chunk]:
        """The chunks of a split, timed, and stopped when another part of the run failed."""
        assert isinstance(self.run, Run)
        if not self.opened:
            self.reader.open()
            self.opened = True
        chunks = self.reader.read(split)
        while True:
            stop_if_failed(self.run.identity.run)
            began = time.perf_counter_ns()
            chunk = next(chunks, None)
            self.meter.count("read_micros", (time.perf_counter_ns() - began) // 1000)
            if chunk is None:
                return
            yield chunk

    def outputs(self, split: Split, position: int, chunk: Chunk) -> Iterable[Any]:
        """The batch of a chunk and the batch of its rejected rows, with their origins."""
        interval = Interval(split.interval.unit, position, chunk.end)
        origin = Origin(self.path_of(None), interval, split.identity, split.ordered)
        self.meter.count("rows_read", chunk.records.num_rows + len(chunk.rejects))
        self.meter.count("bytes_read", chunk.nbytes)
        self.meter.count("batches_read")
        self.meter.count("rows_rejected", len(chunk.rejects))
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


class ReadDoFn(_Reading):
    """The one splittable DoFn: element a `Split`, restriction its positions."""

    def process(
        self,
        split: Split,
        tracker: Any = beam.DoFn.RestrictionParam(_RESTRICTIONS),
        watermark: Any = beam.DoFn.WatermarkEstimatorParam(_WATERMARKS),
    ) -> Iterator[Any]:
        assert isinstance(self.run, Run)
        with recorded(self.run.identity.run):
            restriction: Restriction = tracker.current_restriction()
            if restriction.empty:
                return
            position = restriction.start
            interval = Interval(split.interval.unit, position, restriction.end)
            part = replace(split, interval=interval)
            for chunk in self.chunks(part):
                if not tracker.try_claim((position, chunk.end)):
                    return
                yield from self.outputs(split, position, chunk)
                position = chunk.end
                if chunk.watermark is not None:
                    watermark.set_watermark(Timestamp(micros=chunk.watermark))
                if chunk.final:
                    tracker.try_claim((position, None))
                    return
            if restriction.end is None:
                self._note_backlog(split, position)
                tracker.defer_remainder(Duration(POLL_SECONDS))
            elif position < tracker.current_restriction().end:
                raise FatalError(
                    f"the reader of {self.source} ended at position {position} of {interval}: "
                    "it must cover its interval"
                )

    def _note_backlog(self, split: Split, position: int) -> None:
        backlog = self.reader.backlog(split, position)
        if backlog is not None:
            self.meter.gauge("backlog_bytes", backlog.nbytes)


class EndlessReadDoFn(ReadDoFn):
    """The same for a source that never ends: Beam asks for it to be declared."""

    @beam.DoFn.unbounded_per_element()
    def process(
        self,
        split: Split,
        tracker: Any = beam.DoFn.RestrictionParam(_RESTRICTIONS),
        watermark: Any = beam.DoFn.WatermarkEstimatorParam(_WATERMARKS),
    ) -> Iterator[Any]:
        yield from super().process(split, tracker, watermark)


class LimitedReadDoFn(_Reading):
    """Reads splits in order, in one task, until it has given out ``limit`` rows.

    All rows are counted afresh after a restart, since a ledger knows intervals, not rows; sinks
    mask what they hold.
    """

    def process(self, splits: Sequence[Split]) -> Iterator[Any]:
        assert isinstance(self.run, Run)
        with recorded(self.run.identity.run):
            left = self.residual.limit or 0
            for split in splits:
                position = split.interval.start
                for chunk in self.chunks(split):
                    if left <= 0:
                        return
                    cut = self._cut(chunk, left)
                    left -= cut.records.num_rows
                    yield from self.outputs(split, position, cut)
                    position = chunk.end

    def _cut(self, chunk: Chunk, left: int) -> Chunk:
        kept = self._rest(chunk).slice(0, left)
        return replace(chunk, records=kept)
