"""The data plane: Arrow batches with their origin, and the ways in and out of them."""

from __future__ import annotations

from ferris_beam.batches.batch import Batch
from ferris_beam.batches.ipc import from_ipc, schema_from_ipc, schema_to_ipc, to_ipc
from ferris_beam.batches.rebatch import Rebatcher, concatenate, pieces
from ferris_beam.batches.rows import from_rows, to_rows

__all__ = [
    "Batch",
    "Rebatcher",
    "concatenate",
    "from_ipc",
    "from_rows",
    "pieces",
    "schema_from_ipc",
    "schema_to_ipc",
    "to_ipc",
    "to_rows",
]
