"""Batches to CSV (RFC 4180): nulls are empty, empty texts are ``""``, unless options say else."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.types as pt

from ferris_beam.errors import BadRecordError, SchemaError
from ferris_beam.formats.base import FormatWriter
from ferris_beam.formats.csv.lines import header_of, lines_of
from ferris_beam.formats.csv.style import Style

_ROWS_AT_A_TIME = 16_384


class CsvWriter(FormatWriter):
    """Writes with pyarrow what pyarrow can write. The header is written at once, so that a file
    without rows has one. ``begins`` is false for what continues another file.

    pyarrow quotes all texts or none: none until a batch needs it, then all.
    """

    def __init__(
        self,
        target: IO[bytes],
        schema: pa.Schema,
        style: Style,
        *,
        header: bool = True,
        begins: bool = True,
    ) -> None:
        self._target = target
        self._schema = pa.schema([pa.field(field.name, _written_as(field)) for field in schema])
        self._style = style
        self._quoted = False
        if begins and style.encoding == "utf-8-sig":
            target.write(codecs.BOM_UTF8)
        if begins and header:
            target.write(self._header(schema.names))

    def _header(self, names: list[str]) -> bytes | memoryview:
        try:
            return self._encoded(header_of(names, self._style))
        except BadRecordError as error:
            raise SchemaError(f"the names of the columns can't be written: {error}") from error

    def write(self, records: pa.RecordBatch) -> None:
        columns = [
            column.cast(field.type)
            for column, field in zip(records.columns, self._schema, strict=True)
        ]
        plain = pa.RecordBatch.from_arrays(columns, names=self._schema.names)
        if self._style.is_plain:
            self._target.write(self._encoded(self._plain_text(plain)))
        else:
            pieces = [self._encoded(lines_of(part, self._style)) for part in _parts(plain)]
            for piece in pieces:  # none of them before all are known to be possible
                self._target.write(piece)

    def _encoded(self, text: pa.Buffer | bytes) -> bytes | memoryview:
        if self._style.encoding in ("utf-8", "utf-8-sig"):
            return memoryview(text)
        try:
            return codecs.encode(str(text, "utf-8"), self._style.encoding)
        except UnicodeEncodeError as error:
            raise BadRecordError(
                f"{error.object[error.start]!r} is no character of {self._style.encoding}; set "
                "encoding=utf-8",
                "no such character",
            ) from error

    def close(self) -> None:
        """Nothing is held back."""

    # ── by pyarrow ──────────────────────────────────────────────────────────────────────────

    def _plain_text(self, records: pa.RecordBatch) -> pa.Buffer:
        if records.num_columns == 1:
            records = records.set_column(0, records.schema.names[0], _visible(records.column(0)))
        self._quoted = self._quoted or any(map(_has_empty_text, records.columns))
        if not self._quoted:
            try:
                return self._write_csv(records, "none")
            except pa.ArrowInvalid:  # a text holds a delimiter, a quote or a line end
                self._quoted = True
        return self._write_csv(records, "needed")

    def _write_csv(self, records: pa.RecordBatch, quoting: str) -> pa.Buffer:
        text = pa.BufferOutputStream()
        options = pacsv.WriteOptions(
            include_header=False,
            delimiter=self._style.delimiter,
            batch_size=_ROWS_AT_A_TIME,
            quoting_style=quoting,
        )
        pacsv.write_csv(records, text, options)
        return text.getvalue()


def _parts(records: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    for start in range(0, records.num_rows, _ROWS_AT_A_TIME):
        yield records.slice(start, _ROWS_AT_A_TIME)


def _has_empty_text(column: pa.Array) -> bool:
    """An empty text is quoted, since without quotes it would be null."""
    if not (pt.is_string(column.type) or pt.is_large_string(column.type)):
        return False
    return bool(pc.any(pc.equal(pc.binary_length(column), 0)).as_py())


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
