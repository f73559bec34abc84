"""Values of rows for people and for JSON.

Arrow writes what Python has no type for: nanoseconds, years beyond 9999. Bytes that are no UTF-8
are escaped where a column of text holds them.
"""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import pyarrow as pa
import pyarrow.types as pt

_SHOWN_BYTES = 32


def as_text(value: pa.Scalar) -> str | None:
    """A value as people read it; None for null."""
    if not value.is_valid:
        return None
    kind = value.type
    if _is_binary(kind):
        data = value.as_buffer().to_pybytes()
        return f"0x{data[:_SHOWN_BYTES].hex()}{'…' if len(data) > _SHOWN_BYTES else ''}"
    if pt.is_nested(kind):
        return json.dumps(as_plain(value), ensure_ascii=False)
    return _as_written(value)


def as_plain(value: pa.Scalar) -> Any:
    """A value as JSON holds it: bytes in base64, what JSON has no type for as text."""
    if not value.is_valid:
        return None
    kind = value.type
    if pt.is_boolean(kind) or pt.is_integer(kind):
        return value.as_py()
    if pt.is_floating(kind):
        number = float(value.as_py())
        return number if math.isfinite(number) else str(number)
    if _is_binary(kind):
        return base64.b64encode(value.as_buffer().to_pybytes()).decode("ascii")
    if pt.is_struct(kind):
        return {name: as_plain(item) for name, item in value.items()}
    if pt.is_nested(kind):
        return [as_plain(item) for item in value.values]
    return _as_written(value)


def plain_rows(records: pa.RecordBatch) -> list[dict[str, Any]]:
    """A dictionary for each row. Of columns with equal names the last one wins."""
    return [
        {
            name: as_plain(column[row])
            for name, column in zip(records.schema.names, records.columns, strict=True)
        }
        for row in range(records.num_rows)
    ]


def is_number(kind: pa.DataType) -> bool:
    return bool(pt.is_integer(kind) or pt.is_floating(kind) or pt.is_decimal(kind))


def _as_written(value: pa.Scalar) -> str:
    if isinstance(value, (pa.DictionaryScalar, pa.ExtensionScalar)):
        return as_text(value.value) or ""
    if _is_string(value.type):
        return value.as_buffer().to_pybytes().decode("utf-8", "backslashreplace")
    if pt.is_decimal(value.type):  # Arrow writes 0E-16
        return format(value.as_py(), "f")
    try:
        return str(value.cast(pa.string()).as_py())
    except pa.ArrowException:  # durations have no text in Arrow
        return str(value)


def _is_binary(kind: pa.DataType) -> bool:
    return bool(
        pt.is_binary(kind)
        or pt.is_large_binary(kind)
        or pt.is_fixed_size_binary(kind)
        or pt.is_binary_view(kind)
    )


def _is_string(kind: pa.DataType) -> bool:
    return bool(pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind))
