"""The narrowest type that holds the values of two, for samples and files that disagree.

Numbers widen to numbers, dates to timestamps, structs and lists inside; what has nothing in common
becomes text where text can stand for it. An integer beside a decimal becomes a decimal that holds
both; what stands beside a float becomes float64, as in every SQL engine.
"""

from __future__ import annotations

import pyarrow as pa

_TEXT_LIKE = (
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_boolean,
    pa.types.is_temporal,
    pa.types.is_string,
    pa.types.is_large_string,
)

_LISTS = (
    pa.types.is_list,
    pa.types.is_large_list,
    pa.types.is_list_view,
    pa.types.is_large_list_view,
)
_LAYOUTS = {
    pa.large_string(): pa.string(),
    pa.string_view(): pa.string(),
    pa.large_binary(): pa.binary(),
    pa.binary_view(): pa.binary(),
}

_DIGITS = {8: 3, 16: 5, 32: 10, 64: 20}
"""Decimal digits of an integer of so many bits."""


def widened(left: pa.Schema, right: pa.Schema) -> pa.Schema:
    """The columns of both by name, those of ``left`` first; a column of both has the type that
    holds both, and is nullable where one side lacks it or lets it be null.

    Raises `TypeError` with the column and the types that have nothing in common.
    """
    fields = {field.name: field for field in left}
    for field in right:
        known = fields.get(field.name)
        fields[field.name] = field if known is None else _widened_field(known, field)
    return pa.schema(
        [
            field
            if field.name in left.names and field.name in right.names
            else field.with_nullable(True)
            for field in fields.values()
        ]
    )


def widened_type(left: pa.DataType, right: pa.DataType) -> pa.DataType:
    """The type that holds the values of both; `TypeError` where there is none."""
    if left == right or pa.types.is_null(right):
        return left
    if pa.types.is_null(left):
        return right
    if pa.types.is_dictionary(left) or pa.types.is_dictionary(right):
        return widened_type(_plain(left), _plain(right))
    if _is_view(left) or _is_view(right):
        return widened_type(_LAYOUTS.get(left, left), _LAYOUTS.get(right, right))
    if pa.types.is_struct(left) and pa.types.is_struct(right):
        return pa.struct(list(widened(pa.schema(list(left)), pa.schema(list(right)))))
    if pa.types.is_list(left) and pa.types.is_list(right):
        return pa.list_(_widened_field(left.value_field, right.value_field))
    return _widened_leaf(left, right)


def holds(wide: pa.DataType, narrow: pa.DataType) -> bool:
    """Whether ``wide`` holds all values of ``narrow``; the layouts of texts, bytes and lists in
    memory (large ones, views) don't count."""
    wide, narrow = _usual(wide), _usual(narrow)
    try:
        return bool(widened_type(wide, narrow) == wide)
    except TypeError:
        return False


def _is_view(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string_view(kind) or pa.types.is_binary_view(kind))


def _usual(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return _usual(kind.value_type)
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_usual(field.type)) for field in kind])
    if any(is_list(kind) for is_list in _LISTS):
        return pa.list_(_usual(kind.value_type))
    return _LAYOUTS.get(kind, kind)


def _widened_leaf(left: pa.DataType, right: pa.DataType) -> pa.DataType:
    for one, other in ((left, right), (right, left)):
        if pa.types.is_timestamp(one) and pa.types.is_date(other):
            return one
        if pa.types.is_floating(one) and pa.types.is_decimal(other):
            return pa.float64()
        if pa.types.is_integer(one) and pa.types.is_decimal(other):
            return _decimal(other, _DIGITS[one.bit_width] + other.scale)
        if pa.types.is_uint64(one) and pa.types.is_signed_integer(other):
            return pa.decimal128(20, 0)
    try:
        both = [pa.schema([pa.field("value", kind)]) for kind in (left, right)]
        return pa.unify_schemas(both, promote_options="permissive").field(0).type
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        if all(any(is_kind(kind) for is_kind in _TEXT_LIKE) for kind in (left, right)):
            return pa.string()
        raise TypeError(f"{left} and {right} have no type in common") from None


def _decimal(known: pa.DataType, digits: int) -> pa.DataType:
    precision = max(known.precision, digits)
    return (pa.decimal128 if precision <= 38 else pa.decimal256)(precision, known.scale)


def _widened_field(left: pa.Field, right: pa.Field) -> pa.Field:
    try:
        kind = widened_type(left.type, right.type)
    except TypeError as error:
        raise TypeError(f"{left.name}: {error}") from None
    return left.with_type(kind).with_nullable(left.nullable or right.nullable)


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind
