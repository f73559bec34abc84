"""Rows at the edges of a pipeline: batches to rows, and anything a user has to batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import PCollection
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MIN_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from ferris_beam.batches import Batch, from_rows, pieces, to_rows
from ferris_beam.batches.rebatch import MAX_ROWS


class Rows(beam.PTransform):
    """Batches to rows: dictionaries, or ``beam.Row`` elements of ``schema``.

    ``schema``: a NamedTuple class, whose instances the rows become, or a `pyarrow.Schema`, for
    ``beam.Row``. Rows have no origin: what is written behind this transform is at least once.
    """

    def __init__(self, schema: Any = None) -> None:
        super().__init__()
        self.schema = schema

    def expand(self, batches: PCollection) -> PCollection:
        if self.schema is None:
            return batches | "Dicts" >> beam.FlatMap(_dictionaries).with_output_types(dict)
        if isinstance(self.schema, pa.Schema):
            names = list(self.schema.names)
            return batches | "Rows" >> beam.FlatMap(_beam_rows, names).with_output_types(beam.Row)
        kind = self.schema
        return batches | "Tuples" >> beam.FlatMap(_tuples, kind).with_output_types(kind)


def _dictionaries(batch: Batch) -> list[dict[str, Any]]:
    return to_rows(batch.records)


def _beam_rows(batch: Batch, names: list[str]) -> Iterator[beam.Row]:
    if batch.num_rows:
        for row in to_rows(batch.records.select(names)):
            yield beam.Row(**row)


def _tuples(batch: Batch, kind: Any) -> Iterator[Any]:
    if batch.num_rows:
        for row in to_rows(batch.records.select(list(kind._fields))):
            yield kind(**row)


class CollectBatches(beam.DoFn):
    """Makes batches without origin of whatever comes: batches, tables, rows of any kind.

    Rows are gathered up to `MAX_ROWS` within a bundle.
    """

    def __init__(self, schema: pa.Schema | None = None) -> None:
        self.schema = schema
        self.rows: list[Any] = []

    def start_bundle(self) -> None:
        self.rows = []

    def process(self, element: Any) -> Iterator[Batch]:
        if isinstance(element, Batch):
            yield Batch(element.records)
        elif isinstance(element, pa.RecordBatch):
            yield Batch(element)
        elif isinstance(element, pa.Table):
            for records in element.to_batches():
                yield from map(Batch, pieces(records))
        else:
            self.rows.append(element)
            if len(self.rows) >= MAX_ROWS:
                yield self._gathered()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        if self.rows:
            yield WindowedValue(self._gathered(), MIN_TIMESTAMP, (GlobalWindow(),))

    def _gathered(self) -> Batch:
        rows, self.rows = self.rows, []
        return Batch(from_rows(rows, self.schema))
