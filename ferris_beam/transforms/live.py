"""A stage that keeps state over input that never ends: results go out when their time has come.

In front of it each batch is cut by hash partition, and every partition learns of every batch. A
partition keeps the states in the runner's keyed state, and an event-time timer tells it when the
watermark has passed the time of a result. Windows of Beam are not used: GroupByKey drops late rows
without a word, sessions don't merge live on every runner, and times are cut to milliseconds.

Results go out in ticks (`ferris_beam.transforms.live_progress`), which sinks commit in order like
intervals of any source. With each goes a mark that says from where the sources must be read again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.coders import PickleCoder
from apache_beam.pvalue import PCollection
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import (
    BagStateSpec,
    ReadModifyWriteStateSpec,
    TimerSpec,
    on_timer,
)
from apache_beam.transforms.window import GlobalWindows
from apache_beam.utils.timestamp import Timestamp

from ferris_beam.batches import Batch
from ferris_beam.batches.coder import BatchCoder
from ferris_beam.batches.hashing import split_by_partition
from ferris_beam.errors import BadRecordError, PlanError
from ferris_beam.interval import Interval, Origin
from ferris_beam.reliability import DeadLetterFormat, write_good_rows
from ferris_beam.reliability.dead_letters import rejects_of_rows
from ferris_beam.transforms.claims import claim
from ferris_beam.transforms.context import PipelineContext, Run
from ferris_beam.transforms.graph import LiveStage
from ferris_beam.transforms.lineage import Lineage, lineage, merged
from ferris_beam.transforms.live_message import Element, Header
from ferris_beam.transforms.live_partition import Partition, Tick
from ferris_beam.transforms.live_progress import PartitionProgress, held_ends
from ferris_beam.transforms.live_sources import refuse_sources
from ferris_beam.transforms.live_stage import LiveWork, Prepared
from ferris_beam.transforms.meter import Meter
from ferris_beam.transforms.operator import (
    REJECTS,
    Operator,
    apply_operator,
    recorded,
    rejected,
)
from ferris_beam.transforms.partitioned import PARTITIONS, in_parts
from ferris_beam.transforms.rejecting import RejectingOperator
from ferris_beam.transforms.seeds import seed_of

if TYPE_CHECKING:
    from ferris_beam.transforms.dead_letters import DeadLetters

_OUTPUT_ROWS = 1 << 16
_TICK = TimerSpec("tick", TimeDomain.WATERMARK)
_STATES_OF_KEY = beam.DoFn.StateParam(BagStateSpec("states", BatchCoder()))
_LETTERS_OF_KEY = beam.DoFn.StateParam(BagStateSpec("letters", BatchCoder()))
_PROGRESS_OF_KEY = beam.DoFn.StateParam(ReadModifyWriteStateSpec("progress", PickleCoder()))
_TICK_OF_KEY = beam.DoFn.TimerParam(_TICK)


class LiveStates(beam.PTransform):
    """Applies ``work`` to batches that never end.

    Input: a tuple of PCollections of Batch. Output: PCollection[Batch], one batch for each tick of
    each partition. Rows that can't be computed go to ``dead_letters``, and late ones where the
    work keeps them. Raises `PlanError` for sources whose event time nobody knows.
    """

    def __init__(
        self,
        work: LiveWork,
        *,
        partitions: int = PARTITIONS,
        dead_letters: DeadLetters | None = None,
    ) -> None:
        super().__init__()
        self.work = work
        self.partitions = partitions if work.key_columns else 1
        self.dead_letters = dead_letters

    def expand(self, inputs: tuple[PCollection, ...]) -> PCollection:
        context = PipelineContext.of(inputs[0].pipeline)
        before = merged([lineage(pcoll) for pcoll in inputs])
        refuse_sources(self.label, context, before.reads)
        if self.work.keeps_late and self.dead_letters is None:
            raise PlanError(
                f"{self.label!r} is to keep late rows, and nobody said where rejected rows go: "
                "--dead-letters URI (in Beam code: dead_letters=)"
            )
        prepared = [
            self._prepared(context, f"Prepare{place or ''}", pcoll)
            for place, pcoll in enumerate(inputs)
        ]
        elements = prepared[0]
        if len(prepared) > 1:
            elements = tuple(prepared) | "Flatten" >> beam.Flatten()
            elements.element_type = Element
        operator = FireDoFn(context, self.work, before)
        outputs = apply_operator(elements, operator, "Fire")
        operator.stage = LiveStage(operator.label, before.reads, self.partitions)
        context.steps.append(operator)
        context.live.append(operator.stage)
        if self.work.keeps_late:
            assert self.dead_letters is not None
            self.dead_letters.add(outputs.rejects)
        return outputs.main

    def _prepared(self, context: PipelineContext, name: str, pcoll: PCollection) -> PCollection:
        if not isinstance(pcoll.windowing.windowfn, GlobalWindows):
            pcoll = pcoll | f"{name}/GlobalWindow" >> beam.WindowInto(GlobalWindows())
        strict = self.dead_letters is None
        operator = PrepareDoFn(context, self.work, name, self.partitions, strict)
        outputs = apply_operator(pcoll, operator, name, main_type=Element)
        context.steps.append(operator)
        if self.dead_letters is not None:
            self.dead_letters.add(outputs.rejects)
        return outputs.main


class PrepareDoFn(RejectingOperator):
    """Main output: for each partition its share of a batch, also where it has none."""

    def __init__(
        self, context: PipelineContext, work: LiveWork, name: str, partitions: int, strict: bool
    ) -> None:
        super().__init__(context, strict)
        self.work = work
        self.name = name
        self.partitions = partitions

    def description(self) -> str:
        return f"{self.name} {self.work.description()} {self.partitions}"

    def path_of(self, tag: str | None) -> tuple[str, ...]:
        place = (self.label, f"#{self.name}")
        return (*place, f"#{REJECTS}") if tag == REJECTS else place

    def setup(self) -> None:
        super().setup()
        assert isinstance(self.run, Run)
        self.counts = Meter(self.run.identity.run, "sql", self.label)
        self.work.open()

    def process(
        self,
        batch: Batch,
        timestamp: Any = beam.DoFn.TimestampParam,
    ) -> Iterator[Any]:
        assert isinstance(self.run, Run)
        with recorded(self.run.identity.run):
            began = time.perf_counter_ns()
            seed = seed_of(self.run, batch.origin)
            found: list[Prepared] = []
            failures: list[tuple[int, BadRecordError]] = []

            def prepare(part: pa.RecordBatch) -> None:
                found.append(self.work.prepare(part, seed, timestamp.micros, self.partitions))

            if batch.records.num_columns or batch.records.num_rows:
                failures = list(write_good_rows(batch.records, prepare))
            self.counts.count("rows_in", batch.records.num_rows)
            self.counts.count("micros", (time.perf_counter_ns() - began) // 1000)
            yield from self._shares(batch.origin, seed, found)
            yield from self.rejects(batch.records, batch.origin, failures)

    def _shares(
        self, origin: Origin | None, seed: str, found: list[Prepared]
    ) -> Iterator[tuple[int, tuple[bytes, Batch, Batch]]]:
        times = sorted({time for each in found for time in each.times})
        header = Header(origin, seed, times).to_bytes()
        states = [each.state for each in found]
        state = states[0] if len(states) == 1 else self.work.merge(states)
        cut = dict(split_by_partition(state, self.work.key_columns, self.partitions))
        late = _late_by_partition(found)
        nothing = Batch(pa.RecordBatch.from_pylist([]))
        for partition in range(self.partitions):
            mine, behind = cut.get(partition), late.get(partition)
            yield (
                partition,
                (
                    header,
                    nothing if mine is None else Batch(mine),
                    nothing if behind is None else Batch(behind),
                ),
            )


def _late_by_partition(found: list[Prepared]) -> dict[int, pa.RecordBatch]:
    late = [each for each in found if each.late.num_rows]
    if not late:
        return {}
    rows = pa.concat_batches([each.late for each in late])
    partitions = pa.concat_arrays([pa.array(each.late_partitions) for each in late])
    return {
        partition: rows.filter(pa.compute.equal(partitions, partition))
        for partition in set(partitions.to_pylist())
    }


@dataclass
class BeamStore:
    """A bag of batches in the state of a key."""

    bag: Any

    def read(self) -> Iterator[pa.RecordBatch]:
        return (batch.records for batch in self.bag.read())

    def add(self, records: pa.RecordBatch) -> None:
        self.bag.add(Batch(records))

    def clear(self) -> None:
        self.bag.clear()


class FireDoFn(Operator):
    """The results of each partition, in ticks: a source of new intervals. Rejects: late rows."""

    is_source = True

    def __init__(self, context: PipelineContext, work: LiveWork, before: Lineage) -> None:
        self.run: PipelineContext | Run = context
        self.work = work
        self.before = before
        self.paths = sorted(before.paths)
        self.stage = LiveStage("", frozenset(), 0)

    def description(self) -> str:
        return f"fire {self.work.description()}"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "before": Lineage()}

    def setup(self) -> None:
        assert isinstance(self.run, Run)
        identity = self.run.identity
        self.counts = Meter(identity.run, "sql", self.label)
        self.meter = Meter(identity.run, "transform")
        self.letters = DeadLetterFormat(identity.name, self.label, "transform", "")
        self.work.open()

    def process(
        self,
        element: tuple[int, tuple[bytes, Batch, Batch]],
        states: Any = _STATES_OF_KEY,
        letters: Any = _LETTERS_OF_KEY,
        progress: Any = _PROGRESS_OF_KEY,
        tick: Any = _TICK_OF_KEY,
    ) -> None:
        assert isinstance(self.run, Run)
        with recorded(self.run.identity.run):
            key, (header, state, late) = element
            partition = self._partition(key, states, letters, progress)
            dropped = partition.take(Header.from_bytes(header), state.records, late.records)
            self.meter.count("rows_late", dropped)
            self._leave(partition, progress, tick)

    @on_timer(_TICK)
    def fire(
        self,
        key: Any = beam.DoFn.KeyParam,
        timestamp: Any = beam.DoFn.TimestampParam,
        states: Any = _STATES_OF_KEY,
        letters: Any = _LETTERS_OF_KEY,
        progress: Any = _PROGRESS_OF_KEY,
        tick: Any = _TICK_OF_KEY,
    ) -> Iterator[Any]:
        assert isinstance(self.run, Run)
        with recorded(self.run.identity.run):
            partition = self._partition(key, states, letters, progress)
            for each in partition.fire(timestamp.micros):
                yield from self._outputs(key, each)
            self._leave(partition, progress, tick)

    def _partition(self, key: int, states: Any, letters: Any, progress: Any) -> Partition:
        assert isinstance(self.run, Run)
        known = progress.read()
        if known is None:
            ledgers = claim(self.run).ledgers
            known = PartitionProgress.resumed(held_ends(self.run, self.stage, key, ledgers))
        return Partition(self.work, known, BeamStore(states), BeamStore(letters), self.paths)

    @staticmethod
    def _leave(partition: Partition, progress: Any, tick: Any) -> None:
        progress.write(partition.progress)
        due = partition.next_timer()
        if due is not None:
            tick.set(Timestamp(micros=due))

    def _outputs(self, key: int, tick: Tick) -> Iterator[Any]:
        interval = Interval(self.stage.unit(key), tick.start, tick.end)
        origin = Origin(self.path_of(None), interval, ordered=True, mark=tick.mark)
        rows = tick.results
        self.counts.count("rows_out", rows.num_rows)
        self.counts.count("bytes_out", rows.nbytes)
        count = max(1, -(-rows.num_rows // _OUTPUT_ROWS))
        yield from in_parts(
            (rows.slice(at * _OUTPUT_ROWS, _OUTPUT_ROWS) for at in range(count)), origin
        )
        if self.work.keeps_late:
            yield self._late(tick, origin)

    def _late(self, tick: Tick, origin: Origin) -> Any:
        """The dead letters of a tick: one batch, as of results."""
        error = BadRecordError(
            "the row came too late: the windows that it belongs to were put out before",
            category="late",
        )
        found, schema = [], None
        for rows in tick.late:
            schema = rows.schema
            failures = [(row, error) for row in range(rows.num_rows)]
            found += rejects_of_rows(rows, failures, tick.start, self.label, "late")
        letters = self.letters.of_rejects(origin.interval.unit, found, schema)
        return rejected(Batch(letters, replace(origin, path=self.path_of(REJECTS))))
