"""Avro's schemas, and the Arrow types that stand for them.

Source: Apache Avro 1.12, https://avro.apache.org/docs/1.12.0/specification/. A logical type that is
unknown, or does not go with its type, is ignored, as the specification asks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from ferris_beam.errors import FatalError, SchemaError

VALUE = "value"
"""The column of a file whose rows are no records."""

_PRIMITIVES = {
    "null": pa.null(),
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "bytes": pa.binary(),
    "string": pa.string(),
}
_LOGICAL = {
    ("int", "date"): pa.date32(),
    ("int", "time-millis"): pa.time32("ms"),
    ("long", "time-micros"): pa.time64("us"),
    ("long", "timestamp-millis"): pa.timestamp("ms", "UTC"),
    ("long", "timestamp-micros"): pa.timestamp("us", "UTC"),
    ("long", "timestamp-nanos"): pa.timestamp("ns", "UTC"),
    ("long", "local-timestamp-millis"): pa.timestamp("ms"),
    ("long", "local-timestamp-micros"): pa.timestamp("us"),
    ("long", "local-timestamp-nanos"): pa.timestamp("ns"),
}
_MOST_DIGITS = 76
"""Of a decimal of Arrow's; what has more stays bytes."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One type with what is in it. ``name`` is Avro's; ``arrow`` is what its values become."""

    name: str
    arrow: pa.DataType
    null_at: int | None = None
    """The place of null in the union with it; None where it can't be null."""
    fields: Mapping[str, Kind] = field(default_factory=dict)
    """Of a record."""
    items: Kind | None = None
    """Of an array, or the values of a map."""
    size: int = 0
    """Bytes of a fixed."""
    symbols: Sequence[str] = ()
    """Of an enum."""


def parse(text: str | bytes, source: str) -> Kind:
    """The record of a file's schema; other rows are records of one field, `VALUE`.

    Raises `SchemaError` for what has no column of one type, naming the field, and `FatalError` for
    what is no schema of Avro's.
    """
    try:
        schema = json.loads(text)
        kind = _Parser(source, {}).parse(schema, "", ())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        said = f"{type(error).__name__}: {error}"
        raise FatalError(
            f"{source}: its schema is not one of Avro's ({said}); the file is damaged, or its "
            "writer does not follow the specification"
        ) from error
    if kind.name == "record" and kind.null_at is None:
        return kind
    return Kind("record", pa.struct([(VALUE, kind.arrow)]), fields={VALUE: kind})


@dataclass(frozen=True)
class _Parser:
    source: str
    named: dict[str, Any]
    """Schemas of named types by full name, with their namespaces."""

    def parse(self, schema: Any, namespace: str, path: Sequence[str]) -> Kind:
        if isinstance(schema, list):
            return self._union(schema, namespace, path)
        if isinstance(schema, str):
            return self._by_name(schema, namespace, path)
        name = schema["type"]
        if isinstance(name, (dict, list)):
            return self.parse(name, namespace, path)
        if name in ("record", "error", "enum", "fixed"):
            return self._named(schema, namespace, path)
        if name in ("array", "map"):
            items = self.parse(schema["items" if name == "array" else "values"], namespace, path)
            return self._repeated(name, items, path)
        if name in _PRIMITIVES:
            return _logical(Kind(name, _PRIMITIVES[name]), schema)
        return self._by_name(name, namespace, path)

    def _union(self, branches: list[Any], namespace: str, path: Sequence[str]) -> Kind:
        others = [branch for branch in branches if branch not in ("null", {"type": "null"})]
        if len(branches) != 2 or len(others) != 1:
            kinds = ", ".join(_spoken(branch) for branch in branches)
            raise self._refused(
                path,
                f"is a union of ({kinds}); a column has one type, with or without null. Split the "
                "field by type, or read the file with Avro's own tools",
            )
        null_at = 1 - branches.index(others[0])
        return replace(self.parse(others[0], namespace, path), null_at=null_at)

    def _by_name(self, name: str, namespace: str, path: Sequence[str]) -> Kind:
        if name in _PRIMITIVES:
            return Kind(name, _PRIMITIVES[name])
        full = name if "." in name or not namespace else f"{namespace}.{name}"
        found = self.named.get(full, self.named.get(name))
        if found is None:
            raise KeyError(f"there is no type {full!r}")
        if found == "open":
            raise self._refused(
                path,
                f"holds its own type {full!r}; recursive schemas have no columns. Flatten it "
                "before, or read the file with Avro's own tools",
            )
        return found

    def _named(self, schema: dict[str, Any], namespace: str, path: Sequence[str]) -> Kind:
        name = schema["name"]
        space = schema.get("namespace", namespace)
        full = name if "." in name or not space else f"{space}.{name}"
        self.named[full] = "open"
        kind = self._content(schema, full.rpartition(".")[0], path)
        self.named[full] = kind
        return kind

    def _content(self, schema: dict[str, Any], namespace: str, path: Sequence[str]) -> Kind:
        if schema["type"] == "enum":
            return Kind("enum", pa.string(), symbols=tuple(map(str, schema["symbols"])))
        if schema["type"] == "fixed":
            size = int(schema["size"])
            if size < 1:
                raise self._refused(path, f"is fixed of {size} bytes; leave it out")
            return _logical(Kind("fixed", pa.binary(size), size=size), schema)
        fields = {
            part["name"]: self.parse(part["type"], namespace, (*path, part["name"]))
            for part in schema["fields"]
        }
        if len(fields) < len(schema["fields"]):
            raise ValueError("two fields of a record have the same name")
        struct = pa.struct([(name, kind.arrow) for name, kind in fields.items()])
        return Kind("record", struct, fields=fields)

    def _repeated(self, name: str, items: Kind, path: Sequence[str]) -> Kind:
        if name == "map":
            return Kind("map", pa.map_(pa.string(), items.arrow), items=items)
        if not least_bytes(items):
            raise self._refused(path, "is an array of items without content; leave it out")
        return Kind("array", pa.list_(items.arrow), items=items)

    def _refused(self, path: Sequence[str], why: str) -> SchemaError:
        return SchemaError(f"{self.source}: the field {'.'.join(path) or VALUE!r} {why}")


def least_bytes(kind: Kind) -> int:
    """Of an encoded value, at least."""
    if kind.null_at is not None:
        return 1
    if kind.name == "record":
        return sum(map(least_bytes, kind.fields.values()))
    return {"null": 0, "float": 4, "double": 8, "fixed": kind.size}.get(kind.name, 1)


def _logical(kind: Kind, schema: Mapping[str, Any]) -> Kind:
    logical = str(schema.get("logicalType"))
    if (kind.name, logical) in _LOGICAL:
        return replace(kind, arrow=_LOGICAL[kind.name, logical])
    if logical == "decimal" and kind.name in ("bytes", "fixed"):
        return replace(kind, arrow=_decimal(schema) or kind.arrow)
    if logical == "uuid" and kind.name == "fixed" and kind.size == 16:
        return replace(kind, arrow=pa.string())
    return kind


def _decimal(schema: Mapping[str, Any]) -> pa.DataType | None:
    precision, scale = schema.get("precision"), schema.get("scale", 0)
    if not isinstance(precision, int) or not isinstance(scale, int):
        return None
    if not 0 <= scale <= precision or not 1 <= precision <= _MOST_DIGITS:
        return None
    return pa.decimal128(precision, scale) if precision <= 38 else pa.decimal256(precision, scale)


def _spoken(branch: Any) -> str:
    if isinstance(branch, dict):
        return str(branch.get("name") or branch.get("type"))
    return str(branch)
