"""Conditions that don't depend on the row: ``TRUE AND x`` is ``x``, ``1 = 1`` is TRUE.

A Filter or Join that no row passes becomes no rows at all, whose sources aren't read.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from sqlglot import exp

from ferris_beam.sql.nodes import Filter, Join, Node
from ferris_beam.sql.plan.rewriting import bare
from ferris_beam.sql.rules.expressions import (
    conjunction,
    disjunction,
    is_false_or_null,
    is_true,
)
from ferris_beam.sql.rules.literals import value_of
from ferris_beam.sql.rules.predicate import COMPARE
from ferris_beam.sql.rules.rewrite import bottom_up, empty


def fold_constants(node: Node) -> Node:
    """
    >>> from ferris_beam.sql.rules.examples import filter_never_true, names
    >>> print(names(fold_constants(filter_never_true())))
    Rows
    """
    return bottom_up(node, _folded)


def _folded(node: Node) -> Node:
    if isinstance(node, Filter):
        condition = folded(node.condition)
        if is_true(condition):
            return node.input
        if is_false_or_null(condition):
            return empty(node.schema)
        return replace(node, condition=condition)
    if isinstance(node, Join) and node.residual is not None:
        residual = folded(node.residual)
        return replace(node, residual=None if is_true(residual) else residual)
    return node


def folded(condition: exp.Expression) -> exp.Expression:
    """
    >>> from sqlglot import parse_one
    >>> folded(parse_one("1 = 1 AND (a OR FALSE) AND NOT 2 < 1")).sql()
    'a'
    """
    inner = bare(condition)
    if isinstance(inner, exp.And | exp.Or):
        return _connected(inner)
    if isinstance(inner, exp.Not):
        return _negated(inner)
    if type(inner) in COMPARE:
        return _compared(inner)
    return inner


def _connected(node: exp.Connector) -> exp.Expression:
    """FALSE decides AND, TRUE decides OR; the other says nothing."""
    deciding = isinstance(node, exp.Or)
    sides = [folded(node.this), folded(node.expression)]
    for side in sides:
        if _is(side, deciding):
            return side
    left = [side for side in sides if not _is(side, not deciding)]
    if len(left) < 2:
        return left[0] if left else sides[0]
    return conjunction(left) if isinstance(node, exp.And) else disjunction(left)


def _negated(node: exp.Not) -> exp.Expression:
    inner = folded(node.this)
    if isinstance(inner, exp.Boolean):
        return exp.Boolean(this=not inner.this)
    return bare(node) if inner is node.this.unnest() else exp.Not(this=exp.Paren(this=inner.copy()))


def _compared(node: exp.Expression) -> exp.Expression:
    left, right = value_of(node.this), value_of(node.expression)
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        return exp.Boolean(this=COMPARE[type(node)](left, right))
    return node


def _is(node: exp.Expression, value: bool) -> bool:
    return isinstance(node, exp.Boolean) and bool(node.this) == value
