"""Conditions as `pyarrow.compute.Expression`, for readers that drop rows and row groups by them.

The condition may be said in other words, but never with another meaning: what Arrow sees
differently from SQL is not expressed, and stays in a Filter. Arrow's NaN equals nothing, where in
SQL it equals itself and is greater than any number; Arrow's ``is_in`` of NULL is false.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
from sqlglot import exp

from ferris_beam.sql.nodes import Scan
from ferris_beam.sql.plan.rewriting import bare
from ferris_beam.sql.rules.expressions import (
    conjunction,
    conjuncts,
)
from ferris_beam.sql.rules.literals import fitting, value_of

Comparison = Callable[[Any, Any], Any]

COMPARE: dict[type[exp.Expression], Comparison] = {
    exp.EQ: operator.eq,
    exp.NEQ: operator.ne,
    exp.LT: operator.lt,
    exp.LTE: operator.le,
    exp.GT: operator.gt,
    exp.GTE: operator.ge,
}
_MIRRORED: dict[type[exp.Expression], type[exp.Expression]] = {
    exp.EQ: exp.EQ,
    exp.NEQ: exp.NEQ,
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
}
_NEGATED: dict[type[exp.Expression], type[exp.Expression]] = {
    exp.EQ: exp.NEQ,
    exp.NEQ: exp.EQ,
    exp.LT: exp.GTE,
    exp.LTE: exp.GT,
    exp.GT: exp.LTE,
    exp.GTE: exp.LT,
}
_FEW = 8
"""Up to so many values of an IN are compared one by one: row groups are pruned by that."""


class _Inexpressible(Exception):
    """Arrow can't say it, or would mean something else by it."""


def arrow_predicate(scan: Scan) -> pc.Expression | None:
    """What ``scan`` asks its source, over the source's own names; None: for all rows."""
    if scan.predicate is None:
        return None
    sources = dict(zip(scan.schema.names, scan.names, strict=True))
    translated = translate(scan.predicate, scan.schema, sources)
    assert translated is not None, f"not expressible: {scan.predicate.sql()}"
    return translated


def translate(
    condition: exp.Expression, schema: pa.Schema, sources: Mapping[str, str] | None = None
) -> pc.Expression | None:
    """The rows of ``schema`` for which ``condition`` is true; None where Arrow can't tell.

    ``sources`` gives the name that each column has where it is read.

    >>> from sqlglot import parse_one
    >>> translate(parse_one("a >= 5 AND b LIKE 'x%'"), pa.schema({"a": "int64", "b": "string"}))
    <pyarrow.compute.Expression ((a >= 5) and ((b >= "x") and (b < "y")))>
    >>> translate(parse_one("a * 2 > 5"), pa.schema({"a": "int64"})) is None
    True
    """
    try:
        return _Translation(schema, sources or {}).condition(condition, False)
    except _Inexpressible:
        return None


def split(
    condition: exp.Expression, schema: pa.Schema
) -> tuple[exp.Expression | None, list[exp.Expression]]:
    """What Arrow can tell of ``condition``, and the conjuncts that stay."""
    parts = [(part, translate(part, schema) is not None) for part in conjuncts(condition)]
    told = [part for part, can in parts if can]
    return conjunction(told) if told else None, [part for part, can in parts if not can]


class _Translation:
    """Every method says for which rows the condition (``negated``: its negation) is *true*; in
    whether it is false or NULL for the others they are free, since NOT is pushed down to where
    it is said exactly."""

    def __init__(self, schema: pa.Schema, sources: Mapping[str, str]) -> None:
        self.schema = schema
        self.sources = sources

    def condition(self, node: exp.Expression, negated: bool) -> pc.Expression:
        node = bare(node)
        if node.args.get("negate"):  # of IS NOT and NOT LIKE
            negated = not negated
        if isinstance(node, exp.Not):
            return self.condition(node.this, not negated)
        if isinstance(node, exp.And | exp.Or):
            sides = self.condition(node.this, negated), self.condition(node.expression, negated)
            both = isinstance(node, exp.And) != negated
            return sides[0] & sides[1] if both else sides[0] | sides[1]
        if type(node) in COMPARE:
            kind = _NEGATED[type(node)] if negated else type(node)
            return self.comparison(kind, node.this, node.expression)
        if isinstance(node, exp.Between) and not node.args.get("symmetric"):
            return self.between(node, negated)
        if isinstance(node, exp.In):
            return self.membership(node, negated)
        if isinstance(node, exp.Like):
            return self.prefix(node, negated)
        return self.truth(node, negated)

    def truth(self, node: exp.Expression, negated: bool) -> pc.Expression:
        """A column of Booleans, and what IS tests."""
        if isinstance(node, exp.Column):
            field, type = self.field(node)
            if pt.is_boolean(type):
                return ~field if negated else field
        if isinstance(node, exp.Is):
            field, type = self.field(node.this)
            tested = value_of(node.expression)
            if tested is None:
                return field.is_valid() if negated else field.is_null()
            if isinstance(tested, bool) and pt.is_boolean(type):
                wanted = field if tested else ~field
                return (~wanted) | field.is_null() if negated else wanted
        raise _Inexpressible

    def field(self, node: exp.Expression) -> tuple[pc.Expression, pa.DataType]:
        node = bare(node)
        if not isinstance(node, exp.Column) or node.name not in self.schema.names:
            raise _Inexpressible
        type = self.schema.field(node.name).type
        return pc.field((self.sources.get(node.name, node.name),)), type

    def comparison(
        self, kind: type[exp.Expression], left: exp.Expression, right: exp.Expression
    ) -> pc.Expression:
        if not isinstance(left.unnest(), exp.Column):
            left, right, kind = right, left, _MIRRORED[kind]
        field, type = self.field(left)
        if isinstance(right.unnest(), exp.Column):
            other, other_type = self.field(right)
            if type != other_type or pt.is_floating(type) or pt.is_nested(type):
                raise _Inexpressible
            return COMPARE[kind](field, other)
        compared = COMPARE[kind](field, self.literal(right, type))
        if pt.is_floating(type) and kind in (exp.GT, exp.GTE):
            return compared | field.is_nan()  # NaN is the greatest
        return compared

    def literal(self, node: exp.Expression, type: pa.DataType) -> pa.Scalar:
        if pt.is_dictionary(type):
            type = type.value_type
        found = fitting(node, type)
        if found is None:
            raise _Inexpressible
        return found

    def between(self, node: exp.Between, negated: bool) -> pc.Expression:
        low, high = (exp.LT, exp.GT) if negated else (exp.GTE, exp.LTE)
        above = self.comparison(low, node.this, node.args["low"])
        below = self.comparison(high, node.this, node.args["high"])
        return above | below if negated else above & below

    def membership(self, node: exp.In, negated: bool) -> pc.Expression:
        field, type = self.field(node.this)
        if not node.expressions or node.args.get("query") or node.args.get("unnest"):
            raise _Inexpressible
        items = [item for item in node.expressions if value_of(item) is not None]
        if negated and len(items) < len(node.expressions):
            raise _Inexpressible  # never true, which is for another rule to say
        values = [self.literal(item, type) for item in items]
        if not values:
            raise _Inexpressible
        if len(values) > _FEW:
            if pt.is_floating(type):
                raise _Inexpressible  # is_in tells -0.0 from 0.0
            among = field.isin(pa.array([value.as_py() for value in values], values[0].type))
            return ~among & field.is_valid() if negated else among
        result = (field != values[0]) if negated else (field == values[0])
        for value in values[1:]:
            result = result & (field != value) if negated else result | (field == value)
        return result

    def prefix(self, node: exp.Like, negated: bool) -> pc.Expression:
        """``LIKE 'abc%'`` is a range, in the order of UTF-8's bytes, which row groups know."""
        field, type = self.field(node.this)
        pattern = value_of(node.expression)
        if not isinstance(pattern, str) or any(sign in pattern[:-1] for sign in "%_\\"):
            raise _Inexpressible
        if pattern[-1:] != "%" or not 0x20 <= ord(pattern[-2:-1] or "\0") < 0xD7FF:
            raise _Inexpressible
        least = pattern[:-1]
        behind = least[:-1] + chr(ord(least[-1]) + 1)
        start = self.literal(exp.Literal.string(least), type)
        end = self.literal(exp.Literal.string(behind), type)
        return (field < start) | (field >= end) if negated else (field >= start) & (field < end)
