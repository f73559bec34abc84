"""Runs a query over batches that pass by, and gives its results as they come.

What the query sorts goes to files beyond a limit, so that neither side need fit into memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from ferris_beam.batches import from_ipc, to_ipc
from ferris_beam.sql.kernel import Fragment
from ferris_beam.sql.kernel.faults import run_error
from ferris_beam.sql.kernel.sessions import Limits, session_of_thread

LEAST_BYTES = 32 << 20
"""Without so much memory DataFusion can't merge what it has put into files."""


def streamed(
    fragment: Fragment, batches: Iterable[pa.RecordBatch], memory_limit: int, name: str
) -> Iterator[pa.RecordBatch]:
    """The results of ``fragment``, a query over one table that only selects and sorts columns.

    ``name`` stands in the message where even the least that a sort must hold is too much.
    """
    (schema,) = fragment.inputs
    try:
        context = session_of_thread(Limits(max(memory_limit, LEAST_BYTES))).context
        context.register_dataset("input_0", _Passing(schema, batches))
        try:
            plan = context.sql(fragment.sql).execution_plan()
        finally:
            context.deregister_table("input_0")
        for batch in context.execute(plan, 0):
            yield batch.to_pyarrow()
    except Exception as error:
        raise run_error(error, name, "--sql_memory_limit") from error


class _Passing(ds.Dataset):
    """What DataFusion asks of a dataset (crates/core/src/dataset_exec.rs of datafusion-python)."""

    def __init__(self, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        self._schema = schema
        self._batches = batches

    @property
    def schema(self) -> pa.Schema:
        return self._schema

    def get_fragments(self, filter: Any = None) -> Iterator[_Passing]:
        return iter([self])

    def scanner(self, *_: Any, columns: list[str] | None = None, **__: Any) -> _Scan:
        return _Scan(self._schema, self._batches, columns)


class _Scan:
    def __init__(
        self, schema: pa.Schema, batches: Iterable[pa.RecordBatch], columns: list[str] | None
    ) -> None:
        self._names = schema.names if columns is None else columns
        self.projected_schema = pa.schema([schema.field(name) for name in self._names])
        self._batches = batches

    def to_batches(self) -> Iterator[pa.RecordBatch]:
        return (
            compact(batch.select(self._names)).cast(self.projected_schema)
            for batch in self._batches
            if batch.num_rows
        )


def compact(records: pa.RecordBatch) -> pa.RecordBatch:
    """``records``, copied where they are a part of others: DataFusion counts all in front of them
    as memory of theirs."""
    if any(column.offset for column in records.columns):
        return from_ipc(to_ipc(records))
    return records
