"""Values of any type as JSON, built by the engine from what is inside them."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.types as pt
from sqlglot import exp

from ferris_beam.sql.functions.define import engine

Types = Sequence[pa.DataType]


def to_json(types: Types, value: exp.Expression) -> exp.Expression:
    """The engine's expression for a value of this type; NULL is ``null``."""
    return _json(types[0], value, depth=0)


def json_array(types: Types, *values: exp.Expression) -> exp.Expression:
    if not values:
        return exp.Literal.string("[]")
    return engine("json_array_of", _json_list(types, values))


def json_object(types: Types, *pairs: exp.Expression) -> exp.Expression:
    """Keys and values take turns."""
    if len(pairs) % 2:
        raise ValueError("a key lacks its value")
    if not pairs:
        return exp.Literal.string("{}")
    names = engine("make_array", *(_text(key) for key in pairs[::2]))
    return engine("json_object_of", names, _json_list(types[1::2], pairs[1::2]))


def _json_list(types: Types, values: Sequence[exp.Expression]) -> exp.Expression:
    parts = (_json(type, value, 0) for type, value in zip(types, values, strict=True))
    return engine("make_array", *parts)


def _json(type: pa.DataType, value: exp.Expression, depth: int) -> exp.Expression:
    """``depth``: of lists around the value, each of which names its item."""
    if pt.is_dictionary(type):
        return _json(type.value_type, engine("arrow_cast", value, "Utf8"), depth)
    if pt.is_list(type) or pt.is_large_list(type) or pt.is_fixed_size_list(type):
        return engine("json_array_of", _each(type.value_type, value, depth))
    if pt.is_struct(type):
        return _or_null(value, _struct(type, value, depth))
    if pt.is_map(type):
        names = engine("arrow_cast", engine("map_keys", value), "List(Utf8)")
        values = _each(type.item_type, engine("map_values", value.copy()), depth)
        return engine("json_object_of", names, values)
    if pt.is_integer(type) or pt.is_floating(type) or pt.is_decimal(type) or pt.is_boolean(type):
        return engine("json_raw", _text(value))
    if pt.is_binary(type) or pt.is_large_binary(type):
        return engine("json_quoted", engine("encode", value, "base64pad"))
    if pt.is_null(type):
        return exp.Literal.string("null")
    return engine("json_quoted", _text(value))


def _each(item: pa.DataType, items: exp.Expression, depth: int) -> exp.Expression:
    name = exp.to_identifier(f"item_{depth}", quoted=True)
    body = _json(item, exp.Column(this=name.copy()), depth + 1)
    return engine("array_transform", items, exp.Lambda(this=body, expressions=[name]))


def _struct(type: pa.StructType, value: exp.Expression, depth: int) -> exp.Expression:
    names = engine("make_array", *(field.name for field in type))
    values = (_json(field.type, engine("get_field", value, field.name), depth) for field in type)
    return engine("json_object_of", names, engine("make_array", *values))


def _or_null(value: exp.Expression, written: exp.Expression) -> exp.Expression:
    missing = exp.Is(this=value.copy(), expression=exp.Null())
    return exp.Case().when(missing, exp.Literal.string("null")).else_(written)


def _text(value: exp.Expression) -> exp.Expression:
    return engine("arrow_cast", value, "Utf8")
