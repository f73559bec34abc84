"""Rows to the values of messages."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Sequence

import arro3.io
import pyarrow as pa

from ferris_beam.batches.casting import cast_column
from ferris_beam.errors import BadRecordError, SchemaError
from ferris_beam.formats.jsonl.representation import check_values, check_writable, represented


class ValueEncoder(ABC):
    """Encodes rows of any schema; one thread uses it at a time."""

    @abstractmethod
    def encode(self, records: pa.RecordBatch) -> Sequence[bytes | None]:
        """A value for each row.

        Raises `SchemaError` for types that the format lacks, and `BadRecordError` where a row
        can't be encoded.
        """


class JsonEncoder(ValueEncoder):
    """JSON objects with all keys, nulls included; as JSON Lines are written to files."""

    def __init__(self, non_finite: str) -> None:
        self._non_finite = non_finite

    def encode(self, records: pa.RecordBatch) -> Sequence[bytes]:
        if not records.num_columns:
            return [b"{}"] * records.num_rows
        for field, column in zip(records.schema, records.columns, strict=True):
            check_writable(field)
            check_values(field, column, self._non_finite == "null")
        columns = [represented(column) for column in records.columns]
        text = io.BytesIO()
        table = pa.table(columns, names=records.schema.names)
        arro3.io.write_ndjson(table, text, explicit_nulls=True)
        return text.getvalue().split(b"\n")[: records.num_rows]


class PlainEncoder(ValueEncoder):
    """The one column there is, of texts or of bytes; null is a message without a value."""

    def __init__(self, format: str) -> None:
        self._format = format
        self._kind = pa.string() if format == "string" else pa.binary()

    def encode(self, records: pa.RecordBatch) -> Sequence[bytes | None]:
        if records.num_columns != 1:
            raise SchemaError(
                f"format={self._format} writes one column, not {records.num_columns} "
                f"({', '.join(records.schema.names)}); select one, or take another format"
            )
        field = records.schema.field(0)
        if not (_is_text(field.type) or _is_bytes(field.type)):
            raise SchemaError(
                f"format={self._format}: the column {field.name!r} is {field.type}, not "
                f"{self._kind}; cast it"
            )
        if self._format == "string" and _is_bytes(field.type):
            cast = cast_column(records.column(0), pa.string(), name=field.name)
            if len(cast.bad):
                raise _bad_text(field.name, int(cast.bad[0]))
        return records.column(0).cast(pa.binary()).to_pylist()


def _bad_text(name: str, row: int) -> Exception:
    return BadRecordError(f"{name}: a value is not UTF-8", "not UTF-8", row)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.string_view()


def _is_bytes(kind: pa.DataType) -> bool:
    return (
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or kind == pa.binary_view()
    )
