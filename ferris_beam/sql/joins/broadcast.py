"""Joins of a large side with a small one that every worker holds."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from ferris_beam.errors import FatalError
from ferris_beam.sql import nodes
from ferris_beam.sql.joins.matching import Build, Joiner
from ferris_beam.sql.joins.planning import rule_of, sides_of
from ferris_beam.sql.joins.table import TABLE_BYTES, Table, held_rows, shared
from ferris_beam.sql.text import SqlText
from ferris_beam.transforms.context import Run


class BroadcastJoin:
    """Joins batches of the left side with ``table``, which holds all of the right side.

    Pickled to the workers, opened there; one thread uses it at a time, all of a process share the
    table. Raises `SqlError` where keys can't be compared.
    """

    def __init__(
        self,
        node: nodes.Join,
        table: Table,
        text: SqlText | None = None,
        limit: int = TABLE_BYTES,
    ) -> None:
        if node.kind in ("right", "full"):
            raise FatalError(
                f"a {node.kind} join puts out rows of the right side that no worker alone can "
                "know to be without a match: it must be a hash join"
            )
        self._left, self._right = sides_of(node, text)
        self._rule = rule_of(node, self._left, self._right, text)
        self._table = table
        self._limit = limit

    def description(self) -> str:
        keys = f"{self._left.spoken} = {self._right.spoken}"
        return f"{self._rule.description()} on {keys} with {self._table.description()}"

    def open(self, run: Run) -> None:
        """Loads the table, unless another thread has."""
        key = (run.identity.run, self._table.key, self.description())
        self._joiner = Joiner(self._rule, shared(key, lambda: self._build(run)))

    def _build(self, run: Run) -> Build:
        prepared = (self._right.prepared(batch) for batch in self._table.batches(run))
        rows = held_rows(prepared, self._right.schema, self._table.name, self._limit)
        return Build(rows, self._right.keys(rows, self._rule.nulls_equal))

    def run(self, records: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """The results for one batch, in parts of bounded size; at least one, perhaps empty.

        Raises `BadRecordError` for a row whose key or condition has no value, or that has several
        matches where one may be.
        """
        prepared = self._left.prepared(records)
        keys = self._left.keys(prepared, self._rule.nulls_equal)
        found = False
        for part in self._joiner.probe(prepared, keys):
            found = True
            yield part
        if not found:
            yield pa.RecordBatch.from_pylist([], self._rule.schema)
