"""Batches to CSV (RFC 4180): nulls are empty, empty texts are ``""``."""

from __future__ import annotations

import csv
import io
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.types as pt

from ferris_beam.errors import SchemaError
from ferris_beam.formats.base import FormatWriter

_ROWS_AT_A_TIME = 16_384


class CsvWriter(FormatWriter):
    """Writes with pyarrow. The header is written at once, so that a file without rows has one.

    pyarrow quotes all texts or none: none until a batch needs it, then all.
    """

    def __init__(self, target: IO[bytes], schema: pa.Schema, delimiter: str, header: bool) -> None:
        self._target = target
        self._schema = pa.schema([pa.field(field.name, _written_as(field)) for field in schema])
        self._delimiter = delimiter
        self._quoted = False
        if header:
            target.write(_header(schema.names, delimiter))

    def write(self, records: pa.RecordBatch) -> None:
        columns = [
            column.cast(field.type)
            for column, field in zip(records.columns, self._schema, strict=True)
        ]
        if len(columns) == 1:
            columns = [_visible(columns[0])]
        self._quoted = self._quoted or any(map(_has_empty_text, columns))
        plain = pa.RecordBatch.from_arrays(columns, names=self._schema.names)
        self._target.write(self._text(plain))

    def _text(self, records: pa.RecordBatch) -> pa.Buffer:
        if not self._quoted:
            try:
                return self._encode(records, "none")
            except pa.ArrowInvalid:  # a text holds a delimiter, a quote or a line end
                self._quoted = True
        return self._encode(records, "needed")

    def _encode(self, records: pa.RecordBatch, quoting: str) -> pa.Buffer:
        text = pa.BufferOutputStream()
        options = pacsv.WriteOptions(
            include_header=False,
            delimiter=self._delimiter,
            batch_size=_ROWS_AT_A_TIME,
            quoting_style=quoting,
        )
        pacsv.write_csv(records, text, options)
        return text.getvalue()

    def close(self) -> None:
        """Nothing is held back."""


def _has_empty_text(column: pa.Array) -> bool:
    """An empty text is quoted, since without quotes it would be null."""
    if not (pt.is_string(column.type) or pt.is_large_string(column.type)):
        return False
    return bool(pc.any(pc.equal(pc.binary_length(column), 0)).as_py())


def _header(names: list[str], delimiter: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerow(names)
    return text.getvalue().encode()


def _visible(column: pa.Array) -> pa.Array:
    """A single column's null would be a blank line, which is no row: it is written as ``""``."""
    if not column.null_count:
        return column
    return pc.fill_null(column.cast(pa.string()), "")


def _written_as(field: pa.Field) -> pa.DataType:
    """What pyarrow can write, of the same text; raises `SchemaError` for what is no CSV."""
    kind = field.type
    if pt.is_dictionary(kind):
        kind = kind.value_type
    if pt.is_string_view(kind):
        return pa.large_string()
    if pt.is_timestamp(kind) and kind.tz is not None:
        return pa.timestamp(kind.unit, "UTC")  # offsets of old have seconds, which no text has
    if pt.is_nested(kind) or _is_binary(kind):
        raise SchemaError(
            f"column {field.name!r}: CSV can't hold {kind}; write format=jsonl or format=parquet, "
            "or turn the column into text before"
        )
    return kind


def _is_binary(kind: pa.DataType) -> bool:
    return (
        pt.is_binary(kind)
        or pt.is_large_binary(kind)
        or pt.is_fixed_size_binary(kind)
        or pt.is_binary_view(kind)
    )
