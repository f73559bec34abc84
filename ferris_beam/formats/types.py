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
_OUTER_COMMA = re.compile(r",(?![^()\[\]]*[)\]])")


def data_type(name: str) -> pa.DataType:
    """The type of `int64`, `double`, `string`, `date`, `timestamp`, `timestamptz`,
    `decimal(10,2)` or Arrow's own name for one; ValueError if there is none."""
    import pyarrow as pa

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
    """Names and types of `id:int64,price:decimal(10,2)`, or of a mapping; ValueError if that is
    none."""
    if isinstance(value, Mapping):
        pairs = [(str(name), str(kind)) for name, kind in value.items()]
    else:
        split = (pair.rpartition(":") for pair in _OUTER_COMMA.split(str(value)))
        pairs = [(name.strip(), kind.strip()) for name, _, kind in split]
    for name, kind in pairs:
        if not name:
            raise ValueError("a name is missing")
        data_type(kind)
    return dict(pairs)


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
