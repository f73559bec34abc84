"""Read: any connector's Reader as a Beam source of batches, by one splittable DoFn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import apache_beam as beam
import pyarrow.compute as pc
from apache_beam.options.pipeline_options import DirectOptions, StandardOptions
from apache_beam.pvalue import PBegin, PCollection

from ferris_beam.connector import Chunk, Reader, Residual, Split
from ferris_beam.errors import PlanError
from ferris_beam.interval import Interval
from ferris_beam.options import Resolved
from ferris_beam.transforms.aggregation import Aggregation
from ferris_beam.transforms.context import PipelineContext, Run
from ferris_beam.transforms.endpoint import Endpoint, plan_of, shown
from ferris_beam.transforms.event_time import EventTime
from ferris_beam.transforms.graph import Source
from ferris_beam.transforms.operator import apply_operator, recorded
from ferris_beam.transforms.read_endless import EndlessReadDoFn
from ferris_beam.transforms.read_polled import PolledReadDoFn
from ferris_beam.transforms.reading import Reading
from ferris_beam.transforms.rows import Rows
from ferris_beam.transforms.split import LANES, SplitDoFn
from ferris_beam.transforms.tracker import Restriction, SplitRestrictions

if TYPE_CHECKING:
    from ferris_beam.transforms.dead_letters import DeadLetters

_RESTRICTIONS = SplitRestrictions()


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
        self.dictionaries = False
        """Whether text columns may come dictionary-encoded, where the store keeps them so."""
        self.event_time: EventTime | None = None
        """Where the event time of rows stands, for windows over a source that never ends."""
        self.aggregation: Aggregation | None = None
        """What is read of the source, instead of its rows; it has said that it can."""

    def default_label(self) -> str:
        return f"Read({self.endpoint.display})"

    def expand(self, begin: PBegin) -> PCollection:
        context = PipelineContext.of(begin.pipeline)
        resolved = self.endpoint.resolved()
        reader, residual = self._reader(resolved)
        if not reader.bounded:
            # With more, FnApiRunner loses what was deferred: ParallelBundleManager merges the
            # results of its workers without their residual roots (Beam 2.77).
            begin.pipeline.options.view_as(DirectOptions).direct_num_workers = 1
        connector, source = self.endpoint.connector.name, shown(resolved)
        plan = f"{plan_of(resolved)} {self.columns} {self.predicate!s} {self.limit}"
        if self.aggregation is not None:
            plan = f"{plan} {self.aggregation.description()}"
        strict = self.dead_letters is None
        arguments = (context, reader, residual, connector, source, plan, strict)
        split = SplitDoFn(context, reader, connector, residual.limit, _lanes(begin.pipeline))
        read = _kind(reader, residual, source)(*arguments)
        splits = (
            begin
            | "Start" >> beam.Impulse()
            | "Split" >> beam.ParDo(split)
            | "Spread" >> beam.Reshuffle()
        )
        read.event_time = self.event_time
        outputs = apply_operator(splits, read, "Read")
        split.label = read.label
        context.local_secrets += resolved.options.local_secrets
        context.sources.append(
            Source(
                read.label,
                connector,
                source,
                reader.replayable,
                reader.ordered,
                reader.bounded,
                reader.incremental,
                reader.confirms,
                bool(reader.poll_seconds),
            )
        )
        context.steps.append(read)
        if self.dead_letters is not None:
            self.dead_letters.add(outputs.rejects)
        if self.rows:
            return outputs.main | "Rows" >> Rows(self.row_schema)
        return outputs.main

    def _reader(self, resolved: Resolved) -> tuple[Reader, Residual]:
        reader = self.endpoint.reader(resolved)
        reader, residual = reader.pushdown(self.columns, self.predicate, self.limit)
        if self.aggregation is not None:
            aggregated = self.aggregation.reader(reader, residual)
            if aggregated is None:
                raise PlanError(
                    f"{shown(resolved)} no longer computes aggregates as it did when the query was "
                    "planned; start again"
                )
            return aggregated, Residual()
        if self.dictionaries and residual.predicate is None:
            reader = reader.with_dictionaries()
        return reader, residual

    def schema(self) -> Any:
        """The source's `pyarrow.Schema`: discovered now, which touches the store."""
        reader, _ = self._reader(self.endpoint.resolved())
        reader.open()
        try:
            return reader.schema()
        finally:
            reader.close()


def _lanes(pipeline: beam.Pipeline) -> int:
    """In how many tasks a source is polled: FnApiRunner has one worker for it."""
    runner = pipeline.options.view_as(StandardOptions).runner or ""
    return 1 if runner.endswith("FnApiRunner") else LANES


def _kind(reader: Reader, residual: Residual, source: str) -> type[Reading]:
    """The DoFn that reads a source. Raises `PlanError` for a limit on what never ends."""
    if residual.limit is None:
        if reader.poll_seconds:
            return PolledReadDoFn
        return ReadDoFn if reader.bounded else EndlessReadDoFn
    if not reader.bounded:
        raise PlanError(
            f"limit={residual.limit}: {source} never ends, and a limit reads from front to back; "
            "leave out the limit, or read what is there now (without watch, tail, unbounded)"
        )
    return LimitedReadDoFn


class ReadDoFn(Reading):
    """The one splittable DoFn: element a `Split`, restriction its positions."""

    def process(
        self,
        split: Split,
        tracker: Any = beam.DoFn.RestrictionParam(_RESTRICTIONS),
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
                stopping = self.is_stopping()
                if not tracker.try_claim((position, chunk.end)):
                    return
                yield from self.outputs(split, position, chunk)
                position = chunk.end
                if stopping:  # and this batch made the sinks commit
                    self.refuse_if_stopping()
            if position < tracker.current_restriction().end:
                raise self.ended_early(part, position)


class LimitedReadDoFn(Reading):
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
                    stopping = self.is_stopping()
                    cut = self._cut(chunk, left)
                    left -= cut.records.num_rows
                    yield from self.outputs(split, position, cut)
                    position = chunk.end
                    if stopping:
                        self.refuse_if_stopping()

    def _cut(self, chunk: Chunk, left: int) -> Chunk:
        kept = self._rest(chunk).slice(0, left)
        return replace(chunk, records=kept)
