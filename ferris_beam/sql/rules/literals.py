"""Literals as values of a column's type: exactly, or not at all."""

from __future__ import annotations

from datetime import date, datetime, time, timezone
from decimal import Decimal, InvalidOperation
from typing import Any

import pyarrow as pa
import pyarrow.types as pt
from sqlglot import exp

Type = exp.DataType.Type
_DATES = {Type.DATE, Type.DATE32}
_ZONED = {Type.TIMESTAMPTZ, Type.TIMESTAMPLTZ}
_TIMESTAMPS = {Type.TIMESTAMP, Type.TIMESTAMPNTZ, Type.DATETIME, *_ZONED}
_NUMBERS = {*exp.DataType.INTEGER_TYPES, *exp.DataType.REAL_TYPES}
_TEXTS = exp.DataType.TEXT_TYPES


def value_of(expression: exp.Expression) -> Any:
    """The Python value of a literal; a number is a Decimal. `NotImplemented`: it is no literal.

    >>> from sqlglot import parse_one
    >>> value_of(parse_one("-1.50")), value_of(parse_one("DATE '2024-01-31'"))
    (Decimal('-1.50'), datetime.date(2024, 1, 31))
    """
    inner = expression.unnest()
    if isinstance(inner, exp.Null):
        return None
    if isinstance(inner, exp.Boolean):
        return bool(inner.this)
    if isinstance(inner, exp.Literal):
        return str(inner.this) if inner.is_string else _number(str(inner.this))
    if isinstance(inner, exp.Neg):
        value = value_of(inner.this)
        return -value if isinstance(value, Decimal) else NotImplemented
    if type(inner) is exp.Cast:
        return _cast(value_of(inner.this), inner.to)
    return NotImplemented


def _cast(value: Any, to: exp.DataType) -> Any:
    """Casts that only say what a literal is; any other is left to the kernel."""
    if isinstance(value, str) and to.this in _DATES:
        return _date(value)
    if isinstance(value, str) and to.this in _TIMESTAMPS:
        return _timestamp(value, to.this in _ZONED)
    if isinstance(value, date) and not isinstance(value, datetime) and to.this in _DATES:
        return value
    if isinstance(value, str) and to.this in _TEXTS and not to.expressions:
        return value
    if isinstance(value, Decimal) and to.this in exp.DataType.INTEGER_TYPES and _is_whole(value):
        return value
    return NotImplemented


def _number(text: str) -> Any:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return NotImplemented
    return value if value.is_finite() else NotImplemented


def _is_whole(value: Decimal) -> bool:
    return value == value.to_integral_value()


def _date(text: str) -> Any:
    """Only YYYY-MM-DD: other spellings are the kernel's to judge."""
    try:
        return date.fromisoformat(text) if len(text) == 10 else NotImplemented
    except ValueError:
        return NotImplemented


def _timestamp(text: str, zoned: bool) -> Any:
    """YYYY-MM-DD[ HH:MM[:SS[.ffffff]]], without a zone: it is UTC where one is needed."""
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        return NotImplemented
    plain = text[:10].count("-") == 2 and len(text) in (10, 16, 19, 23, 26)
    if not plain or value.tzinfo is not None:
        return NotImplemented
    return value.replace(tzinfo=timezone.utc) if zoned else value


def fitting(expression: exp.Expression, type: pa.DataType) -> pa.Scalar | None:
    """The literal as a value of ``type``, if it has exactly one there.

    >>> from sqlglot import parse_one
    >>> fitting(parse_one("5"), pa.int8()), fitting(parse_one("500"), pa.int8())
    (<pyarrow.Int8Scalar: 5>, None)
    """
    value = _converted(value_of(expression), type)
    if value is NotImplemented or value is None:
        return None
    try:
        return pa.scalar(value, type)
    except (pa.ArrowException, OverflowError, ValueError, TypeError):
        return None


def _converted(value: Any, type: pa.DataType) -> Any:
    if isinstance(value, bool):
        return value if pt.is_boolean(type) else NotImplemented
    if isinstance(value, Decimal):
        return _as_number(value, type)
    if isinstance(value, str):
        return _as_written(value, type)
    if isinstance(value, date) and pt.is_date(type):
        return _as_date(value)
    if isinstance(value, date) and pt.is_timestamp(type):
        return _as_timestamp(value, type)
    return NotImplemented


def _as_number(value: Decimal, type: pa.DataType) -> Any:
    if pt.is_integer(type):
        return int(value) if _is_whole(value) else NotImplemented
    if pt.is_decimal(type):
        return _shortened(value, type)
    if pt.is_float64(type):
        return float(value)
    if pt.is_float32(type):
        exact = Decimal(pa.scalar(float(value), type).as_py()) == value
        return float(value) if exact else NotImplemented
    return NotImplemented


def _shortened(value: Decimal, type: pa.DataType) -> Any:
    try:
        shorter = value.quantize(Decimal(1).scaleb(-type.scale))
    except InvalidOperation:  # more digits than a Decimal keeps
        return NotImplemented
    return shorter if shorter == value else NotImplemented


def _as_written(value: str, type: pa.DataType) -> Any:
    """A quoted literal beside a column has the column's type."""
    if pt.is_string(type) or pt.is_large_string(type) or pt.is_string_view(type):
        return value
    if pt.is_date(type):
        return _date(value)
    if pt.is_timestamp(type):
        found = _timestamp(value, type.tz is not None)
        return found if found is NotImplemented else _as_timestamp(found, type)
    return NotImplemented


def _as_date(value: date) -> Any:
    if not isinstance(value, datetime):
        return value
    is_midnight = value.tzinfo is None and value.time() == time()
    return value.date() if is_midnight else NotImplemented


def _as_timestamp(value: date, type: pa.DataType) -> Any:
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if type.tz is None:
        return NotImplemented if value.tzinfo else value
    return value if value.tzinfo else value.replace(tzinfo=timezone.utc)
