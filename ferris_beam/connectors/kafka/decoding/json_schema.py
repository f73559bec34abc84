"""JSON Schema to columns, as far as it says what they are.

https://json-schema.org/understanding-json-schema. Objects with properties are structs, those
without are maps of what ``additionalProperties`` says. ``$ref`` names a definition of the schema
itself, or a schema that the registry keeps as a reference. What has several types, or none, is no
column that could be told: such schemas are refused, and ``schema=`` names the columns.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any
from urllib.parse import unquote

import pyarrow as pa

from ferris_beam.connectors.kafka.registry import Registered
from ferris_beam.errors import SchemaError
from ferris_beam.formats.widening import widened

_DEEPEST = 64
_FORMATS = {"date-time": pa.timestamp("us", "UTC"), "date": pa.date32()}
_INTEGERS = {"int8": pa.int8(), "int16": pa.int16(), "int32": pa.int32(), "int64": pa.int64()}
_DECIMAL = "org.apache.kafka.connect.data.Decimal"
_MOST_DIGITS = 38
_ENCODINGS = {"bytes": "base64"}
"""How Kafka Connect writes types of its own as texts."""


def columns_of(registered: Sequence[Registered]) -> pa.Schema:
    """The columns of schemas together. Raises `SchemaError`."""
    try:
        return reduce(widened, [_Document(each).columns() for each in registered])
    except TypeError as error:
        raise SchemaError(
            f"the schemas {', '.join(str(each.id) for each in registered)} have columns of "
            f"types that have nothing in common: {error}; read the topics one by one"
        ) from error


class _Document:
    """One schema, and what it refers to."""

    def __init__(self, registered: Registered, name: str = "") -> None:
        self.place = name or f"schema {registered.id}"
        if registered.kind != "JSON":
            raise SchemaError(f"{self.place} is of the kind {registered.kind}, not JSON")
        self.root = json.loads(registered.text)
        self._references = registered.references

    def columns(self) -> pa.Schema:
        kind = self.type_of(self.root, "", 0)
        if not pa.types.is_struct(kind):
            raise SchemaError(
                f"{self.place} is not of objects with properties, which would be the columns; "
                "name them with schema=id:int64,name:string"
            )
        return pa.schema(list(kind))

    def type_of(self, schema: Any, place: str, depth: int) -> pa.DataType:
        """The type of the values; ``place`` is the path of keys to them."""
        if not isinstance(schema, dict) or depth > _DEEPEST:
            raise self._unknown(place)
        if "$ref" in schema:
            document, found = self._referred(str(schema["$ref"]), place)
            return document.type_of(found, place, depth + 1)
        for word in ("oneOf", "anyOf"):
            if word in schema:
                choices = [each for each in schema[word] if each != {"type": "null"}]
                if len(choices) != 1:
                    raise self._unknown(place)
                return self.type_of(choices[0], place, depth + 1)
        kind = schema.get("type")
        if isinstance(kind, list):
            kinds = [each for each in kind if each != "null"]
            kind = kinds[0] if len(kinds) == 1 else None
        return self._typed(kind, schema, place, depth)

    def _typed(self, kind: Any, schema: Any, place: str, depth: int) -> pa.DataType:
        if kind == "object":
            return self._object(schema, place, depth)
        if kind == "array":
            return pa.list_(self.type_of(schema.get("items"), f"{place}[]", depth + 1))
        if kind == "integer":
            return _INTEGERS.get(str(schema.get("connect.type")), pa.int64())
        if kind == "number":
            return _number(schema)
        if kind == "boolean":
            return pa.bool_()
        if kind == "string" or isinstance(next(iter(schema.get("enum", ())), None), str):
            return _text(schema)
        raise self._unknown(place)

    def _object(self, schema: Any, place: str, depth: int) -> pa.DataType:
        properties = schema.get("properties")
        if properties:
            fields = []
            for name, each in properties.items():
                where = f"{place}.{name}" if place else name
                fields.append((name, self.type_of(each, where, depth + 1)))
            return pa.struct(fields)
        items = schema.get("additionalProperties")
        if not isinstance(items, dict):
            raise self._unknown(place)
        return pa.map_(pa.string(), self.type_of(items, f"{place}{{}}", depth + 1))

    def _referred(self, reference: str, place: str) -> tuple[_Document, Any]:
        name, _, pointer = reference.partition("#")
        document = self
        if name:
            if name not in self._references:
                raise SchemaError(
                    f"{self.place}, {place or 'at the top'}: the registry has no {name!r} among "
                    "the schema's references"
                )
            document = _Document(self._references[name], name)
        found = document.root
        for part in pointer.strip("/").split("/") if pointer.strip("/") else ():
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            if not isinstance(found, Mapping) or key not in found:
                raise SchemaError(f"{self.place}: {reference!r} refers to nothing")
            found = found[key]
        return document, found

    def _unknown(self, place: str) -> SchemaError:
        return SchemaError(
            f"{self.place}, {place or 'at the top'}: the schema does not say one type; name the "
            "columns with schema=id:int64,name:string"
        )


def _number(schema: Mapping[str, Any]) -> pa.DataType:
    if schema.get("title") != _DECIMAL:
        return pa.float32() if schema.get("connect.type") == "float32" else pa.float64()
    parameters = schema.get("connect.parameters", {})
    digits = int(parameters.get("connect.decimal.precision", _MOST_DIGITS))
    return pa.decimal128(min(digits, _MOST_DIGITS), int(parameters.get("scale", 0)))


def _text(schema: Mapping[str, Any]) -> pa.DataType:
    if "base64" in (schema.get("contentEncoding"), _ENCODINGS.get(str(schema.get("connect.type")))):
        return pa.binary()
    return _FORMATS.get(str(schema.get("format")), pa.string())
