"""Comparisons with ANY, SOME and ALL.

``= ANY`` is IN and ``<> ALL`` is NOT IN. The others follow from the least and greatest value, the
number of rows and the number of those that are not NULL.
"""

from __future__ import annotations

from sqlglot import exp

from ferris_beam.sql.nodes import Named, Node, column
from ferris_beam.sql.plan.builder import Subplanner
from ferris_beam.sql.plan.subqueries.correlation import joined
from ferris_beam.sql.plan.subqueries.marking import grouped_by
from ferris_beam.sql.plan.subqueries.pulling import Puller

_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)


def as_membership(
    node: exp.Expression,
) -> tuple[exp.Expression, exp.Expression, bool] | None:
    """What is tested, the subquery, and whether it must *not* be in it; None: it is no IN."""
    if isinstance(node, exp.In) and node.args.get("query") is not None:
        return node.this, node.args["query"], False
    if isinstance(node, exp.EQ) and _is_over_query(node, exp.Any):
        return node.this, node.expression.this, False
    if isinstance(node, exp.NEQ) and _is_over_query(node, exp.All):
        return node.this, node.expression.this, True
    return None


def _is_over_query(node: exp.Expression, quantifier: type[exp.Expression]) -> bool:
    if not isinstance(node.expression, quantifier):
        return False
    return isinstance(node.expression.this.unnest(), exp.Query)


def quantified_value(
    plan: Node, node: exp.Expression, compared: exp.Expression, planner: Subplanner
) -> tuple[Node, exp.Expression]:
    """``compared`` takes the place of the comparison's left side."""
    query = node.expression.this
    puller = Puller(planner, node, repeats=True, plan=plan)
    if not isinstance(node, _COMPARISONS):
        raise puller.refuse(f"{type(node).__name__.upper()} with ANY or ALL")
    sub, scope, _ = planner.plan_query(query)
    if len(scope.fields) != 1:
        raise planner.text.error(
            f"a subquery of {len(scope.fields)} columns can't be compared with a value", query
        )
    pulled = puller.pull(sub)
    pulled = puller.settled(pulled, "ANY or ALL with a condition other than an equality")
    names = {part: planner.names.unique(part) for part in ("least", "greatest", "rows", "known")}
    value = column(scope.fields[0].flat)
    calls = [
        Named(names["least"], exp.Min(this=value.copy())),
        Named(names["greatest"], exp.Max(this=value.copy())),
        Named(names["rows"], exp.Count(this=exp.Star())),
        Named(names["known"], exp.Count(this=value)),
    ]
    counted, conditions, _ = grouped_by(pulled, (), planner, calls)
    plan = joined(planner, plan, counted, "left", conditions)
    return plan, _decided(node, compared, names)


def _decided(
    node: exp.Expression, compared: exp.Expression, names: dict[str, str]
) -> exp.Expression:
    """``x > ANY`` is true if x is above the least; ``x > ALL`` is false if it isn't above the
    greatest: what decides. Else NULLs leave it open."""
    of_all = isinstance(node.expression, exp.All)
    rows, zero = column(names["rows"]), exp.Literal.number(0)
    none = exp.EQ(this=exp.func("COALESCE", rows, zero.copy()), expression=zero)
    decides = _decisive(node, compared, names, of_all)
    unknown = exp.Or(
        this=exp.Is(this=exp.Paren(this=compared.copy()), expression=exp.Null()),
        expression=exp.LT(this=column(names["known"]), expression=column(names["rows"])),
    )
    return exp.Case(
        ifs=[
            exp.If(this=none, true=exp.Boolean(this=of_all)),
            exp.If(this=decides, true=exp.Boolean(this=not of_all)),
            exp.If(this=unknown, true=exp.Null()),
        ],
        default=exp.Boolean(this=of_all),
    )


def _decisive(
    node: exp.Expression, compared: exp.Expression, names: dict[str, str], of_all: bool
) -> exp.Expression:
    def test(bound: str) -> exp.Expression:
        left = exp.Paren(this=compared.copy())
        return type(node)(this=left, expression=column(names[bound]))

    if isinstance(node, exp.EQ | exp.NEQ):
        # x = ALL fails, and x <> ANY holds, where x differs from one of the two.
        differs = [
            exp.NEQ(this=exp.Paren(this=compared.copy()), expression=column(names[bound]))
            for bound in ("least", "greatest")
        ]
        return exp.Or(this=differs[0], expression=differs[1])
    upward = isinstance(node, exp.GT | exp.GTE)
    if of_all:
        return exp.Not(this=exp.Paren(this=test("greatest" if upward else "least")))
    return test("least" if upward else "greatest")
