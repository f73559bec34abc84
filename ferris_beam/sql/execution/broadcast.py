"""Joins against a side that every worker holds: a source that it loads, or a side input."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import AsIter, PCollection

from ferris_beam.batches import Batch
from ferris_beam.sql.execution.steps import Step, Steps, StepsOperator
from ferris_beam.sql.joins import BroadcastJoin, GivenTable
from ferris_beam.transforms.context import PipelineContext, Run
from ferris_beam.transforms.lineage import lineage
from ferris_beam.transforms.operator import apply_operator

if TYPE_CHECKING:
    from ferris_beam.transforms.dead_letters import DeadLetters


@dataclass
class JoinTable(Step):
    """Joins a batch with the table."""

    join: BroadcastJoin

    def open(self, run: Run) -> None:
        self.join.open(run)

    def results(self, records: pa.RecordBatch, seed: str) -> Iterable[pa.RecordBatch]:
        return self.join.run(records)

    def description(self) -> str:
        return self.join.description()


class JoinSideInput(Steps):
    """Joins each batch with ``side``, all of whose rows every worker gets.

    The side is made anew by a restart, so what it is read from is read as a whole again.
    """

    def __init__(
        self,
        join: BroadcastJoin,
        table: GivenTable,
        side: tuple[PCollection, ...],
        *,
        dead_letters: DeadLetters | None = None,
    ) -> None:
        super().__init__((JoinTable(join),), dead_letters=dead_letters)
        self.table = table
        self.side = side

    def expand(self, batches: PCollection) -> PCollection:
        context = PipelineContext.of(batches.pipeline)
        side = self.side[0] if len(self.side) == 1 else self.side | "Side" >> beam.Flatten()
        side.element_type = Batch
        for pcoll in self.side:
            context.held.update(lineage(pcoll).reads)
        operator = SideInputOperator(context, self.steps, self.dead_letters is None, self.table)
        outputs = apply_operator(batches, operator, "Map", sides=(AsIter(side),))
        context.steps.append(operator)
        if self.dead_letters is not None:
            self.dead_letters.add(outputs.rejects)
        return outputs.main


class SideInputOperator(StepsOperator):
    """Puts the side's batches into the table before the steps are opened."""

    def __init__(
        self, context: PipelineContext, steps: tuple[Step, ...], strict: bool, table: GivenTable
    ) -> None:
        super().__init__(context, steps, strict)
        self.table = table

    def process(self, batch: Batch, side: Iterable[Batch]) -> Iterator[Any]:  # type: ignore[override]
        if not self.is_open:
            self.table.rows = [each.records for each in side if each.records.num_columns]
        yield from super().process(batch)
