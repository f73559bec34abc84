"""Types of expressions, the common type of two, and casts to it."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.kernel import types_of
from ferris_beam.sql.kernel.types import arrow_name, plain
from ferris_beam.sql.nodes import columns_in
from ferris_beam.sql.text import SqlText

_MOST_DIGITS = 38
_INTEGER_DIGITS = {8: 3, 16: 5, 32: 10, 64: 20}
_SQL_NAMES = {
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INT",
    pa.int64(): "BIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.string(): "TEXT",
    pa.bool_(): "BOOLEAN",
    pa.date32(): "DATE",
    pa.binary(): "VARBINARY",
}


def types(
    expressions: Sequence[exp.Expression], schema: pa.Schema, text: SqlText
) -> list[pa.DataType]:
    """The type of each expression over columns of ``schema``. Bare columns cost nothing; all
    others are asked about at once, over the columns that they need only.

    Raises `SqlError` for what doesn't fit.
    """
    result: list[pa.DataType | None] = []
    asked: list[exp.Expression] = []
    for expression in expressions:
        if isinstance(expression, exp.Column):
            result.append(schema.field(expression.name).type)
        else:
            result.append(None)
            asked.append(expression)
    if not asked:
        return [kind for kind in result if kind is not None]
    needed = frozenset().union(*(columns_in(expression) for expression in asked))
    narrow = pa.schema([field for field in schema if field.name in needed])
    answers = iter(types_of(asked, narrow, text))
    return [next(answers) if kind is None else kind for kind in result]


def common_type(left: pa.DataType, right: pa.DataType) -> pa.DataType | None:
    """The narrowest type that holds the values of both exactly (integers beside floats: DOUBLE);
    None where there is none.

    >>> common_type(pa.int32(), pa.decimal128(10, 2)), common_type(pa.string(), pa.int64())
    (Decimal128Type(decimal128(12, 2)), None)
    """
    if left == right:
        return left
    left, right = _usual(left), _usual(right)
    if left == right or pa.types.is_null(right):
        return left
    if pa.types.is_null(left):
        return right
    if _numeric(left) and _numeric(right):
        return _common_number(left, right)
    if pa.types.is_temporal(left) and pa.types.is_temporal(right):
        return _common_time(left, right)
    if pa.types.is_list(left) and pa.types.is_list(right):
        items = common_type(left.value_type, right.value_type)
        return None if items is None else pa.list_(items)
    return None


def _usual(kind: pa.DataType) -> pa.DataType:
    """The type of the values, however they are kept (a dictionary, a view, large offsets)."""
    kind = plain(kind)
    if pa.types.is_large_string(kind):
        return pa.string()
    if pa.types.is_large_binary(kind):
        return pa.binary()
    return pa.date32() if pa.types.is_date64(kind) else kind


def _numeric(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


def _common_number(left: pa.DataType, right: pa.DataType) -> pa.DataType:
    if pa.types.is_floating(left) or pa.types.is_floating(right):
        both_float = pa.types.is_floating(left) and pa.types.is_floating(right)
        return pa.float32() if both_float and {left, right} <= _SMALL_FLOATS else pa.float64()
    if pa.types.is_decimal(left) or pa.types.is_decimal(right):
        return _common_decimal(left, right)
    if pa.types.is_signed_integer(left) == pa.types.is_signed_integer(right):
        return left if left.bit_width >= right.bit_width else right
    unsigned, signed = (left, right) if pa.types.is_unsigned_integer(left) else (right, left)
    if unsigned.bit_width == 64:
        return pa.decimal128(20, 0)
    width = max(unsigned.bit_width * 2, signed.bit_width)
    return {16: pa.int16(), 32: pa.int32(), 64: pa.int64()}[width]


_SMALL_FLOATS = {pa.float16(), pa.float32()}


def _common_decimal(left: pa.DataType, right: pa.DataType) -> pa.DataType:
    (whole, scale), (other_whole, other_scale) = _digits(left), _digits(right)
    scale = max(scale, other_scale)
    return pa.decimal128(min(_MOST_DIGITS, max(whole, other_whole) + scale), scale)


def _digits(kind: pa.DataType) -> tuple[int, int]:
    """How many digits before and behind the point."""
    if pa.types.is_decimal(kind):
        return kind.precision - kind.scale, kind.scale
    return _INTEGER_DIGITS[kind.bit_width], 0


def _common_time(left: pa.DataType, right: pa.DataType) -> pa.DataType | None:
    if pa.types.is_date(left) and pa.types.is_timestamp(right):
        return right
    if pa.types.is_timestamp(left) and pa.types.is_date(right):
        return left
    if not (pa.types.is_timestamp(left) and pa.types.is_timestamp(right)):
        return None
    finest = max(left.unit, right.unit, key=("s", "ms", "us", "ns").index)
    return pa.timestamp(finest, left.tz or right.tz)


def cast(expression: exp.Expression, source: pa.DataType, target: pa.DataType) -> exp.Expression:
    """``expression`` as ``target``; itself where it is of that type already."""
    if source == target:
        return expression
    name = _SQL_NAMES.get(target)
    if name is None and pa.types.is_decimal(target):
        name = f"DECIMAL({target.precision}, {target.scale})"
    if name is not None:
        return exp.Cast(this=expression, to=exp.DataType.build(name, dialect="postgres"))
    return exp.Anonymous(
        this="arrow_cast", expressions=[expression, exp.Literal.string(arrow_name(target))]
    )
