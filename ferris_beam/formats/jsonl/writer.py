"""Batches to JSON Lines, by arrow-rs (arro3): every row has all keys, nulls included.

Times are ISO 8601 (with a zone: in UTC), durations too, decimals numbers with all their digits,
binary base64 (RFC 4648). JSON has no NaN and no infinity: rows with them are bad unless they may
become null. Dates have four digits of the year (RFC 3339).
"""

from __future__ import annotations

import io
from typing import IO

import arro3.io
import pyarrow as pa

from ferris_beam.formats.base import FormatWriter
from ferris_beam.formats.jsonl.representation import check_values, check_writable, represented


class JsonLinesWriter(FormatWriter):
    def __init__(self, target: IO[bytes], schema: pa.Schema, non_finite: str = "reject") -> None:
        self._target = target
        self._non_finite = non_finite
        for field in schema:
            check_writable(field)

    def write(self, records: pa.RecordBatch) -> None:
        for field, column in zip(records.schema, records.columns, strict=True):
            check_values(field, column, self._non_finite == "null")
        columns = [represented(column) for column in records.columns]
        table = pa.table(columns, names=records.schema.names)
        text = io.BytesIO()
        arro3.io.write_ndjson(table, text, explicit_nulls=True)
        self._target.write(text.getbuffer())

    def close(self) -> None:
        """Nothing is held back."""
