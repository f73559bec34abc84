"""Rows that stand in the query itself: a source of one interval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import PBegin, PCollection

from ferris_beam.batches import Batch, concatenate
from ferris_beam.interval import Interval, Origin
from ferris_beam.sql.execution.chains import select_of
from ferris_beam.sql.kernel import Fragment, Kernel, fragment
from ferris_beam.sql.nodes import Named, Project, Rows
from ferris_beam.sql.text import SqlText
from ferris_beam.transforms.context import PipelineContext, Run
from ferris_beam.transforms.operator import Operator, apply_operator, recorded
from ferris_beam.transforms.seeds import seed_of

NO_COLUMNS = pa.RecordBatch.from_struct_array(pa.array([{}], pa.struct([])))
"""One row without columns: what a SELECT without FROM selects from."""


class Values(beam.PTransform):
    """The rows of VALUES, or the one row without columns of a SELECT without FROM."""

    def __init__(self, rows: Sequence[Fragment], schema: pa.Schema) -> None:
        super().__init__()
        self.rows = tuple(rows)
        self.schema = schema

    def expand(self, begin: PBegin) -> PCollection:
        context = PipelineContext.of(begin.pipeline)
        operator = ValuesDoFn(context, self.rows, self.schema)
        outputs = apply_operator(begin | "Start" >> beam.Impulse(), operator, "Values")
        context.steps.append(operator)
        return outputs.main


class ValuesDoFn(Operator):
    """One batch, the same whenever it is asked for."""

    is_source = True

    def __init__(
        self, context: PipelineContext, rows: Sequence[Fragment], schema: pa.Schema
    ) -> None:
        self.run: PipelineContext | Run = context
        self.rows = tuple(rows)
        self.schema = schema

    def description(self) -> str:
        return f"values {[row.description for row in self.rows]} {self.schema}"

    def process(self, _: bytes) -> Iterator[Any]:
        assert isinstance(self.run, Run)
        with recorded(self.run.identity.run):
            origin = Origin(self.path_of(None), Interval(self.label, 0, 1))
            seed = seed_of(self.run, origin)
            if self.schema.names:
                rows = [Kernel(row).run([NO_COLUMNS], seed=seed) for row in self.rows]
                nothing = pa.RecordBatch.from_pylist([], schema=self.schema)
                records = concatenate(rows) if rows else nothing
            else:
                records = NO_COLUMNS
            yield Batch(records, origin)


def constants(node: Rows, text: SqlText | None) -> Values:
    """The transform of ``node``."""
    empty = pa.schema([])
    fragments = []
    for row in node.rows if node.schema.names else ():
        named = tuple(map(Named, node.schema.names, row))
        query = select_of([Project(node.schema, node, named)], empty)
        fragments.append(fragment(query, (empty,), text))
    return Values(fragments, node.schema)
