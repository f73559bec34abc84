"""JSON values, each behind the id of its JSON Schema.

The schema is of the dialect and in the shape that Confluent's serializers register: every property
may be null; it is closed, so that columns may be added without breaking readers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.types as pt

from ferris_beam.connectors.kafka.registry import Registry, header_of
from ferris_beam.connectors.kafka.writing.encoding import JsonEncoder, ValueEncoder
from ferris_beam.formats.jsonl.representation import is_binary, is_list, is_uuid

_KIND = "JSON"
_DIALECT = "http://json-schema.org/draft-07/schema#"
_INTEGERS = {
    pa.int8(): "int8",
    pa.int16(): "int16",
    pa.int32(): "int32",
    pa.int64(): "int64",
}


class RegisteredJsonEncoder(ValueEncoder):
    """Registers the schema of the rows, when it is new, under the subject that ``subject`` makes
    of the rows' name."""

    def __init__(
        self, plain: JsonEncoder, registry: Registry, title: str, subject: Callable[[str], str]
    ) -> None:
        self._plain = plain
        self._registry = registry
        self._title = title
        self._subject = subject(title)
        self._headers: dict[pa.Schema, bytes] = {}

    def encode(self, records: pa.RecordBatch) -> Sequence[bytes]:
        values = self._plain.encode(records)  # refuses types before anything is registered
        header = self._header(records.schema)
        return [header + value for value in values]

    def _header(self, schema: pa.Schema) -> bytes:
        plain = schema.remove_metadata()
        found = self._headers.get(plain)
        if found is None:
            text = json.dumps(json_schema(plain, self._title), separators=(",", ":"))
            id = self._registry.register(self._subject, text, _KIND)
            found = self._headers[plain] = header_of(id)
        return found


def json_schema(schema: pa.Schema, title: str) -> dict[str, Any]:
    """Of the objects that `JsonEncoder` makes of rows."""
    return {"$schema": _DIALECT, "title": title, **_object(list(schema))}


def _object(fields: Sequence[pa.Field]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            each.name: {"oneOf": [{"type": "null"}, _kind(each.type)]} for each in fields
        },
    }


def _kind(kind: pa.DataType) -> dict[str, Any]:
    if is_uuid(kind):
        return {"type": "string", "format": "uuid"}
    if isinstance(kind, pa.BaseExtensionType):
        return _kind(kind.storage_type)
    if pt.is_dictionary(kind) or pt.is_run_end_encoded(kind):
        return _kind(kind.value_type)
    if pt.is_struct(kind):
        return _object(list(kind))
    if is_list(kind):
        return {"type": "array", "items": _nullable(kind.value_type)}
    if pt.is_map(kind):
        return {"type": "object", "additionalProperties": _nullable(kind.item_type)}
    return _plain_kind(kind)


def _nullable(kind: pa.DataType) -> dict[str, Any]:
    return {"oneOf": [{"type": "null"}, _kind(kind)]}


def _plain_kind(kind: pa.DataType) -> dict[str, Any]:
    if pt.is_boolean(kind):
        return {"type": "boolean"}
    if pt.is_integer(kind):
        connect = _INTEGERS.get(kind)
        return {"type": "integer"} if connect is None else {"type": "integer", **_connect(connect)}
    if pt.is_floating(kind):
        single = pt.is_float32(kind)
        return {"type": "number", **_connect("float32" if single else "float64")}
    if pt.is_decimal(kind):
        parameters = {"scale": str(kind.scale), "connect.decimal.precision": str(kind.precision)}
        return {
            "type": "number",
            "title": "org.apache.kafka.connect.data.Decimal",
            "connect.parameters": parameters,
            **_connect("bytes"),
        }
    if pt.is_timestamp(kind) and kind.tz is not None:
        return {"type": "string", "format": "date-time"}
    if pt.is_date(kind):
        return {"type": "string", "format": "date"}
    if is_binary(kind):
        return {"type": "string", "contentEncoding": "base64", **_connect("bytes")}
    if pt.is_null(kind):
        return {"type": "null"}
    return {"type": "string"}


def _connect(name: str) -> dict[str, Any]:
    """How Kafka Connect names a type that JSON Schema is too coarse for."""
    return {"connect.type": name}
