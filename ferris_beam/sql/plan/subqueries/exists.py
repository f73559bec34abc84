"""EXISTS and NOT EXISTS: semi and anti joins, or a flag where the value is asked for."""

from __future__ import annotations

from sqlglot import exp

from ferris_beam.sql.nodes import Aggregate, Filter, Node, Project, Sort, column
from ferris_beam.sql.plan.builder import Subplanner
from ferris_beam.sql.plan.subqueries.correlation import joined
from ferris_beam.sql.plan.subqueries.marking import flagged
from ferris_beam.sql.plan.subqueries.pulled import Pulled
from ferris_beam.sql.plan.subqueries.pulling import Puller


def exists_filter(plan: Node, node: exp.Exists, negated: bool, planner: Subplanner) -> Node:
    pulled = _rows_of(plan, node, planner)
    if pulled is None:
        return Filter(plan.schema, plan, exp.Boolean(this=not negated))
    kind = "anti" if negated else "semi"
    return joined(planner, plan, pulled.node, kind, pulled.conditions)  # type: ignore[arg-type]


def exists_value(plan: Node, node: exp.Exists, planner: Subplanner) -> tuple[Node, exp.Expression]:
    pulled = _rows_of(plan, node, planner)
    if pulled is None:
        return plan, exp.true()
    what = "EXISTS inside of an expression, with a condition other than an equality,"
    pulled = Puller(planner, node, plan=plan).settled(pulled, what)
    plan, flag = flagged(plan, pulled, [], planner)
    return plan, exp.Not(this=exp.Is(this=column(flag), expression=exp.Null()))


def _rows_of(plan: Node, node: exp.Exists, planner: Subplanner) -> Pulled | None:
    """The rows of which one must exist; None: there always is one."""
    sub, _, _ = planner.plan_query(node.this)
    sub = _needed(sub)
    if isinstance(sub, Aggregate) and not sub.keys and sub.window is None:
        return None
    return Puller(planner, node, repeats=True, plan=plan).pull(sub)


def _needed(node: Node) -> Node:
    """Without what doesn't change whether there is a row."""
    if isinstance(node, Project):
        return _needed(node.input)
    if isinstance(node, Aggregate) and node.keys and node.window is None:
        return _needed(node.input)
    if isinstance(node, Sort) and not node.offset and node.limit != 0:
        return _needed(node.input)
    return node
