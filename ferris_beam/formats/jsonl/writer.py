"""Batches to JSON Lines, by arrow-rs (arro3): every row has all keys, nulls included.

Times are ISO 8601 (with a zone: in UTC), decimals numbers with all their digits, binary base64
(RFC 4648). JSON has no NaN and no infinity: they become null.
"""

from __future__ import annotations

import binascii
import io
from typing import IO

import arro3.io
import pyarrow as pa
import pyarrow.types as pt

from ferris_beam.errors import SchemaError
from ferris_beam.formats.base import FormatWriter


class JsonLinesWriter(FormatWriter):
    def __init__(self, target: IO[bytes], schema: pa.Schema) -> None:
        self._target = target
        for field in schema:
            if pt.is_nested(field.type) and _holds_binary(field.type):
                raise SchemaError(
                    f"column {field.name!r}: JSON can't hold the binary values in {field.type}; "
                    "write format=parquet, or turn them into text before"
                )
        self._changed = [at for at, field in enumerate(schema) if _is_changed(field.type)]

    def write(self, records: pa.RecordBatch) -> None:
        for at in self._changed:
            records = records.set_column(at, records.schema.names[at], _plain(records.column(at)))
        text = io.BytesIO()
        arro3.io.write_ndjson(pa.Table.from_batches([records]), text, explicit_nulls=True)
        self._target.write(text.getbuffer())

    def close(self) -> None:
        """Nothing is held back."""


def _is_changed(kind: pa.DataType) -> bool:
    return _holds_binary(kind) or (pt.is_timestamp(kind) and kind.tz is not None)


def _plain(column: pa.Array) -> pa.Array:
    """A column as the encoder is to see it: bytes as base64, times of any zone in UTC (offsets of
    old have seconds, which no reader takes)."""
    if pt.is_timestamp(column.type):
        return column.cast(pa.timestamp(column.type.unit, "UTC"))
    return _base64(column)


def _base64(column: pa.Array) -> pa.Array:
    values = column.cast(pa.binary()).to_pylist()
    return pa.array(
        [None if value is None else binascii.b2a_base64(value, newline=False) for value in values],
        pa.binary(),
    ).cast(pa.string())


def _holds_binary(kind: pa.DataType) -> bool:
    if pt.is_dictionary(kind):
        return _holds_binary(kind.value_type)
    if pt.is_nested(kind):
        return any(_holds_binary(kind.field(at).type) for at in range(kind.num_fields))
    return (
        pt.is_binary(kind)
        or pt.is_large_binary(kind)
        or pt.is_fixed_size_binary(kind)
        or pt.is_binary_view(kind)
    )
