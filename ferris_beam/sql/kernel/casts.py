"""CAST, TRY_CAST and AT TIME ZONE by types."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.types as pt
from sqlglot import exp

from ferris_beam.sql.kernel.checked import checked_name
from ferris_beam.sql.kernel.expressions import cast_to, checked_call, set_type, text_of
from ferris_beam.sql.kernel.rendering import Refused, call
from ferris_beam.sql.kernel.types import arrow_name, arrow_type, is_text, spoken

if TYPE_CHECKING:
    from ferris_beam.sql.kernel.checking import Checker


def check_cast(checker: Checker, node: exp.Expr) -> exp.Expr:
    """Numbers are rounded to integers as in PostgreSQL: floats half to even, decimals half away
    from zero. DataFusion would cut off the decimals."""
    try:
        wanted = arrow_type(node.args["to"])
    except ValueError as error:
        raise Refused(str(error), node, "docs/sql.md lists the types") from None
    given = checker.type_of(node.this)
    function = "arrow_try_cast" if isinstance(node, exp.TryCast) else "arrow_cast"
    return cast(node.this, given, wanted, function)


def cast(
    value: exp.Expr, given: pa.DataType, wanted: pa.DataType, function: str = "arrow_cast"
) -> exp.Expr:
    """``value`` as ``wanted``, by rounding. ``function`` is the engine's: what it does with values
    that don't fit."""
    if pt.is_integer(wanted) and pt.is_floating(given):
        value = checked_call("round", given, value)
    elif pt.is_integer(wanted) and pt.is_decimal(given) and given.scale:
        value = cast_to(value, _without_decimals(given))
    elif pt.is_float32(wanted) and pt.is_float64(given) and function == "arrow_cast":
        return set_type(call(checked_name("narrow", given), value), wanted)
    elif pt.is_timestamp(given) and is_text(wanted):
        return _time_as_text(value, given)
    elif pt.is_list(given) and pt.is_list(wanted) and rounds(given, wanted):
        item = exp.Identifier(this="ferris_item", quoted=True)
        inner = cast(item.copy(), given.value_type, wanted.value_type, function)
        lambda_ = exp.Lambda(this=inner, expressions=[item])
        return cast_to(call("array_transform", value, lambda_), wanted, function)
    elif pt.is_struct(given) and pt.is_struct(wanted) and rounds(given, wanted):
        raise Refused(
            f"{spoken(given)} can't be cast to {spoken(wanted)}", value, "cast its fields"
        )
    return cast_to(value, wanted, function)


def rounds(given: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether numbers somewhere inside lose decimals, which the engine would cut off.

    >>> rounds(pa.list_(pa.float64()), pa.list_(pa.int32()))
    True
    """
    if pt.is_list(given) and pt.is_list(wanted):
        return rounds(given.value_type, wanted.value_type)
    if pt.is_struct(given) and pt.is_struct(wanted):
        pairs = zip(given, wanted, strict=False)
        return any(rounds(one.type, other.type) for one, other in pairs)
    return pt.is_integer(wanted) and (pt.is_floating(given) or pt.is_decimal(given))


def _time_as_text(value: exp.Expr, given: pa.DataType) -> exp.Expr:
    """As PostgreSQL writes it: `2026-01-01 12:00:00.5`, and `+00` behind one with a zone."""
    if given.tz is not None:
        value = call("to_local_time", cast_to(value, pa.timestamp(given.unit, "UTC")))
    text = call("arrow_cast", value, exp.Literal.string(arrow_name(pa.string())))
    text = call("replace", text, exp.Literal.string("T"), exp.Literal.string(" "))
    has_fraction = call("contains", text, exp.Literal.string("."))
    trimmed = call("rtrim", text.copy(), exp.Literal.string("0"))
    shown: exp.Expr = exp.Case(ifs=[exp.If(this=has_fraction, true=trimmed)], default=text.copy())
    if given.tz is not None:
        shown = exp.DPipe(this=exp.paren(shown, copy=False), expression=exp.Literal.string("+00"))
    return set_type(exp.paren(shown, copy=False), pa.string())


def _without_decimals(given: pa.DataType) -> pa.DataType:
    """With room for the digit that rounding up may add."""
    digits = min(38, given.precision - given.scale + 1)
    kind = pa.decimal256 if pt.is_decimal256(given) else pa.decimal128
    return kind(digits, 0)


def check_zone(checker: Checker, node: exp.Expr) -> exp.Expr:
    """A timestamp without a zone is taken as local time there; one with a zone is shown as local
    time there, without a zone."""
    zone = text_of(node.args["zone"])
    if zone is None:
        raise Refused("AT TIME ZONE needs the name of a zone in quotes", node, "'Europe/Paris'")
    given = checker.type_of(node.this)
    if pt.is_date(given):
        given = pa.timestamp("us")
    if not pt.is_timestamp(given):
        raise Refused(f"AT TIME ZONE needs a timestamp, not {spoken(given)}", node)
    local = cast_to(node.this, pa.timestamp("us", zone))
    if given.tz is None:
        return cast_to(local, pa.timestamp("us", "UTC"))
    return set_type(call("to_local_time", local), pa.timestamp("us"))
