"""Small expressions, and their types as far as they can be seen without asking the engine."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.kernel.checked import checked_name
from ferris_beam.sql.kernel.rendering import call
from ferris_beam.sql.kernel.types import arrow_name, arrow_type, plain

if TYPE_CHECKING:
    from ferris_beam.sql.kernel.scope import Scope

_TYPE = "arrow_type"
_PREDICATES = (exp.Predicate, exp.Not, exp.And, exp.Or, exp.Is, exp.Boolean, exp.Exists)


def set_type(node: exp.Expr, type: pa.DataType) -> exp.Expr:
    """Notes the type of a node, for `known_type`."""
    node.meta[_TYPE] = type
    return node


def known_type(node: exp.Expr, scope: Scope) -> pa.DataType | None:
    """The type of ``node`` where it can be seen; None: ask the engine."""
    if isinstance(node, (exp.Paren, exp.Alias)):
        return known_type(node.this, scope)
    noted: pa.DataType | None = node.meta.get(_TYPE)
    if noted is not None:
        return noted
    if isinstance(node, (exp.Column, exp.Identifier)):
        relation = node.table if isinstance(node, exp.Column) else ""
        found = scope.type_of(node.name, relation)
        return None if found is None else plain(found)
    if isinstance(node, exp.Literal):
        return literal_type(node)
    if isinstance(node, (exp.Cast, exp.TryCast)):
        return arrow_type(node.to)
    if isinstance(node, exp.Null):
        return pa.null()
    if isinstance(node, exp.Interval):
        return pa.month_day_nano_interval()
    if isinstance(node, _PREDICATES) and not isinstance(node, (exp.Any, exp.Subquery)):
        return pa.bool_()
    return None


def literal_type(node: exp.Literal) -> pa.DataType:
    """Numbers with a point are decimals, those with an exponent DOUBLE, others BIGINT."""
    if node.is_string:
        return pa.string()
    if "e" in node.name.lower():
        return pa.float64()
    if "." not in node.name and -(2**63) <= int(node.name) < 2**63:
        return pa.int64()
    return decimal_type(Decimal(node.name))


def decimal_type(value: Decimal) -> pa.DataType:
    """The smallest decimal that holds ``value``."""
    _, digits, exponent = value.as_tuple()
    scale = max(0, -int(exponent))
    precision = max(len(digits) + max(0, int(exponent)), scale, 1)
    if precision > 38:
        raise ValueError(f"{value} has more than 38 digits")
    return pa.decimal128(precision, scale)


def integer_of(node: exp.Expr) -> int | None:
    """The value of an integer literal, which may have a sign."""
    node = node.unnest()
    if isinstance(node, exp.Neg):
        value = integer_of(node.this)
        return None if value is None else -value
    if isinstance(node, exp.Literal) and not node.is_string and node.name.isdecimal():
        return int(node.name)
    return None


def text_of(node: exp.Expr) -> str | None:
    """The value of a literal in quotes."""
    node = node.unnest()
    return node.name if isinstance(node, exp.Literal) and node.is_string else None


_MICROS = {
    "microsecond": 1,
    "millisecond": 1000,
    "second": 1_000_000,
    "minute": 60_000_000,
    "hour": 3_600_000_000,
    "day": 86_400_000_000,
    "week": 604_800_000_000,
}
_PART = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*([a-zA-Z]+)\s*")


def micros_of(node: exp.Expr) -> int | None:
    """The length of an interval literal in µs; None where it has none (months), or is no literal.

    >>> micros_of(exp.Interval(this=exp.Literal.string("1 day 2 hours")))
    93600000000
    """
    node = node.unnest()
    if isinstance(node, exp.Neg):
        length = micros_of(node.this)
        return None if length is None else -length
    if not isinstance(node, exp.Interval) or not isinstance(node.this, exp.Literal):
        return None
    unit = node.args.get("unit")
    written = f"{node.this.name} {unit.name if unit is not None else ''}"
    if not re.fullmatch(f"(?:{_PART.pattern})+", written):
        return None
    total = Decimal(0)
    for count, name in _PART.findall(written):
        micros = _MICROS.get(name.lower().removesuffix("s"))
        if micros is None:
            return None
        total += Decimal(count) * micros
    return int(total)


def cast_to(node: exp.Expr, type: pa.DataType, function: str = "arrow_cast") -> exp.Expr:
    """``node`` as ``type``; fails for values that don't fit."""
    return set_type(call(function, node, exp.Literal.string(arrow_name(type))), type)


def as_type(node: exp.Expr, given: pa.DataType, wanted: pa.DataType) -> exp.Expr:
    """``node`` itself where it has the type already."""
    return node if given == wanted else cast_to(node, wanted)


def checked_call(operation: str, type: pa.DataType, *arguments: exp.Expr) -> exp.Expr:
    return set_type(call(checked_name(operation, type), *arguments), type)
