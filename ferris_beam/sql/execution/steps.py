"""What happens to one batch between two shuffles: a chain of steps, in one transform."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ferris_beam.batches import Batch
from ferris_beam.errors import BadRecordError
from ferris_beam.reliability import write_good_rows
from ferris_beam.sql.kernel import Fragment, Kernel, is_deterministic
from ferris_beam.sql.kernel.types import plain
from ferris_beam.transforms.context import PipelineContext, Run
from ferris_beam.transforms.map import MapBatches, MapOperator
from ferris_beam.transforms.meter import Meter
from ferris_beam.transforms.operator import recorded
from ferris_beam.transforms.seeds import seed_of

if TYPE_CHECKING:
    from ferris_beam.transforms.dead_letters import DeadLetters


class Step(ABC):
    """One thing that is done to a batch. Pickled to the workers, opened there."""

    varies: bool = False
    """Whether the result depends on when the run started."""

    unpinned: bool = False
    """Whether it depends on what a store holds at that moment, so that a restart may find more."""

    def open(self, run: Run) -> None:
        """Called once, before anything else."""

    def close(self) -> None:
        """Releases what it holds; it was opened."""

    @abstractmethod
    def results(self, records: pa.RecordBatch, seed: str) -> Iterable[pa.RecordBatch]:
        """What becomes of ``records``. ``seed`` is that of the interval."""

    @abstractmethod
    def description(self) -> str:
        """What it computes, in words that change when its result would."""


@dataclass
class Rename(Step):
    """A source's columns, by ``names``, under the names that the plan has for them.

    ``dictionaries``: what comes next takes dictionary-encoded texts, too (a GROUP BY).
    """

    names: tuple[str, ...]
    schema: pa.Schema
    dictionaries: bool = False

    def results(self, records: pa.RecordBatch, seed: str) -> Iterable[pa.RecordBatch]:
        columns = [
            records[name] if self.dictionaries else _plainly(records[name], field.type)
            for name, field in zip(self.names, self.schema, strict=True)
        ]
        fields = [
            pa.field(name, column.type)
            for name, column in zip(self.schema.names, columns, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=pa.schema(fields))

    def description(self) -> str:
        return f"{self.names} {self.schema.names}"


def _plainly(column: pa.Array, planned: pa.DataType) -> pa.Array:
    """The values themselves, where the source keeps them as a dictionary, a view…"""
    stored = column.type
    return column.cast(planned) if stored != planned and plain(stored) == planned else column


@dataclass
class Compute(Step):
    """A SELECT over the batch."""

    fragment: Fragment

    @property
    def varies(self) -> bool:  # type: ignore[override]
        return not is_deterministic(self.fragment)

    def open(self, run: Run) -> None:
        self.kernel = Kernel(self.fragment)

    def results(self, records: pa.RecordBatch, seed: str) -> Iterable[pa.RecordBatch]:
        yield self.kernel.run([records], seed=seed)

    def description(self) -> str:
        return self.fragment.description

    def __getstate__(self) -> dict[str, Any]:
        return {"fragment": self.fragment}


def count_step(
    counts: Meter, records: pa.RecordBatch, results: Sequence[pa.RecordBatch], began: int
) -> None:
    """What became of ``records``, and the time since ``began`` (`time.perf_counter_ns`)."""
    counts.count("rows_in", records.num_rows)
    counts.count("rows_out", sum(part.num_rows for part in results))
    counts.count("bytes_out", sum(part.nbytes for part in results))
    counts.count("micros", (time.perf_counter_ns() - began) // 1000)


class Steps(MapBatches):
    """Applies ``steps`` to each batch; rows that one of them can't take are rejected."""

    def __init__(self, steps: Sequence[Step], *, dead_letters: DeadLetters | None = None) -> None:
        super().__init__(list, dead_letters=dead_letters)
        self.steps = tuple(steps)

    def operator(self, context: PipelineContext) -> MapOperator:
        if any(step.varies for step in self.steps):
            context.varying.append(self.label)
        if any(step.unpinned for step in self.steps):
            context.unpinned.append(self.label)
        return StepsOperator(context, self.steps, self.dead_letters is None)


class StepsOperator(MapOperator):
    """One batch in, one batch out, in parts where it grew. Counts rows and time by its label."""

    category = "sql"

    def __init__(self, context: PipelineContext, steps: Sequence[Step], strict: bool) -> None:
        super().__init__(context, list, strict)
        self.steps = tuple(steps)
        self.is_open = False

    def description(self) -> str:
        return "; ".join(step.description() for step in self.steps)

    def setup(self) -> None:
        super().setup()
        assert isinstance(self.run, Run)
        self.counts = Meter(self.run.identity.run, "sql", self.label)

    def teardown(self) -> None:
        if self.is_open:
            self.is_open = False
            for step in self.steps:
                step.close()

    def process(self, batch: Batch) -> Iterator[Any]:
        assert isinstance(self.run, Run)
        self.seed = seed_of(self.run, batch.origin)
        if not self.is_open:
            with recorded(self.run.identity.run):
                for step in self.steps:
                    step.open(self.run)
            self.is_open = True
        yield from super().process(batch)

    def mapped(
        self, records: pa.RecordBatch
    ) -> tuple[list[pa.RecordBatch], list[tuple[int, BadRecordError]]]:
        if records.num_columns == 0 and records.num_rows == 0:
            return [records], []
        began = time.perf_counter_ns()
        results: list[pa.RecordBatch] = []

        def stepped(part: pa.RecordBatch) -> None:
            results.extend(self._stepped(part, len(results)))

        failures = list(write_good_rows(records, stepped))
        count_step(self.counts, records, results, began)
        return results, failures

    def _stepped(self, records: pa.RecordBatch, before: int) -> list[pa.RecordBatch]:
        """``before``: how many results there are of the rows before these."""
        parts = [records]
        for step in self.steps:
            parts = [
                result
                for number, part in enumerate(parts)
                for result in step.results(part, self._seed_of_part(before, number))
            ]
        return parts

    def _seed_of_part(self, before: int, number: int) -> str:
        """No two parts of a batch, halved around a bad row, have the same random values."""
        return f"{self.seed} {before}.{number}" if before or number else self.seed
