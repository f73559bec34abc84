"""LIMIT without ORDER BY: the first rows in the order in which the sources hold them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from ferris_beam.batches import concatenate, pieces
from ferris_beam.interval import Origin
from ferris_beam.sql import nodes
from ferris_beam.sql.joins.gathering import Gathering
from ferris_beam.sql.joins.sides import empty, unused_name
from ferris_beam.transforms.stage import Completion, Preparation


class _Places:
    """Two more columns say where each row stood: its interval, and its number in the batch."""

    def __init__(self, given: pa.Schema) -> None:
        self.interval = unused_name("interval", given.names)
        self.row = unused_name("row", given.names)
        fields = [pa.field(self.interval, pa.string()), pa.field(self.row, pa.int64())]
        self.schema = pa.schema([*given, *fields])

    def added(self, records: pa.RecordBatch, origin: Origin | None) -> pa.RecordBatch:
        count = records.num_rows
        interval = pa.repeat(pa.scalar(_place(origin), pa.string()), count)
        columns = [*records.columns, interval, pa.array(np.arange(count))]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def first(self, records: pa.RecordBatch, limit: int | None) -> pa.RecordBatch:
        """The first ``limit`` rows, in order."""
        in_order = records.sort_by([(self.interval, "ascending"), (self.row, "ascending")])
        return in_order if limit is None else in_order.slice(0, limit)


def _place(origin: Origin | None) -> str:
    """Texts that compare as the places do; positions have up to 39 digits."""
    if origin is None:
        return ""
    parts = "/".join(f"{index:010d}" for index, _ in origin.parts)
    interval = origin.interval
    return "\0".join([*origin.path, interval.unit, f"{interval.start:040d}", parts])


class FirstRows(Preparation):
    """Of each batch no more rows than could be among the first."""

    def __init__(self, node: nodes.Sort) -> None:
        self._places = _Places(node.input.schema)
        self._limit = None if node.limit is None else node.offset + node.limit

    def open(self) -> None:
        self._gathering = Gathering()

    def add(self, records: pa.RecordBatch, origin: Origin | None) -> Iterable[pa.RecordBatch]:
        if self._limit is not None:
            records = records.slice(0, self._limit)
        for gathered in self._gathering.add(self._places.added(records, origin)):
            yield self._places.first(gathered, self._limit)

    def flush(self) -> Iterable[pa.RecordBatch]:
        for gathered in self._gathering.flush():
            yield self._places.first(gathered, self._limit)


class FirstRowsCompletion(Completion):
    """The first rows of all, from partition 0."""

    def __init__(self, node: nodes.Sort) -> None:
        self._places = _Places(node.input.schema)
        self._schema = node.schema
        self._limit = node.limit
        self._offset = node.offset

    def results(
        self, partition: int, inputs: Sequence[Iterable[pa.RecordBatch]]
    ) -> Iterator[pa.RecordBatch]:
        records = concatenate([empty(self._places.schema), *inputs[0]])
        rows = self._places.first(records, None).slice(self._offset, self._limit)
        if rows.num_rows:
            yield from pieces(rows.select(self._schema.names).cast(self._schema))

    def description(self) -> str:
        return f"first {self._limit} rows after {self._offset}"
