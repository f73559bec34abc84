"""Operators that reject rows: halving a batch down to them, and their dead letters."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from ferris_beam.batches import Batch
from ferris_beam.errors import BadRecordError
from ferris_beam.interval import Origin
from ferris_beam.reliability import DeadLetterFormat, strict_error
from ferris_beam.reliability.dead_letters import rejects_of_rows
from ferris_beam.transforms.context import PipelineContext, Run
from ferris_beam.transforms.meter import Meter
from ferris_beam.transforms.operator import REJECTS, Operator, rejected

NOTHING = pa.RecordBatch.from_pylist([])
"""What stands for an interval without rows where the columns aren't known."""


class RejectingOperator(Operator):
    """One batch of rejected rows out for each batch in; ``strict``: the first one stops the job."""

    category = "validation"
    """The category of its dead letters."""

    def __init__(self, context: PipelineContext, strict: bool) -> None:
        self.run: PipelineContext | Run = context
        self.strict = strict

    def setup(self) -> None:
        assert isinstance(self.run, Run)
        identity = self.run.identity
        self.letters = DeadLetterFormat(identity.name, self.label, "transform", "")
        self.meter = Meter(identity.run, "transform")

    def rejects(
        self,
        records: pa.RecordBatch,
        origin: Origin | None,
        failures: list[tuple[int, BadRecordError]],
    ) -> list[Any]:
        """The tagged batch of the rows of ``failures`` (row, error); raises where strict."""
        self.meter.count("rows_rejected", len(failures))
        unit = "" if origin is None else origin.interval.unit
        position = 0 if origin is None else origin.interval.start
        place = self.label if origin is None else f"{origin.interval} at {self.label}"
        found = rejects_of_rows(records, failures, position, place, self.category)
        if self.strict:
            if found:
                raise strict_error(found[0], self.label)
            return []
        letters = self.letters.of_rejects(unit, found, records.schema)
        onward = None if origin is None else self.onward(origin, REJECTS)
        return [rejected(Batch(letters, onward))]
