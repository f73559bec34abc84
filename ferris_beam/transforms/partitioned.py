"""A stage that keeps state, over bounded input: prepare, shuffle by hash partition, complete.

Behind a shuffle no interval of a source can be told from another, so the results have an origin of
their own: the stage is a unit with a position for each partition, and sinks commit these like any
interval. A restart reads everything in front of a stage again, unless all its sinks hold all its
partitions; results that a sink holds are masked there. That is exact as long as the sources didn't
change in between, so what was read (units and their fingerprints) is the fingerprint of the unit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import PCollection
from apache_beam.transforms.window import GlobalWindow, GlobalWindows
from apache_beam.typehints import KV
from apache_beam.utils.timestamp import MIN_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from ferris_beam.batches import Batch
from ferris_beam.batches.hashing import split_by_partition
from ferris_beam.errors import PlanError
from ferris_beam.interval import Interval, Origin
from ferris_beam.reliability import write_good_rows
from ferris_beam.transforms.context import PipelineContext, Run
from ferris_beam.transforms.graph import StageOutput
from ferris_beam.transforms.lineage import Lineage, lineage, merged
from ferris_beam.transforms.meter import Meter
from ferris_beam.transforms.operator import REJECTS, Operator, apply_operator, recorded
from ferris_beam.transforms.rejecting import RejectingOperator
from ferris_beam.transforms.seeds import seed_of
from ferris_beam.transforms.spool import is_reference, partition_done, spool_of
from ferris_beam.transforms.stage import Completion, Preparation

if TYPE_CHECKING:
    from ferris_beam.transforms.dead_letters import DeadLetters

PARTITIONS = 8
"""How many hash partitions a stage has: fixed, since ledgers remember their numbers."""

_UNITS = -1
"""The input number under which the fingerprints of what was read travel."""

_NO_UNITS = pa.record_batch({"unit": pa.array([], pa.uint64())})
_Keyed = KV[int, tuple[int, Batch]]


class Partitioned(beam.PTransform):
    """Applies one `Preparation` to each input, and ``completion`` to each partition's rows.

    Input: a tuple with a tuple of PCollections of Batch for each preparation. Output:
    PCollection[Batch]. Rows that a preparation rejects go to ``dead_letters``; without it the
    first one stops the job. Raises `PlanError` for input that never ends.
    """

    def __init__(
        self,
        preparations: Sequence[Preparation],
        completion: Completion,
        *,
        partitions: int = PARTITIONS,
        dead_letters: DeadLetters | None = None,
    ) -> None:
        super().__init__()
        self.preparations = tuple(preparations)
        self.completion = completion
        self.partitions = partitions if any(p.key_columns for p in self.preparations) else 1
        self.dead_letters = dead_letters

    def expand(self, inputs: tuple[tuple[PCollection, ...], ...]) -> PCollection:
        branches = [(number, pcoll) for number, pcolls in enumerate(inputs) for pcoll in pcolls]
        pipeline = branches[0][1].pipeline
        context = PipelineContext.of(pipeline)
        _refuse_endless(self.label, [pcoll for _, pcoll in branches])
        before = merged([lineage(pcoll) for _, pcoll in branches])
        self._operators: list[PrepareDoFn] = []
        prepared = [
            self._prepared(context, number, f"Prepare{place or ''}", pcoll)
            for place, (number, pcoll) in enumerate(branches)
        ]
        every = (
            pipeline
            | "Start" >> beam.Impulse()
            | "Partitions" >> beam.ParDo(_EveryPartition(self.partitions))
        )
        every.element_type = _Keyed
        groups = (*prepared, every) | "Flatten" >> beam.Flatten() | "Shuffle" >> beam.GroupByKey()
        operator = CompleteDoFn(context, self.completion, len(inputs), self.partitions, before)
        outputs = apply_operator(groups, operator, "Complete")
        for prepare in self._operators:
            prepare.stage = operator.label
        context.steps.append(operator)
        stages = frozenset(path[0] for path in before.paths) - before.reads
        context.stages.append(StageOutput(operator.label, before.reads, self.partitions, stages))
        return outputs.main

    def _prepared(
        self, context: PipelineContext, number: int, name: str, pcoll: PCollection
    ) -> PCollection:
        if not isinstance(pcoll.windowing.windowfn, GlobalWindows):
            pcoll = pcoll | f"{name}/GlobalWindow" >> beam.WindowInto(GlobalWindows())
        strict = self.dead_letters is None
        preparation = self.preparations[number]
        operator = PrepareDoFn(context, preparation, number, name, self.partitions, strict)
        outputs = apply_operator(pcoll, operator, name, main_type=_Keyed)
        context.steps.append(operator)
        self._operators.append(operator)
        if self.dead_letters is not None:
            self.dead_letters.add(outputs.rejects)
        return outputs.main


def _refuse_endless(label: str, pcolls: Iterable[PCollection]) -> None:
    if not all(pcoll.is_bounded for pcoll in pcolls):
        raise PlanError(
            f"{label!r} waits for the end of its input, and this input never ends: read what is "
            "there now (without watch, tail or unbounded); or group by a window of a stream with "
            "a WATERMARK, and join it with what ends and fits into a worker"
        )


class _EveryPartition(beam.DoFn):
    """Makes each partition appear, also those without rows."""

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions

    def process(self, _: bytes) -> Iterator[tuple[int, tuple[int, Batch]]]:
        for partition in range(self.partitions):
            yield partition, (_UNITS, Batch(_NO_UNITS))


class PrepareDoFn(RejectingOperator):
    """Main output: what a preparation puts out, cut by partition, without origin."""

    def __init__(
        self,
        context: PipelineContext,
        preparation: Preparation,
        number: int,
        name: str,
        partitions: int,
        strict: bool,
    ) -> None:
        super().__init__(context, strict)
        self.preparation = preparation
        self.number = number
        self.name = name
        self.partitions = partitions
        self.is_open = False
        self.stage = ""

    def description(self) -> str:
        return f"{self.name} {self.preparation.description()} {self.partitions}"

    def path_of(self, tag: str | None) -> tuple[str, ...]:
        return (self.label, f"#{self.name}", f"#{REJECTS}")

    def start_bundle(self) -> None:
        if not self.is_open:
            assert isinstance(self.run, Run)
            self.counts = Meter(self.run.identity.run, "sql", self.stage)
            self.preparation.open()
            self.is_open = True
        for _ in self.preparation.flush():
            pass  # what a bundle left that failed
        self.units: set[int] = set()

    def process(self, batch: Batch) -> Iterator[Any]:
        assert isinstance(self.run, Run)
        with recorded(self.run.identity.run):
            records, origin = batch.records, batch.origin
            if origin is not None and origin.identity:
                self.units.add(_fingerprint(origin.interval.unit, origin.identity))
            began = time.perf_counter_ns()
            self.preparation.seed = seed_of(self.run, origin)
            ready: list[pa.RecordBatch] = []
            failures: list[Any] = []
            if records.num_columns or records.num_rows:
                failures = list(
                    write_good_rows(
                        records, lambda part: ready.extend(self.preparation.add(part, origin))
                    )
                )
            self.counts.count("rows_in", records.num_rows)
            self.counts.count("micros", (time.perf_counter_ns() - began) // 1000)
            for part in ready:
                yield from self._cut(part)
            yield from self.rejects(records, origin, failures)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        assert isinstance(self.run, Run)
        with recorded(self.run.identity.run):
            for part in self.preparation.flush():
                for element in self._cut(part):
                    yield _in_global_window(element)
            if self.units:
                units = pa.record_batch({"unit": pa.array(sorted(self.units), pa.uint64())})
                for partition in range(self.partitions):
                    yield _in_global_window((partition, (_UNITS, Batch(units))))

    def _cut(self, records: pa.RecordBatch) -> Iterator[tuple[int, tuple[int, Batch]]]:
        keys = self.preparation.key_columns
        for partition, part in split_by_partition(records, keys, self.partitions):
            yield partition, (self.number, Batch(self._stored(part)))

    def _stored(self, part: pa.RecordBatch) -> pa.RecordBatch:
        """``part``, or a reference to it where all workers are threads of this process."""
        assert isinstance(self.run, Run)
        limit = self.run.state_memory
        if limit is None:
            return part
        return spool_of(self.run.identity.run, self.stage, limit).put(part)


class CompleteDoFn(Operator):
    """The results of each partition, under an origin of their own: a source of new intervals."""

    is_source = True

    def __init__(
        self,
        context: PipelineContext,
        completion: Completion,
        inputs: int,
        partitions: int,
        before: Lineage,
    ) -> None:
        self.run: PipelineContext | Run = context
        self.completion = completion
        self.inputs = inputs
        self.partitions = partitions
        self.before = before
        self.is_open = False

    def description(self) -> str:
        return f"complete {self.completion.description()}"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "before": Lineage()}

    def process(self, group: tuple[int, Iterable[tuple[int, Batch]]]) -> Iterator[Batch]:
        assert isinstance(self.run, Run)
        with recorded(self.run.identity.run):
            if not self.is_open:
                self.counts = Meter(self.run.identity.run, "sql", self.label)
                self.completion.open()
                self.is_open = True
            partition, values = group
            inputs: list[list[pa.RecordBatch]] = [[] for _ in range(self.inputs)]
            units: set[int] = set()
            for number, batch in values:
                if number == _UNITS:
                    units.update(batch["unit"].to_pylist())
                else:
                    inputs[number].append(batch.records)
            waiting = [Waiting(rows, self._fetched) for rows in inputs]
            results = self._counted(self.completion.results(partition, waiting))
            yield from in_parts(results, self._origin(partition, units))
            partition_done(self.run.identity.run, self.label, partition, self.partitions)

    def _counted(self, results: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """``results``; rows, bytes and time are counted under the stage's label."""
        while True:
            began = time.perf_counter_ns()
            records = next(results, None)
            self.counts.count("micros", (time.perf_counter_ns() - began) // 1000)
            if records is None:
                return
            self.counts.count("rows_out", records.num_rows)
            self.counts.count("bytes_out", records.nbytes)
            yield records

    def _fetched(self, records: pa.RecordBatch) -> pa.RecordBatch:
        assert isinstance(self.run, Run)
        if not is_reference(records):
            return records
        return spool_of(self.run.identity.run, self.label, self.run.state_memory or 0).get(records)

    def _origin(self, partition: int, units: set[int]) -> Origin:
        identity = blake2b(repr(sorted(units)).encode(), digest_size=8).hexdigest()
        return Origin(self.path_of(None), Interval(self.label, partition, partition + 1), identity)


@dataclass(frozen=True)
class Waiting:
    """The batches that came to a partition from one input; can be gone through several times."""

    stored: Sequence[pa.RecordBatch]
    fetch: Callable[[pa.RecordBatch], pa.RecordBatch]

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return map(self.fetch, self.stored)

    def __len__(self) -> int:
        return len(self.stored)


def in_parts(results: Iterable[pa.RecordBatch], origin: Origin) -> Iterator[Batch]:
    """Batches of one interval whose number is not known before the last: each takes half of what
    is left of it, so that the shares add up to the whole."""
    rest: tuple[tuple[int, int], ...] = ()
    waiting: pa.RecordBatch | None = None
    for records in results:
        if waiting is not None:
            yield Batch(waiting, _with_parts(origin, (*rest, (0, 2))))
            rest = (*rest, (1, 2))
        waiting = records
    if waiting is None:
        waiting = pa.RecordBatch.from_pylist([])
    yield Batch(waiting, _with_parts(origin, rest))


def _with_parts(origin: Origin, parts: tuple[tuple[int, int], ...]) -> Origin:
    return replace(origin, parts=parts)


def _fingerprint(unit: str, identity: str) -> int:
    digest = blake2b(f"{unit}\0{identity}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _in_global_window(value: Any) -> WindowedValue:
    return WindowedValue(value, MIN_TIMESTAMP, (GlobalWindow(),))
