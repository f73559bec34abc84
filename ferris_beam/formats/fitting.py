"""Rows of a unit made to fit what was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.formats.base import FormatReader, Piece


class Filtered(FormatReader):
    """A unit of a format that knows no conditions: rows are dropped once they are read."""

    def __init__(self, inner: FormatReader, schema: pa.Schema, predicate: pc.Expression) -> None:
        self.schema = schema
        self._inner = inner
        self._predicate = predicate

    def read(self, start: int, end: int) -> Iterator[Piece]:
        for piece in self._inner.read(start, end):
            kept = piece.records.filter(self._predicate).select(self.schema.names)
            yield replace(piece, records=kept)


class Fitted(FormatReader):
    """A unit that lacks some of the columns: they are null."""

    def __init__(self, inner: FormatReader, schema: pa.Schema) -> None:
        self.schema = schema
        self._inner = inner

    def read(self, start: int, end: int) -> Iterator[Piece]:
        for piece in self._inner.read(start, end):
            yield replace(piece, records=self._fitted(piece.records))

    def _fitted(self, records: pa.RecordBatch) -> pa.RecordBatch:
        there = set(self._inner.schema.names)
        columns = [
            records.column(field.name)
            if field.name in there
            else pa.nulls(records.num_rows, field.type)
            for field in self.schema
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)
