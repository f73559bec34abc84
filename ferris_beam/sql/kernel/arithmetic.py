"""Arithmetic by types: which function computes it so that nothing wraps around.

Integers keep the wider type of the two, and a literal takes the type of the other side where it
fits (as in DuckDB). Decimals are exact: where a result could have more than 38 digits it is
computed with 76 and then has to fit. A quotient of decimals has at least 16 decimals, and is
rounded half away from zero as in PostgreSQL. A float with an integer or a decimal is DOUBLE.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.types as pt
from sqlglot import exp

from ferris_beam.sql.kernel.expressions import (
    as_type,
    cast_to,
    checked_call,
    decimal_type,
    integer_of,
    set_type,
    text_of,
)
from ferris_beam.sql.kernel.rendering import Refused
from ferris_beam.sql.kernel.types import is_number, spoken

if TYPE_CHECKING:
    from ferris_beam.sql.kernel.checking import Checker

_OPERATIONS: dict[type[exp.Expr], str] = {exp.Add: "add", exp.Sub: "subtract", exp.Mul: "multiply"}
_DIGITS = 38
_WIDE_DIGITS = 76
_QUOTIENT_SCALE = 16
_SAFE_SUM_DIGITS = 28
"""Decimals of so many digits can be added up 10¹⁰ times within 38."""
_ENGINES_QUOTIENT_SCALE = 4
"""DataFusion's quotient has so many decimals more than its dividend."""


def check_binary(checker: Checker, node: exp.Expr) -> exp.Expr:
    """``+``, ``-`` and ``*``."""
    left, right = _operands(checker, node)
    operation = _OPERATIONS[type(node)]
    types = left.type, right.type
    if all(map(pt.is_integer, types)):
        common = wider(*types)
        if pt.is_integer(common):
            return checked_call(operation, common, left.to(common), right.to(common))
        left, right = left.as_decimal(), right.as_decimal()
    if not all(map(is_number, types)):
        return _temporal(node, left, right)
    if any(map(pt.is_floating, types)):
        common = _float_of(*types)
        return checked_call(operation, common, left.to(common), right.to(common))
    return _decimals(node, left.as_decimal(), right.as_decimal())


def check_division(checker: Checker, node: exp.Expr) -> exp.Expr:
    """``/``, and ``//`` of integers. Integers: towards zero; the engine refuses zero itself."""
    left, right = _operands(checker, node)
    types = left.type, right.type
    if all(map(pt.is_integer, types)) and pt.is_integer(wider(*types)):
        common = wider(*types)
        return _rebuilt(exp.Div, node, left.to(common), right.to(common), common)
    if isinstance(node, exp.IntDiv):
        raise Refused(
            f"// divides integers, and here are {spoken(left.type)} and {spoken(right.type)}",
            node,
            "use / or trunc(a / b)",
        )
    if not all(map(is_number, types)):
        return node
    if any(map(pt.is_floating, types)):
        common = _float_of(*types)
        return checked_call("divide", common, left.to(common), right.to(common))
    return _quotient(node, left.as_decimal(), right.as_decimal())


def check_modulo(checker: Checker, node: exp.Expr) -> exp.Expr:
    left, right = _operands(checker, node)
    types = left.type, right.type
    if all(map(pt.is_integer, types)) and pt.is_integer(wider(*types)):
        common = wider(*types)
        return _rebuilt(exp.Mod, node, left.to(common), right.to(common), common)
    if all(map(is_number, types)) and any(map(pt.is_floating, types)):
        common = _float_of(*types)
        return checked_call("modulo", common, left.to(common), right.to(common))
    if all(map(is_number, types)):
        return _decimals(node, left.as_decimal(), right.as_decimal())
    return node


def check_negation(checker: Checker, node: exp.Expr) -> exp.Expr:
    if integer_of(node) is not None:
        return node
    given = checker.type_of(node.this)
    if pt.is_integer(given):
        return checked_call("subtract", given, cast_to(exp.Literal.number(0), given), node.this)
    if not (
        is_number(given) or pt.is_interval(given) or pt.is_duration(given) or pt.is_null(given)
    ):
        raise Refused(f"a minus needs a number, and this is {spoken(given)}", node)
    return set_type(node, given)


def check_sum(checker: Checker, whole: exp.Expr, total: exp.Sum) -> exp.Expr:
    """SUM, with the window or filter (``whole``) around it. Of integers: BIGINT, of decimals: 38
    digits."""
    argument = total.this
    distinct = isinstance(argument, exp.Distinct)
    inner = argument.expressions[0] if distinct else argument
    given = checker.type_of(inner)
    if pt.is_integer(given) and given.bit_width <= 32:
        return set_type(whole, pa.int64())
    if pt.is_integer(given):
        summed, result = pa.decimal128(_DIGITS, 0), pa.int64()
    elif pt.is_decimal(given):
        result = pa.decimal128(_DIGITS, given.scale)
        wide = given.precision > _SAFE_SUM_DIGITS
        summed = pa.decimal256(_WIDE_DIGITS, given.scale) if wide else given
    else:
        return whole
    inner.replace(as_type(inner.copy(), given, summed))
    return cast_to(whole.copy(), result)


def wider(left: pa.DataType, right: pa.DataType) -> pa.DataType:
    """The integer that holds both; DECIMAL(20, 0) where none does.

    >>> str(wider(pa.int16(), pa.int32())), str(wider(pa.uint32(), pa.int8()))
    ('int32', 'int64')
    """
    if pt.is_signed_integer(left) == pt.is_signed_integer(right):
        return left if left.bit_width >= right.bit_width else right
    signed, unsigned = (left, right) if pt.is_signed_integer(left) else (right, left)
    if signed.bit_width > unsigned.bit_width:
        return signed
    larger = {8: pa.int16(), 16: pa.int32(), 32: pa.int64()}
    return larger.get(unsigned.bit_width, pa.decimal128(20, 0))


def digits_of(type: pa.DataType) -> tuple[int, int]:
    """The digits ahead of the point and behind it, of a decimal or an integer.

    >>> digits_of(pa.int32()), digits_of(pa.decimal128(10, 2))
    ((10, 0), (8, 2))
    """
    if pt.is_decimal(type):
        return type.precision - type.scale, type.scale
    return len(str(2**type.bit_width)), 0


class _Operand:
    """One side: its expression, its type, and its value if it is an integer literal."""

    def __init__(self, node: exp.Expr, type: pa.DataType) -> None:
        self.node = node
        self.type = type
        self.value = integer_of(node)

    def to(self, wanted: pa.DataType) -> exp.Expr:
        return as_type(self.node, self.type if self.value is None else pa.null(), wanted)

    def fits(self, wanted: pa.DataType) -> bool:
        if self.value is None or not pt.is_integer(wanted):
            return False
        signed = pt.is_signed_integer(wanted)
        bits = wanted.bit_width - signed
        return (-(1 << bits) if signed else 0) <= self.value < (1 << bits)

    def as_decimal(self) -> _Operand:
        if pt.is_decimal(self.type):
            return self
        if self.value is not None:
            wanted = decimal_type(Decimal(self.value))
        else:
            wanted = pa.decimal128(digits_of(self.type)[0], 0)
        return _Operand(cast_to(self.node, wanted), wanted)


def _operands(checker: Checker, node: exp.Expr) -> tuple[_Operand, _Operand]:
    left, right = (_Operand(side, checker.type_of(side)) for side in (node.this, node.expression))
    for side, other in ((left, right), (right, left)):
        if text_of(side.node) is not None and is_number(other.type):
            side.node, side.type = cast_to(side.node, other.type), other.type
    if left.fits(right.type) and right.value is None:
        left.type = right.type
    elif right.fits(left.type) and left.value is None:
        right.type = left.type
    return left, right


def _float_of(left: pa.DataType, right: pa.DataType) -> pa.DataType:
    return pa.float32() if left == right == pa.float32() else pa.float64()


def _rebuilt(
    kind: type[exp.Expr],
    node: exp.Expr,
    left: exp.Expr,
    right: exp.Expr,
    type: pa.DataType,
) -> exp.Expr:
    rebuilt = kind(this=exp.paren(left, copy=False), expression=exp.paren(right, copy=False))
    rebuilt.meta.update(node.meta)
    return exp.paren(set_type(rebuilt, type), copy=False)


def _decimals(node: exp.Expr, left: _Operand, right: _Operand) -> exp.Expr:
    product = isinstance(node, exp.Mul)
    scales = left.type.scale, right.type.scale
    scale = sum(scales) if product else max(scales)
    whole = [side.type.precision - side.type.scale for side in (left, right)]
    digits = (sum(whole) if product else max(whole)) + scale + 1
    if isinstance(node, exp.Mod) and max(whole) + scale <= _DIGITS:
        digits = min(whole) + scale
    kind = type(node)
    if digits <= _DIGITS:
        result = pa.decimal128(digits, scale)
        return _rebuilt(kind, node, left.node, right.node, result)
    if scale > _DIGITS:
        raise Refused(
            f"the product has {scale} decimals, and there can be {_DIGITS}",
            node,
            "cast one factor to a DECIMAL with fewer",
        )
    wide = _rebuilt(kind, node, _widened(left), _widened(right), pa.decimal256(76, scale))
    return cast_to(wide, pa.decimal128(_DIGITS, scale))


def _widened(side: _Operand, scale: int | None = None) -> exp.Expr:
    given = side.type
    scale = given.scale if scale is None else scale
    digits = given.precision - given.scale + scale
    return cast_to(side.node, pa.decimal256(min(digits, _WIDE_DIGITS), scale))


def _quotient(node: exp.Expr, left: _Operand, right: _Operand) -> exp.Expr:
    """One decimal more than wanted, cut off, and then rounded: as if it were rounded at once."""
    scale = max(left.type.scale, right.type.scale, _QUOTIENT_SCALE)
    dividend = _widened(left, max(scale + 1 - _ENGINES_QUOTIENT_SCALE, left.type.scale))
    result = pa.decimal256(_WIDE_DIGITS, scale + 1)
    wide = _rebuilt(exp.Div, node, dividend, _widened(right), result)
    return cast_to(wide, pa.decimal128(_DIGITS, scale))


def _temporal(node: exp.Expr, left: _Operand, right: _Operand) -> exp.Expr:
    """A date beside an interval or a timestamp is one, too: the interval may have hours. A date
    and a number of days give a date."""
    for side, other in ((left, right), (right, left)):
        if pt.is_date(side.type) and (pt.is_interval(other.type) or pt.is_timestamp(other.type)):
            side.node.replace(cast_to(side.node.copy(), pa.timestamp("us")))
            return node
    if pt.is_date32(left.type) and pt.is_integer(right.type):
        return _days_later(_OPERATIONS[type(node)], left, right)
    if isinstance(node, exp.Add) and pt.is_integer(left.type) and pt.is_date32(right.type):
        return _days_later("add", right, left)
    return node


def _days_later(operation: str, date: _Operand, days: _Operand) -> exp.Expr:
    since_1970 = cast_to(cast_to(date.node, pa.int32()), pa.int64())
    moved = checked_call(operation, pa.int64(), since_1970, days.to(pa.int64()))
    return cast_to(cast_to(moved, pa.int32()), pa.date32())
