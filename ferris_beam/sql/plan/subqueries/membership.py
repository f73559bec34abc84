"""IN and NOT IN over subqueries, also of several columns: (a, b) IN (SELECT …).

NULL is unknown: ``x NOT IN (…)`` is true only if every row of the subquery certainly differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from ferris_beam.sql.nodes import Join, Named, Node, column
from ferris_beam.sql.plan.builder import Subplanner
from ferris_beam.sql.plan.subqueries.correlation import Pair, joined
from ferris_beam.sql.plan.subqueries.marking import flagged, grouped_by
from ferris_beam.sql.plan.subqueries.pulled import Pulled
from ferris_beam.sql.plan.subqueries.pulling import Puller


def membership_filter(
    plan: Node,
    tested: exp.Expression,
    query: exp.Expression,
    negated: bool,
    planner: Subplanner,
) -> Node:
    pairs, pulled = _sides(plan, tested, query, planner)
    if not negated:
        return joined(planner, plan, pulled.node, "semi", pulled.conditions, pairs)
    if len(pairs) == 1 and not pulled.conditions:
        join = joined(planner, plan, pulled.node, "anti", (), pairs)
        return replace(join, null_aware=True)
    return _anti(plan, pairs, pulled, planner)


def _anti(plan: Node, pairs: Sequence[Pair], pulled: Pulled, planner: Subplanner) -> Join:
    """No row for which it is unknown or true that all values are equal."""
    equal = [exp.EQ(this=one.copy(), expression=other.copy()) for one, other in pairs]
    differs = exp.Is(this=exp.Paren(this=exp.and_(*equal)), expression=exp.false())
    return joined(planner, plan, pulled.node, "anti", [*pulled.conditions, exp.Not(this=differs)])


def membership_value(
    plan: Node,
    tested: exp.Expression,
    query: exp.Expression,
    negated: bool,
    planner: Subplanner,
) -> tuple[Node, exp.Expression]:
    """TRUE where an equal row was found; else NULL where one might be equal; else FALSE."""
    pairs, pulled = _sides(plan, tested, query, planner)
    puller = Puller(planner, query, plan=plan)
    if len(pairs) > 1:
        raise puller.refuse("IN with several columns inside of an expression")
    what = "IN inside of an expression, with a condition other than an equality,"
    pulled = puller.settled(pulled, what)
    ((value, inner),) = pairs
    plan, flag = flagged(plan, pulled, pairs, planner)
    rows, known = planner.names.unique("rows"), planner.names.unique("known")
    calls = [
        Named(rows, exp.Count(this=exp.Star())),
        Named(known, exp.Count(this=inner.copy())),
    ]
    counted, conditions, _ = grouped_by(pulled, (), planner, calls)
    plan = joined(planner, plan, counted, "left", conditions)
    found = three_valued(_not_null(column(flag)), value, rows, known)
    return plan, exp.Not(this=found) if negated else found


def three_valued(
    found: exp.Expression, value: exp.Expression, rows: str, known: str
) -> exp.Expression:
    """TRUE where ``found``; FALSE of no rows; NULL where ``value`` or one of the rows is NULL."""
    number = exp.func("COALESCE", column(rows), exp.Literal.number(0))
    none = exp.EQ(this=number, expression=exp.Literal.number(0))
    unknown = exp.Or(
        this=exp.Is(this=exp.Paren(this=value.copy()), expression=exp.Null()),
        expression=exp.LT(this=column(known), expression=column(rows)),
    )
    return exp.Case(
        ifs=[
            exp.If(this=found, true=exp.true()),
            exp.If(this=none, true=exp.false()),
            exp.If(this=unknown, true=exp.Null()),
        ],
        default=exp.false(),
    )


def _sides(
    plan: Node, tested: exp.Expression, query: exp.Expression, planner: Subplanner
) -> tuple[list[Pair], Pulled]:
    """What is compared with what, and the subquery."""
    sub, scope, _ = planner.plan_query(query)
    inner = tested.unnest()
    values = inner.expressions if isinstance(inner, exp.Tuple) else [tested]
    if len(values) != len(scope.fields):
        raise planner.text.error(
            f"{len(values)} value{'s' * (len(values) != 1)} on the left of IN, and a subquery of "
            f"{len(scope.fields)} column{'s' * (len(scope.fields) != 1)}",
            query,
            "select as many columns as there are values",
        )
    pulled = Puller(planner, query, repeats=True, plan=plan).pull(sub)
    pairs = zip(values, scope.fields, strict=True)
    return [(value, column(field.flat)) for value, field in pairs], pulled


def _not_null(expression: exp.Expression) -> exp.Expression:
    return exp.Not(this=exp.Is(this=expression, expression=exp.Null()))
