"""Joins against a source that is asked for keys, as a step between two shuffles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from ferris_beam.sql.execution.steps import Step
from ferris_beam.sql.joins.lookup import LookupJoin
from ferris_beam.transforms.context import Run


@dataclass
class JoinLookup(Step):
    """Joins a batch with the rows of its keys, as the source has them at that moment."""

    join: LookupJoin
    unpinned = True

    @property
    def varies(self) -> bool:  # type: ignore[override]
        return self.join.varies

    def open(self, run: Run) -> None:
        self.join.open(run)

    def close(self) -> None:
        self.join.close()

    def results(self, records: pa.RecordBatch, seed: str) -> Iterable[pa.RecordBatch]:
        return self.join.run(records)

    def description(self) -> str:
        return self.join.description()
