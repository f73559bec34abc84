"""ORDER BY with LIMIT and window functions in a subquery: each row around has its own partition."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from ferris_beam.sql.nodes import Filter, Named, Ordering, Over, Sort, column
from ferris_beam.sql.plan.outer import expressions_of, is_outer
from ferris_beam.sql.plan.rewriting import conjunction
from ferris_beam.sql.plan.subqueries.correlation import equalities
from ferris_beam.sql.plan.subqueries.pulled import Pulled

if TYPE_CHECKING:
    from ferris_beam.sql.plan.subqueries.pulling import Puller


def pull_sort(puller: Puller, node: Sort) -> Pulled:
    """Without LIMIT a subquery's order means nothing."""
    below = puller.pull(node.input)
    if node.limit is None and not node.offset:
        return below
    if any(is_outer(each) for each in expressions_of(node)):
        raise puller.refuse("ORDER BY a column of the query around it")
    if below.missing is not None:
        raise puller.refuse("LIMIT over an aggregate without GROUP BY")
    below = puller.equal(below, "LIMIT below a condition other than an equality")
    partition = [found.inner for found in equalities(below.conditions)]
    name = puller.planner.names.unique("row_number")
    call = Named(name, _row_number(partition, node.order))
    over = puller.planner.construct.over(below.node, partition, [call])
    parts: list[exp.Expression] = []
    if node.offset:
        parts.append(exp.GT(this=column(name), expression=exp.Literal.number(node.offset)))
    if node.limit is not None:
        last = exp.Literal.number(node.offset + node.limit)
        parts.append(exp.LTE(this=column(name), expression=last))
    kept = Filter(over.schema, over, conjunction(parts) or exp.true())
    return Pulled(kept, below.conditions)


def _row_number(partition: Iterable[exp.Expression], order: Iterable[Ordering]) -> exp.Window:
    items = [
        exp.Ordered(this=each.expression, desc=each.descending, nulls_first=each.nulls_first)
        for each in order
    ]
    return exp.Window(
        this=exp.RowNumber(),
        partition_by=[part.copy() for part in partition],
        order=exp.Order(expressions=items) if items else None,
        over="OVER",
    )


def pull_over(puller: Puller, node: Over) -> Pulled:
    below = puller.pull(node.input)
    if below.missing is not None or any(is_outer(each) for each in expressions_of(node)):
        raise puller.refuse("a window function over columns of the query around it")
    below = puller.equal(below, "a window function below a condition other than an equality")
    partition = [found.inner for found in equalities(below.conditions)]
    calls = [Named(call.name, _partitioned(call.expression, partition)) for call in node.calls]
    over = puller.planner.construct.over(below.node, (*node.partition, *partition), calls)
    return replace(below, node=over)


def _partitioned(call: exp.Expression, partition: list[exp.Expression]) -> exp.Expression:
    copy = call.copy()
    for window in copy.find_all(exp.Window):
        by = [*window.args.get("partition_by", ()), *(part.copy() for part in partition)]
        window.set("partition_by", by)
    return copy
