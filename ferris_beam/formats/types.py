"""Types of columns by name, as users write them in options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import BeforeValidator

from ferris_beam.errors import SchemaError
from ferris_beam.options import InWords

if TYPE_CHECKING:
    import pyarrow as pa

_SYNONYMS = {
    "boolean": "bool",
    "integer": "int64",
    "float": "double",
    "text": "string",
    "date": "date32",
    "time": "time64[us]",
    "timestamp": "timestamp[us]",
}
_DECIMAL = re.compile(r"decimal(?:128)?\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)")
_ZONED = re.compile(r"timestamp\[\s*(s|ms|us|ns)\s*,\s*(?:tz=)?\s*([^\]]+?)\s*\]")
_NESTED = re.compile(r"(list|struct|map)<(.*)>", re.DOTALL)
_BRACKETS = {"(": 1, "[": 1, "<": 1, ")": -1, "]": -1, ">": -1}


def data_type(name: str) -> pa.DataType:
    """The type of `int64`, `double`, `string`, `date`, `timestamp`, `timestamptz`,
    `decimal(10,2)`, Arrow's own name for one, or of `list<…>`, `struct<name:…,…>`, `map<…,…>` of
    such; ValueError if there is none."""
    import pyarrow as pa

    nested = _NESTED.fullmatch(name.strip())
    if nested:
        return _nested(nested[1], nested[2])
    zoned = _ZONED.fullmatch(name.strip())
    if zoned:
        return pa.timestamp(zoned[1], zoned[2])
    text = name.strip().lower()
    if text == "timestamptz":
        return pa.timestamp("us", "UTC")
    decimal = _DECIMAL.fullmatch(text)
    if decimal:
        return pa.decimal128(int(decimal[1]), int(decimal[2] or 0))
    try:
        return pa.type_for_alias(_SYNONYMS.get(text, text))
    except ValueError:
        raise ValueError(f"there is no type {name!r}") from None


def parse_types(value: Any) -> dict[str, str]:
    """Names and types of `id:int64,price:decimal(10,2)`, of a mapping, or of a `pyarrow.Schema`;
    ValueError if that is none."""
    import pyarrow as pa

    if isinstance(value, pa.Schema):
        pairs = [(field.name, str(field.type)) for field in value]
    elif isinstance(value, Mapping):
        pairs = [(str(name), str(kind)) for name, kind in value.items()]
    else:
        pairs = [_pair(pair) for pair in _split(str(value), ",")]
    for name, kind in pairs:
        if not name:
            raise ValueError("a name is missing")
        data_type(kind)
    return dict(pairs)


def _nested(kind: str, inside: str) -> pa.DataType:
    import pyarrow as pa

    parts = _split(inside, ",")
    if kind == "struct":
        return pa.struct([(name, data_type(inner)) for name, inner in map(_pair, parts)])
    if len(parts) != (2 if kind == "map" else 1):
        raise ValueError(f"there is no type {kind}<{inside}>")
    if kind == "list":  # Arrow writes the name of the items, too: list<item: int64>
        parts = [_split(parts[0], ":")[-1]]
    types = [data_type(part) for part in parts]
    return pa.map_(*types) if kind == "map" else pa.list_(*types)


def _pair(text: str) -> tuple[str, str]:
    """Name and type; the name may hold colons, and so may a nested type."""
    parts = _split(text, ":")
    return ":".join(parts[:-1]).strip(), parts[-1].strip()


def _split(text: str, separator: str) -> list[str]:
    """The parts between separators that stand in no brackets."""
    parts, depth = [""], 0
    for char in text:
        depth += _BRACKETS.get(char, 0)
        if char == separator and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return parts


def schema_of(types: Mapping[str, str]) -> pa.Schema:
    """The columns of names and types."""
    import pyarrow as pa

    return pa.schema([(name, data_type(kind)) for name, kind in types.items()])


def with_types(schema: pa.Schema, types: Mapping[str, str], unit: str) -> pa.Schema:
    """The schema with other types of some columns, which must be there."""
    for name, kind in types.items():
        at = schema.get_field_index(name)
        if at < 0:
            raise SchemaError(
                f"{unit}: types= names the column {name!r}, which is not there; there are: "
                f"{', '.join(schema.names)}"
            )
        schema = schema.set(at, schema.field(at).with_type(data_type(kind)))
    return schema


def _show(types: Mapping[str, str]) -> str:
    return ",".join(f"{name}:{kind}" for name, kind in types.items())


Types: TypeAlias = Annotated[
    dict[str, str],
    BeforeValidator(parse_types),
    InWords("column:type pairs, separated by commas", _show),
]
