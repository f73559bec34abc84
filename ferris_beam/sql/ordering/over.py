"""OVER: window functions, each partition's rows together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from ferris_beam.batches import concatenate, pieces
from ferris_beam.batches.hashing import hashes_of_rows
from ferris_beam.batches.words import mix
from ferris_beam.interval import Origin
from ferris_beam.sql import nodes
from ferris_beam.sql.joins.expressions import Expressions
from ferris_beam.sql.joins.gathering import Gathering, gathered_again, repeatable
from ferris_beam.sql.joins.sides import unused_name
from ferris_beam.sql.kernel import Kernel, fragment
from ferris_beam.sql.ordering.frames import refuse_moving_frames
from ferris_beam.sql.ordering.streaming import LEAST_BYTES
from ferris_beam.sql.ordering.top_rows import RowLimit, top_rows_query
from ferris_beam.sql.ordering.window_query import window_query
from ferris_beam.sql.text import SqlText
from ferris_beam.transforms.stage import Completion, Preparation

HELD_BYTES = 512 << 20
"""The rows that are computed at a time; a partition with more is cut by its keys."""

_WORTHWHILE = 0.5
"""Leaving rows out early is given up where more than this share stays."""


def plan_over(
    node: nodes.Over,
    text: SqlText | None = None,
    *,
    limit: RowLimit | None = None,
    memory_limit: int = HELD_BYTES,
) -> tuple[Preparation, Completion]:
    """The stage that computes window functions.

    With a ``limit`` (`row_limit`) rows that a filter above it would drop anyway may be left out
    early. Raises `SqlError` where a type doesn't fit.
    """
    hash_column = unused_name("hash", node.input.schema.names)
    return (
        OverPreparation(node, hash_column, limit, text),
        OverCompletion(node, hash_column, memory_limit, text),
    )


class OverPreparation(Preparation):
    """Rows on their way to the partition that their PARTITION BY decides."""

    def __init__(
        self, node: nodes.Over, hash_column: str, limit: RowLimit | None, text: SqlText | None
    ) -> None:
        self._keys = Expressions(node.partition, node.input.schema, text)
        self._schema = node.input.schema.append(pa.field(hash_column, pa.uint64()))
        self._top: Kernel | None = None
        if limit is not None:
            self._top = Kernel(fragment(top_rows_query(node, limit, self._schema), [self._schema]))
        self.key_columns = (hash_column,) if node.partition else ()
        self._spoken = f"{[each.sql() for each in node.partition]} {limit}"

    def open(self) -> None:
        self._gathering = Gathering()
        self._is_worthwhile = self._top is not None

    def add(self, records: pa.RecordBatch, origin: Origin | None) -> Iterable[pa.RecordBatch]:
        hashes = hashes_of_rows(self._keys.values(records), records.num_rows)
        columns = [*records.columns, pa.array(hashes)]
        for gathered in self._gathering.add(
            pa.RecordBatch.from_arrays(columns, schema=self._schema)
        ):
            first = self._first(gathered)
            yield from gathered_again(self._gathering, gathered, first)

    def flush(self) -> Iterable[pa.RecordBatch]:
        return map(self._first, self._gathering.flush())

    def _first(self, records: pa.RecordBatch) -> pa.RecordBatch:
        """The rows that may be among the first of their partition."""
        if self._top is None or not self._is_worthwhile:
            return records
        first = self._top.run([records])
        self._is_worthwhile = first.num_rows <= records.num_rows * _WORTHWHILE
        return first

    def description(self) -> str:
        return f"partition by {self._spoken}"


class OverCompletion(Completion):
    """The rows of a partition with the values of the calls."""

    def __init__(
        self, node: nodes.Over, hash_column: str, memory_limit: int, text: SqlText | None
    ) -> None:
        self._hash = hash_column
        self._given = node.input.schema
        self._schema = node.schema
        self._memory_limit = memory_limit
        query = fragment(window_query(node), [self._given], text)
        sorting = max(memory_limit, LEAST_BYTES)
        self._kernel = Kernel(query, sorting, name="OVER")
        refuse_moving_frames(node, self._kernel, text)

    def results(
        self, partition: int, inputs: Sequence[Iterable[pa.RecordBatch]]
    ) -> Iterator[pa.RecordBatch]:
        batches = repeatable(inputs[0])
        shares = 1 + sum(batch.nbytes for batch in batches) // self._memory_limit
        for share in range(shares):
            rows = [self._share(batch, share, shares) for batch in batches]
            if any(part.num_rows for part in rows):
                found = self._kernel.run([concatenate(rows)])
                yield from pieces(found.select(self._schema.names).cast(self._schema))

    def _share(self, batch: pa.RecordBatch, share: int, shares: int) -> pa.RecordBatch:
        """The rows whose keys belong to one of ``shares`` parts of the partition."""
        rows = batch.select(self._given.names)
        if shares == 1:
            return rows
        hashes = mix(batch.column(self._hash).to_numpy())
        return rows.filter(pa.array(hashes % np.uint64(shares) == np.uint64(share)))

    def description(self) -> str:
        return self._kernel.fragment.sql
