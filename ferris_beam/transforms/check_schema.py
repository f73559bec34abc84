"""CheckSchema: batches held against an expected schema, differing rows to a side output."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from ferris_beam.errors import BadRecordError
from ferris_beam.schemas import Policies, SchemaCheck
from ferris_beam.transforms.context import PipelineContext
from ferris_beam.transforms.map import MapBatches, MapOperator

if TYPE_CHECKING:
    from ferris_beam.transforms.dead_letters import DeadLetters


class CheckSchema(MapBatches):
    """Holds each batch against ``schema``; origins are kept.

    ``missing``, ``extra``, ``changed`` and ``nulls`` say what happens to a column that isn't there,
    one that isn't expected, one of another type, and a null where there must be none: 'accept',
    'evolve', 'drop', 'dead_letter' or 'fail' (the default), as `ferris_beam.schemas.Policies` tells
    in a table. Rejected rows go to ``dead_letters`` with the category 'schema'; without it the
    first one stops the job. Dropped rows are counted in the metric ``rows_dropped``.
    """

    def __init__(
        self,
        schema: pa.Schema,
        *,
        missing: str = "fail",
        extra: str = "fail",
        changed: str = "fail",
        nulls: str = "fail",
        dead_letters: DeadLetters | None = None,
    ) -> None:
        self.check = SchemaCheck(schema, Policies(missing, extra, changed, nulls))
        super().__init__(self.check.check, dead_letters=dead_letters)

    def default_label(self) -> str:
        return type(self).__name__

    def operator(self, context: PipelineContext) -> MapOperator:
        return CheckSchemaOperator(context, self.check, self.dead_letters is None)


class CheckSchemaOperator(MapOperator):
    """One checked batch and its rejected rows for each batch."""

    category = "schema"

    def __init__(self, context: PipelineContext, check: SchemaCheck, strict: bool) -> None:
        super().__init__(context, check.check, strict)
        self.check = check

    def description(self) -> str:
        return repr(self.check)

    def mapped(
        self, records: pa.RecordBatch
    ) -> tuple[list[pa.RecordBatch], list[tuple[int, BadRecordError]]]:
        if records.num_columns == 0:
            return [records], []
        checked = self.check.check(records)
        self.meter.count("rows_dropped", checked.dropped)
        return [checked.records], [(row, BadRecordError(why)) for row, why in checked.rejected]
