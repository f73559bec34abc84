"""OVER: window functions, each partition's rows together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from ferris_beam.batches import concatenate, pieces
from ferris_beam.interval import Origin
from ferris_beam.sql.joins.expressions import Expressions
from ferris_beam.sql.joins.gathering import Gathering
from ferris_beam.sql.joins.hashing import mix
from ferris_beam.sql.joins.keys import Keys
from ferris_beam.sql.joins.sides import unused_name
from ferris_beam.sql.kernel import Kernel, fragment
from ferris_beam.sql.ordering.top_rows import RowLimit, top_rows_query
from ferris_beam.sql.ordering.window_query import window_query
from ferris_beam.sql.plan import nodes
from ferris_beam.sql.text import SqlText
from ferris_beam.transforms.stage import Completion, Preparation

HELD_BYTES = 512 << 20
"""The rows that are computed at a time; a partition with more is cut by its keys."""


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
        schema = node.input.schema
        self._hash = hash_column
        self._keys = Expressions(node.partition, schema, text)
        self._types = self._keys.types
        self._top: Kernel | None = None
        if limit is not None:
            self._top = Kernel(fragment(top_rows_query(node, limit), [schema], text))
        self.key_columns = (self._hash,) if node.partition else ()
        self._spoken = f"{[each.sql() for each in node.partition]} {limit}"

    def open(self) -> None:
        self._gathering = Gathering()

    def add(self, records: pa.RecordBatch, origin: Origin | None) -> Iterable[pa.RecordBatch]:
        if records.num_rows == 0:
            return
        hashed = self._hashed(self._first(records))
        for gathered in self._gathering.add(hashed):
            yield from self._gathering.add(self._first(gathered)) if self._top else [gathered]

    def flush(self) -> Iterable[pa.RecordBatch]:
        return map(self._first, self._gathering.flush())

    def _first(self, records: pa.RecordBatch) -> pa.RecordBatch: ...
