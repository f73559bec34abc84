"""Arrow's types as Avro's: the schema that a file is written with.

What has no counterpart is refused by name, before anything is written. Every value may be null.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.types as pt

from ferris_beam.errors import SchemaError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SIMPLE = {
    pa.null(): "null",
    pa.bool_(): "boolean",
    pa.int8(): "int",
    pa.int16(): "int",
    pa.int32(): "int",
    pa.int64(): "long",
    pa.uint8(): "int",
    pa.uint16(): "int",
    pa.uint32(): "long",
    pa.float16(): "float",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.string(): "string",
    pa.large_string(): "string",
    pa.string_view(): "string",
    pa.binary(): "bytes",
    pa.large_binary(): "bytes",
    pa.binary_view(): "bytes",
    pa.date32(): {"type": "int", "logicalType": "date"},
    pa.date64(): {"type": "int", "logicalType": "date"},
    pa.time32("s"): {"type": "int", "logicalType": "time-millis"},
    pa.time32("ms"): {"type": "int", "logicalType": "time-millis"},
    pa.time64("us"): {"type": "long", "logicalType": "time-micros"},
    pa.uint64(): {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 0},
}
_UNITS = {"s": "millis", "ms": "millis", "us": "micros", "ns": "nanos"}

UUID = "arrow.uuid"
"""The name of Arrow's extension type, whose values Avro has as texts."""

ROOT = "row"
"""The name of the record that a row is."""


def avro_schema(schema: pa.Schema) -> dict[str, Any]:
    """The record of these columns. Raises `SchemaError` for names and types that Avro lacks."""
    return _record(list(schema), (ROOT,))


def _record(fields: Sequence[pa.Field], path: Sequence[str]) -> dict[str, Any]:
    names = [field.name for field in fields]
    for name in names:
        if not _NAME.fullmatch(name):
            raise SchemaError(
                f"the column {_shown((*path, name))}: Avro's names are letters, digits and '_', "
                f"and begin with no digit; rename it before it is written, to "
                f"{_proposal(name)!r} for example"
            )
        if names.count(name) > 1:
            raise SchemaError(f"there are several columns {_shown((*path, name))}; rename them")
    return {
        "type": "record",
        "name": ".".join(path),
        "fields": [
            {"name": field.name, "type": _nullable(field.type, (*path, field.name))}
            for field in fields
        ],
    }


def _nullable(kind: pa.DataType, path: Sequence[str]) -> Any:
    found = _avro_type(kind, path)
    return found if found == "null" else ["null", found]


def _avro_type(kind: pa.DataType, path: Sequence[str]) -> Any:
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if isinstance(kind, pa.BaseExtensionType):
        is_uuid = kind.extension_name == UUID
        return "string" if is_uuid else _avro_type(kind.storage_type, path)
    if pt.is_dictionary(kind) or pt.is_run_end_encoded(kind):
        return _avro_type(kind.value_type, path)
    if pt.is_timestamp(kind):
        local = "" if kind.tz else "local-"
        return {"type": "long", "logicalType": f"{local}timestamp-{_UNITS[kind.unit]}"}
    if pt.is_decimal(kind) and 0 <= kind.scale <= kind.precision:
        digits = {"precision": kind.precision, "scale": kind.scale}
        return {"type": "bytes", "logicalType": "decimal", **digits}
    if pt.is_fixed_size_binary(kind) and kind.byte_width:
        return {"type": "fixed", "name": ".".join(path), "size": kind.byte_width}
    if pt.is_struct(kind):
        return _record(list(kind), path)
    if pt.is_map(kind):
        return _map(kind, path)
    if is_list(kind) and not pt.is_null(kind.value_type):  # whose number no byte would bound
        return {"type": "array", "items": _nullable(kind.value_type, (*path, "item"))}
    raise SchemaError(
        f"the column {_shown(path)}: Avro has no type for {kind}; cast or drop it before it is "
        "written"
    )


def _map(kind: pa.MapType, path: Sequence[str]) -> Any:
    """A map; where its keys are no texts, an array of records."""
    if is_text(kind.key_type):
        return {"type": "map", "values": _nullable(kind.item_type, (*path, "value"))}
    fields = [pa.field("key", kind.key_type), pa.field("value", kind.item_type)]
    return {"type": "array", "items": ["null", _record(fields, (*path, "item"))]}


def is_list(kind: pa.DataType) -> bool:
    return (
        pt.is_list(kind)
        or pt.is_large_list(kind)
        or pt.is_fixed_size_list(kind)
        or pt.is_list_view(kind)
        or pt.is_large_list_view(kind)
    )


def is_text(kind: pa.DataType) -> bool:
    return pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind)


def _shown(path: Sequence[str]) -> str:
    return repr(".".join(path[1:]))


def _proposal(name: str) -> str:
    cleaned = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return cleaned if _NAME.fullmatch(cleaned) else f"_{cleaned}"
