"""What every branch of an OR demands, demanded once: ``(a AND b) OR (a AND c)`` is
``a AND (b OR c)``, whose ``a`` can move, or be the key of a join."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from ferris_beam.sql.nodes import Filter, Join, Node
from ferris_beam.sql.rules.expressions import (
    conjunction,
    conjuncts,
    disjunction,
    disjuncts,
    is_true,
)
from ferris_beam.sql.rules.rewrite import bottom_up


def common_factors(node: Node) -> Node:
    """
    >>> from ferris_beam.sql.rules.examples import filter_by_branches
    >>> common_factors(filter_by_branches()).condition.sql()
    '"o.id" = 1 AND ("o.amount" = 2 OR "o.amount" = 3)'
    """
    return bottom_up(node, _factored)


def _factored(node: Node) -> Node:
    if isinstance(node, Filter):
        return replace(node, condition=factored(node.condition))
    if isinstance(node, Join) and node.residual is not None:
        return replace(node, residual=factored(node.residual))
    return node


def factored(condition: exp.Expression) -> exp.Expression:
    """The same condition; unchanged (and identical) where nothing is common."""
    parts = conjuncts(condition)
    result = [each for part in parts for each in _common(part)]
    return condition if len(result) == len(parts) else conjunction(result)


def _common(part: exp.Expression) -> list[exp.Expression]:
    branches = [conjuncts(branch) for branch in disjuncts(part)]
    shared = [each for each in branches[0] if all(each in other for other in branches[1:])]
    if len(branches) == 1 or not shared:
        return [part]
    rest = disjunction(
        conjunction([each for each in branch if each not in shared]) for branch in branches
    )
    # a OR (a AND b) is a
    only = any(len(branch) == len(shared) for branch in branches)
    return shared if only or is_true(rest) else [*shared, rest]
