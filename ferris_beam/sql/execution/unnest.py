"""UNNEST: a row for each item of a list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.sql.execution.steps import Step

MOST_ROWS = 1 << 18
"""Rows of one part of what a batch grows to."""


@dataclass
class Explode(Step):
    """Replaces the list in the last column by its items, the other columns repeated.

    ``outer``: an empty list or NULL gives one row, with NULL. ``position``: a column behind it
    counts the items from 1.
    """

    schema: pa.Schema
    outer: bool
    position: bool

    def results(self, records: pa.RecordBatch, seed: str) -> Iterable[pa.RecordBatch]:
        lists = records.column(records.num_columns - 1)
        if pa.types.is_fixed_size_list(lists.type):
            lists = lists.cast(pa.list_(lists.type.value_type))
        lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy().astype(np.int64)
        counts = np.maximum(lengths, 1) if self.outer else lengths
        ends = np.cumsum(counts)
        start = 0
        while start < records.num_rows:
            before = int(ends[start - 1]) if start else 0
            end = max(start + 1, int(np.searchsorted(ends, before + MOST_ROWS, "right")))
            part = slice(start, end)
            yield self._exploded(
                records.slice(start, end - start),
                lists.slice(start, end - start),
                lengths[part],
                counts[part],
            )
            start = end
        if not records.num_rows:
            yield pa.RecordBatch.from_pylist([], schema=self.schema)

    def _exploded(
        self,
        records: pa.RecordBatch,
        lists: pa.Array,
        lengths: np.ndarray,
        counts: np.ndarray,
    ) -> pa.RecordBatch:
        parents = np.repeat(np.arange(len(counts)), counts)
        firsts = np.repeat(np.cumsum(counts) - counts, counts)
        places = np.arange(len(parents)) - firsts
        items = pc.list_flatten(lists)
        taken = np.repeat(np.cumsum(lengths) - lengths, counts) + places
        missing = np.repeat(lengths == 0, counts)
        values = items.take(pa.array(np.where(missing, 0, taken), mask=missing))
        columns = [column.take(pa.array(parents)) for column in records.columns[:-1]]
        columns.append(values)
        if self.position:
            columns.append(pa.array(places + 1, mask=missing))
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def description(self) -> str:
        return f"unnest {self.outer} {self.position} {self.schema}"
