"""The element of every pipeline: an Arrow record batch and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from ferris_beam.batches import ipc  # noqa: F401  (compact pickling of record batches)
from ferris_beam.interval import Origin


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows in columns, and the interval of a source that they stand for.

    The origin is what makes a pipeline exact: a sink commits it together with the rows. It is
    None for batches that were made elsewhere (`beam.Create`, a foreign transform).
    """

    records: pa.RecordBatch
    origin: Origin | None = None

    @property
    def schema(self) -> pa.Schema:
        return self.records.schema

    @property
    def num_rows(self) -> int:
        return self.records.num_rows

    def replace(self, records: pa.RecordBatch) -> Batch:
        """Other rows of the same origin."""
        return replace(self, records=records)

    def __getitem__(self, column: str) -> pa.Array:
        return self.records[column]

    def __len__(self) -> int:
        return self.records.num_rows

    def __arrow_c_array__(self, requested_schema: Any = None) -> tuple[Any, Any]:
        """The Arrow PyCapsule interface: DuckDB, Polars and others take a Batch as it is."""
        return self.records.__arrow_c_array__(requested_schema)
