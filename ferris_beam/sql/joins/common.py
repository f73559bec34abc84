"""One type for both sides of an equality, so that equal keys have equal words."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from ferris_beam.sql.joins.keys import is_key_type

_DIGITS = {8: 3, 16: 5, 32: 10, 64: 20}
"""Decimal digits of an integer of so many bits."""

_UNITS = ("s", "ms", "us", "ns")


def common_type(left: pa.DataType, right: pa.DataType) -> pa.DataType | None:
    """The type in which values of both are compared; None where they can't be, or can't be keys.

    Integers and decimals are compared exactly, a float with anything as DOUBLE, dates and
    timestamps as instants, in UTC where no zone is given.
    """
    left, right = _plain(left), _plain(right)
    found = _common(left, right)
    return found if found is not None and is_key_type(found) else None


def _plain(type_: pa.DataType) -> pa.DataType:
    return _plain(type_.value_type) if types.is_dictionary(type_) else type_


def _common(left: pa.DataType, right: pa.DataType) -> pa.DataType | None:
    if left.equals(right):
        return left
    if types.is_null(left) or types.is_null(right):
        return right if types.is_null(left) else left
    if _is_number(left) and _is_number(right):
        return _number(left, right)
    if _is_text(left) and _is_text(right):
        return pa.large_string()
    if _is_bytes(left) and _is_bytes(right):
        return pa.large_binary()
    if _is_instant(left) and _is_instant(right):
        zoned = "UTC" if _zone(left) or _zone(right) else None
        return pa.timestamp(_finer(left, right), zoned)
    if types.is_time(left) and types.is_time(right):
        return pa.time64("ns" if _finer(left, right) == "ns" else "us")
    if types.is_duration(left) and types.is_duration(right):
        return pa.duration(_finer(left, right))
    return None


def _is_number(type_: pa.DataType) -> bool:
    return bool(types.is_integer(type_) or types.is_floating(type_) or types.is_decimal(type_))


def _is_text(type_: pa.DataType) -> bool:
    return bool(
        types.is_string(type_) or types.is_large_string(type_) or types.is_string_view(type_)
    )


def _is_bytes(type_: pa.DataType) -> bool:
    return bool(
        types.is_binary(type_)
        or types.is_large_binary(type_)
        or types.is_binary_view(type_)
        or types.is_fixed_size_binary(type_)
    )


def _is_instant(type_: pa.DataType) -> bool:
    return bool(types.is_timestamp(type_) or types.is_date(type_))


def _zone(type_: pa.DataType) -> str | None:
    return type_.tz if types.is_timestamp(type_) else None


def _finer(left: pa.DataType, right: pa.DataType) -> str:
    units = [
        getattr(type_, "unit", "ms" if types.is_date64(type_) else "s") for type_ in (left, right)
    ]
    return max(units, key=_UNITS.index)


def _number(left: pa.DataType, right: pa.DataType) -> pa.DataType | None:
    if types.is_floating(left) or types.is_floating(right):
        return pa.float64()
    if types.is_integer(left) and types.is_integer(right):
        wide = [type_ for type_ in (left, right) if types.is_uint64(type_)]
        signed = types.is_signed_integer(left) or types.is_signed_integer(right)
        if wide:
            return pa.decimal128(20, 0) if signed else pa.uint64()
        return pa.int64()
    (left_whole, left_scale), (right_whole, right_scale) = _digits(left), _digits(right)
    scale = max(left_scale, right_scale)
    precision = max(left_whole, right_whole) + scale
    if precision <= 38:
        return pa.decimal128(precision, scale)
    return pa.decimal256(precision, scale) if precision <= 76 else None


def _digits(type_: pa.DataType) -> tuple[int, int]:
    """Digits before and behind the point."""
    if types.is_integer(type_):
        return _DIGITS[type_.bit_width], 0
    return type_.precision - type_.scale, type_.scale


def cast_key(column: pa.Array, wanted: pa.DataType) -> pa.Array:
    """``column`` as the common type; an instant that it can't hold equals nothing: it is NULL."""
    if column.type.equals(wanted):
        return column
    if types.is_dictionary(column.type):
        return cast_key(column.dictionary_decode(), wanted)
    if types.is_floating(wanted):
        return pc.cast(column, wanted, safe=False)
    try:
        return pc.cast(column, wanted)
    except pa.ArrowInvalid:
        if not _is_instant(column.type):
            raise
        return _cast_instants(column, wanted)


def _cast_instants(column: pa.Array, wanted: pa.DataType) -> pa.Array:
    """The instants that ``wanted`` can hold; its range is narrower where its unit is finer."""
    ends = pa.array([-(1 << 63) + 1, (1 << 63) - 1], pa.int64()).cast(wanted)
    coarse = pc.cast(ends, column.type, safe=False)
    inside = pc.and_(pc.greater(column, coarse[0]), pc.less(column, coarse[1]))
    return pc.cast(pc.if_else(inside, column, pa.scalar(None, column.type)), wanted)
