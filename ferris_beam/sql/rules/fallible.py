"""Which expressions can't fail, whatever the row: only those may be computed for more rows.

``a / b > 2`` above a filter ``b <> 0`` must stay above it. Sums may leave their type, casts may
not fit, functions may refuse; comparisons, logic and what is on the list below do not.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.types as pt
from sqlglot import exp

from ferris_beam.sql.plan.rewriting import bare
from ferris_beam.sql.rules.literals import fitting, value_of

_LOGIC = (exp.And, exp.Or, exp.Not, exp.Paren, exp.Is, exp.Coalesce, exp.Case, exp.If)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ)
_TEXT_TO_TEXT = (exp.Lower, exp.Upper, exp.Trim)
_PATTERNS = (exp.Like, exp.ILike, exp.StartsWith)
_CHANGING = (exp.Rand, exp.Randn, exp.Uuid, exp.CurrentTimestamp, exp.CurrentDate, exp.CurrentTime)
_MOST_DIGITS = 38


def is_infallible(expression: exp.Expression, schema: pa.Schema) -> bool:
    """Whether it has a value, possibly NULL, for every row of ``schema``.

    >>> from sqlglot import parse_one
    >>> schema = pa.schema({"a": pa.int64(), "b": pa.int64()})
    >>> is_infallible(parse_one("a > 5 OR b IS NULL"), schema)
    True
    >>> is_infallible(parse_one("a / b > 2"), schema)
    False
    """
    inner = bare(expression)
    if isinstance(inner, exp.Column):
        return schema.get_field_index(inner.name) >= 0
    if value_of(inner) is not NotImplemented:
        return True
    if isinstance(inner, _COMPARISONS):
        return _comparable(inner.this, inner.expression, schema)
    if isinstance(inner, exp.Between):
        sides = (inner.args["low"], inner.args["high"])
        return all(_comparable(inner.this, side, schema) for side in sides)
    if isinstance(inner, exp.In):
        return bool(inner.expressions) and all(
            _comparable(inner.this, item, schema) for item in inner.expressions
        )
    if isinstance(inner, _PATTERNS):
        return _is_text(inner.this, schema) and _is_text(inner.expression, schema)
    if isinstance(inner, exp.Escape):
        return False
    if isinstance(inner, (*_LOGIC, *_TEXT_TO_TEXT, exp.TryCast)):
        return all(is_infallible(child, schema) for child in _operands(inner))
    return False


def _operands(expression: exp.Expression) -> list[exp.Expression]:
    children = expression.iter_expressions()
    return [bare(child) for child in children if not isinstance(child, exp.DataType)]


def is_repeatable(expression: exp.Expression) -> bool:
    """Whether it may be computed twice, or elsewhere, with the same result: none of ours that we
    don't know, no RANDOM, no NOW."""
    return not any(
        isinstance(node, (*_CHANGING, exp.Anonymous, exp.Window, exp.AggFunc))
        for node in expression.walk()
    )


def known_type(expression: exp.Expression, schema: pa.Schema) -> pa.DataType | None:
    """The type, where it can be seen at once."""
    inner = expression.unnest()
    if isinstance(inner, exp.Column):
        at = schema.get_field_index(inner.name)
        return schema.field(at).type if at >= 0 else None
    if isinstance(inner, _TEXT_TO_TEXT):
        found = known_type(inner.this, schema)
        return found if found is not None and _text(found) else None
    return None


def _comparable(left: exp.Expression, right: exp.Expression, schema: pa.Schema) -> bool:
    """Whether comparing the two needs no cast that could fail."""
    if not (is_infallible(left, schema) and is_infallible(right, schema)):
        return False
    types = known_type(left, schema), known_type(right, schema)
    if types[0] is not None and types[1] is not None:
        return same_family(types[0], types[1])
    if types[0] is not None:
        return _fits(right, types[0])
    if types[1] is not None:
        return _fits(left, types[1])
    values = value_of(left), value_of(right)
    return type(values[0]) is type(values[1]) or None in values


def _fits(literal: exp.Expression, type: pa.DataType) -> bool:
    value = value_of(literal)
    if value is None or fitting(literal, type) is not None:
        return True
    # A number that the type can't hold is compared in a wider one.
    return _number(type) and not pt.is_decimal(type) and not isinstance(value, str)


def _is_text(expression: exp.Expression, schema: pa.Schema) -> bool:
    found = known_type(expression, schema)
    return isinstance(value_of(expression), str) if found is None else _text(found)


def same_family(left: pa.DataType, right: pa.DataType) -> bool:
    """Whether any two values of these types can be compared."""
    if left == right or (_text(left) and _text(right)):
        return True
    if pt.is_decimal(left) or pt.is_decimal(right):
        return _decimals_meet(left, right)
    if _number(left) and _number(right):
        return True
    if pt.is_timestamp(left) and pt.is_timestamp(right):
        return left.unit == right.unit
    return False


def _decimals_meet(left: pa.DataType, right: pa.DataType) -> bool:
    """Whether both fit into one decimal."""
    one, other = _digits(left), _digits(right)
    if one is None or other is None:
        return pt.is_floating(left) or pt.is_floating(right)
    return max(one[0], other[0]) + max(one[1], other[1]) <= _MOST_DIGITS


def _digits(type: pa.DataType) -> tuple[int, int] | None:
    if pt.is_decimal(type):
        return type.precision - type.scale, type.scale
    if pt.is_integer(type):
        return len(str(2**type.bit_width)), 0
    return None


def _number(type: pa.DataType) -> bool:
    return pt.is_integer(type) or pt.is_floating(type) or pt.is_decimal(type)


def _text(type: pa.DataType) -> bool:
    if pt.is_dictionary(type):
        type = type.value_type
    return pt.is_string(type) or pt.is_large_string(type) or pt.is_string_view(type)
