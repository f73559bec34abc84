"""An outer join whose filled-up rows a condition above drops is an inner one.

``a LEFT JOIN b … WHERE b.x = 1``: where b is missing, ``b.x`` is NULL, and the row goes anyway.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sqlglot import exp

from ferris_beam.sql.nodes import Filter, Join, JoinKind, Node, Project, Sort
from ferris_beam.sql.plan.rewriting import bare
from ferris_beam.sql.rules.expressions import (
    conjuncts,
)
from ferris_beam.sql.rules.predicate import COMPARE
from ferris_beam.sql.rules.rewrite import over

Names = frozenset[str]

_STRICT = (exp.Neg, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Paren)
_NONE: Names = frozenset()


def outer_joins(node: Node) -> Node:
    """
    >>> from ferris_beam.sql.rules.examples import filter_above_left_join
    >>> outer_joins(filter_above_left_join()).inputs[0].kind
    'inner'
    """
    return _simplified(node, _NONE)


def _simplified(node: Node, rejected: Names) -> Node:
    """``rejected``: rows in which one of these columns is NULL are dropped above."""
    if isinstance(node, Filter):
        rejected = rejected.union(*(rejecting(part) for part in conjuncts(node.condition)))
        return over(node, _simplified(node.input, rejected))
    if isinstance(node, Project):
        return over(node, _simplified(node.input, _renamed(node, rejected)))
    if isinstance(node, Sort) and node.limit is None and not node.offset:
        return over(node, _simplified(node.input, rejected))
    if isinstance(node, Join):
        return _join(node, rejected)
    return over(node, *(_simplified(below, _NONE) for below in node.inputs))


def _renamed(node: Project, rejected: Names) -> Names:
    dropped = [each.expression for each in node.columns if each.name in rejected]
    return _NONE.union(*(strict(each) for each in dropped))


def _join(node: Join, rejected: Names) -> Node:
    kind = node.kind if node.single else _kind(node, rejected)
    changed = node if kind == node.kind else replace(node, kind=kind)
    needed = _needed_to_match(changed)
    if kind == "inner":
        sides = rejected | needed, rejected | needed
    elif kind in ("left", "anti"):
        sides = rejected, _NONE if node.null_aware else needed
    elif kind == "semi":
        sides = rejected | needed, needed
    else:
        sides = (needed, rejected) if kind == "right" else (_NONE, _NONE)
    if node.single:
        sides = sides[0], _NONE
    inputs = _simplified(node.left, sides[0]), _simplified(node.right, sides[1])
    return over(changed, *inputs)


def _kind(node: Join, rejected: Names) -> JoinKind:
    left = bool(rejected & set(node.left.schema.names)) and node.kind in ("right", "full")
    right = bool(rejected & set(node.right.schema.names)) and node.kind in ("left", "full")
    kind: JoinKind = node.kind
    if left:
        kind = "inner" if kind == "right" else "left"
    if right:
        kind = "inner" if kind == "left" else "right"
    return kind


def _needed_to_match(node: Join) -> Names:
    """Columns whose NULL matches nothing."""
    if node.nulls_equal or node.null_aware:
        return _NONE
    keys = [strict(side) for key in node.keys for side in key]
    return _NONE.union(*keys, *(rejecting(part) for part in conjuncts(node.residual)))


def rejecting(condition: exp.Expression) -> Names:
    """Columns whose NULL makes ``condition`` false or NULL.

    >>> from sqlglot import parse_one
    >>> sorted(rejecting(parse_one("(a > 1 AND b = 2) OR a + c < 5")))
    ['a']
    """
    inner = bare(condition)
    if isinstance(inner, exp.And):
        return rejecting(inner.this) | rejecting(inner.expression)
    if isinstance(inner, exp.Or):
        return rejecting(inner.this) & rejecting(inner.expression)
    negated = isinstance(inner, exp.Not)
    if negated:
        inner = bare(inner.this)
    if isinstance(inner, exp.Is):
        is_not_null = isinstance(inner.expression, exp.Null) and (
            negated != bool(inner.args.get("negate"))
        )
        return strict(inner.this) if is_not_null else _NONE
    return _comparing(inner)


def _comparing(inner: exp.Expression) -> Names:
    if type(inner) in COMPARE or isinstance(inner, exp.Like):
        return strict(inner.this) | strict(inner.expression)
    if isinstance(inner, exp.Between | exp.In):
        return strict(inner.this)
    return strict(inner) if isinstance(inner, exp.Column) else _NONE


def strict(expression: exp.Expression) -> Names:
    """Columns whose NULL makes ``expression`` NULL."""
    if isinstance(expression, exp.Column):
        return frozenset({expression.name})
    if type(expression) is exp.Cast:
        return strict(expression.this)
    if isinstance(expression, _STRICT):
        return _union(strict(bare(each)) for each in expression.iter_expressions())
    return _NONE


def _union(names: Iterable[Names]) -> Names:
    return _NONE.union(*names)
