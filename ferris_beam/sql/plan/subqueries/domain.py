"""Correlation of any kind made one of equalities: the subquery is joined to the distinct values
that the query around compares, and compared with those (Neumann and Kemper, "Unnesting Arbitrary
Queries", 2015).

It costs computing the query around a second time, so it is the last resort.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlglot import exp

from ferris_beam.sql.functions.registry import is_volatile
from ferris_beam.sql.nodes import Join, Named, Node, column, walk
from ferris_beam.sql.plan.builder import Subplanner
from ferris_beam.sql.plan.outer import expressions_of
from ferris_beam.sql.plan.rewriting import conjunction, rewrite
from ferris_beam.sql.plan.scope import OuterColumn


@dataclass(frozen=True)
class Domain:
    """``node`` puts out the values of outer columns; ``names`` maps those to its columns."""

    node: Node
    names: Mapping[str, str]

    def bound(self, expression: exp.Expression) -> exp.Expression:
        """With the domain's columns in place of the outer ones."""

        def value(part: exp.Expression) -> exp.Expression | None:
            if isinstance(part, OuterColumn) and part.name in self.names:
                return column(self.names[part.name])
            return None

        return rewrite(expression, value)

    def joined(self, planner: Subplanner, node: Node, conditions: Iterable[exp.Expression]) -> Join:
        """The rows of ``node`` beside each combination of values that they belong to."""
        residual = conjunction([self.bound(part) for part in conditions])
        return planner.construct.join(self.node, node, "inner", (), residual)

    @property
    def equalities(self) -> list[exp.Expression]:
        return [
            exp.NullSafeEQ(this=column(name), expression=_outer(outer))
            for outer, name in self.names.items()
        ]


def domain(planner: Subplanner, plan: Node, expressions: Iterable[exp.Expression]) -> Domain | None:
    """Of the outer columns in ``expressions``; None where ``plan`` doesn't have them all, or would
    have other rows the second time."""
    outer = sorted({part.name for each in expressions for part in each.find_all(OuterColumn)})
    if not outer or not set(outer) <= set(plan.schema.names) or _changes(plan):
        return None
    names = {name: planner.names.unique("outer") for name in outer}
    keys = [Named(names[name], column(name)) for name in outer]
    return Domain(planner.construct.aggregate(plan, keys, ()), names)


def _changes(plan: Node) -> bool:
    parts = (expression for node in walk(plan) for expression in expressions_of(node))
    return any(
        is_volatile(call)
        for part in parts
        for call in part.find_all(exp.Func)
        if isinstance(call, exp.Expression)
    )


def _outer(name: str) -> OuterColumn:
    return OuterColumn(this=exp.Identifier(this=name, quoted=True))
