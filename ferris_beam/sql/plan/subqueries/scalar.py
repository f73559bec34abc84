"""Scalar subqueries: at most one row, whose value stands in the expression; no row is NULL."""

from __future__ import annotations

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.nodes import Aggregate, Node, Project, column
from ferris_beam.sql.plan.builder import Subplanner
from ferris_beam.sql.plan.rewriting import at
from ferris_beam.sql.plan.subqueries.correlation import joined
from ferris_beam.sql.plan.subqueries.marking import with_flag
from ferris_beam.sql.plan.subqueries.pulled import Pulled
from ferris_beam.sql.plan.subqueries.pulling import Puller, certainly_null
from ferris_beam.sql.plan.types import cast


def scalar_value(
    plan: Node, query: exp.Expression, planner: Subplanner
) -> tuple[Node, exp.Expression]:
    """A second row for a row of ``plan`` is an error when it is met."""
    sub, scope, _ = planner.plan_query(query.unnest() if _is_wrapped(query) else query)
    if len(scope.fields) != 1:
        raise planner.text.error(
            f"a subquery in an expression has one column, and this one has {len(scope.fields)}",
            query,
        )
    value = scope.fields[0].flat
    pulled = Puller(planner, query, plan=plan).pull(sub)
    if pulled.missing is None:
        single = not _is_one_row(pulled.node)
        join = joined(planner, plan, pulled.node, "left", pulled.conditions, single=single)
        return join, at(column(value), query)
    return _with_missing(plan, pulled, value, planner, query)


def _with_missing(
    plan: Node, pulled: Pulled, value: str, planner: Subplanner, query: exp.Expression
) -> tuple[Node, exp.Expression]:
    """An aggregate has a value for no rows, too: COUNT 0, where the join finds nothing."""
    assert pulled.missing is not None
    missing, right = pulled.missing[value], pulled.node
    if certainly_null(missing):
        join = joined(planner, plan, right, "left", pulled.conditions)
        return join, at(column(value), query)
    flag = planner.names.unique("matched")
    join = joined(planner, plan, with_flag(right, flag, planner), "left", pulled.conditions)
    absent = exp.Is(this=column(flag), expression=exp.Null())
    # Of NULL beside a DECIMAL the kernel makes BIGINT, so the type is said.
    typed = cast(missing, pa.null(), right.schema.field(value).type)
    found = exp.Case(ifs=[exp.If(this=absent, true=typed)], default=column(value))
    return join, at(found, query)


def _is_one_row(node: Node) -> bool:
    """Whether it has exactly one row, whatever is read."""
    if isinstance(node, Project):
        return _is_one_row(node.input)
    return isinstance(node, Aggregate) and not node.keys and node.window is None


def _is_wrapped(query: exp.Expression) -> bool:
    """Whether it only stands in parentheses."""
    return isinstance(query, exp.Subquery) and not query.args.get("alias")
