"""Subqueries in an expression, each replaced by columns of a join."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from ferris_beam.sql.nodes import Node
from ferris_beam.sql.plan.builder import Subplanner
from ferris_beam.sql.plan.rewriting import bare, has_query, rewrite
from ferris_beam.sql.plan.subqueries.exists import exists_filter, exists_value
from ferris_beam.sql.plan.subqueries.membership import membership_filter, membership_value
from ferris_beam.sql.plan.subqueries.quantified import as_membership, quantified_value
from ferris_beam.sql.plan.subqueries.scalar import scalar_value


def apply(
    plan: Node, expression: exp.Expression, planner: Subplanner
) -> tuple[Node, exp.Expression]:
    """``plan`` with the subqueries of ``expression`` joined to it, and the expression with columns
    in their place (`ferris_beam.sql.plan.builder` has the whole contract).

    Raises `SqlError` for a subquery that no join expresses.
    """
    if planner.filtering:
        joined = _filtered(plan, expression, planner)
        if joined is not None:
            return joined, exp.true()
    application = _Application(plan, planner)
    value = rewrite(expression, application.replacement)
    return application.plan, value


def _filtered(plan: Node, condition: exp.Expression, planner: Subplanner) -> Node | None:
    """``plan`` with the rows only for which ``condition`` is true, where a semi or anti join says
    that."""
    inner, negated = bare(condition), False
    while isinstance(inner, exp.Not):
        inner, negated = bare(inner.this), not negated
    if isinstance(inner, exp.Exists):
        return exists_filter(plan, inner, negated, planner)
    member = as_membership(inner)
    if member is None:
        return None
    tested, query, other = member
    if has_query(tested):
        return None
    return membership_filter(plan, tested, query, negated != other, planner)


@dataclass
class _Application:
    """``plan`` grows by a join for each subquery that is replaced."""

    plan: Node
    planner: Subplanner

    def replacement(self, node: exp.Expression) -> exp.Expression | None:
        if isinstance(node, exp.Exists):
            self.plan, value = exists_value(self.plan, node, self.planner)
            return value
        member = as_membership(node)
        if member is not None:
            tested, query, negated = member
            arguments = rewrite(tested, self.replacement), query, negated
            self.plan, value = membership_value(self.plan, *arguments, self.planner)
            return value
        if isinstance(node, exp.Binary) and isinstance(node.expression, exp.Any | exp.All):
            return self._quantified(node)
        if isinstance(node, exp.Subquery | exp.Query):
            self.plan, value = scalar_value(self.plan, node, self.planner)
            return value
        return None

    def _quantified(self, node: exp.Expression) -> exp.Expression | None:
        if not has_query(node.expression):
            return None
        compared = rewrite(node.this, self.replacement)
        self.plan, value = quantified_value(self.plan, node, compared, self.planner)
        return value
