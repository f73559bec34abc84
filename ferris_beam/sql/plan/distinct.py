"""DISTINCT and DISTINCT ON."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from ferris_beam.sql.nodes import Named, Node, column
from ferris_beam.sql.plan.builder import Builder
from ferris_beam.sql.plan.ordering import OrderItem


def distinct(builder: Builder, node: Node) -> Node:
    """Each row once."""
    return builder.construct.aggregate(
        node, [Named(name, column(name)) for name in node.schema.names], []
    )


def distinct_on(
    builder: Builder, node: Node, on: Sequence[int], order: Sequence[OrderItem], visible: int
) -> Node:
    """The first row, by ``order``, of those that are equal in the columns at ``on``. Ties are
    decided by all visible columns, so that the answer doesn't depend on how rows arrive."""
    names = node.schema.names
    partition: list[exp.Expression] = [column(names[place]) for place in on]
    ties = [OrderItem(place, False, False) for place in range(visible)]
    ordered = [
        exp.Ordered(this=column(names[o.place]), desc=o.descending, nulls_first=o.nulls_first)
        for o in [*order, *ties]
        if o.place not in on
    ]
    window = exp.Window(
        this=exp.RowNumber(),
        partition_by=partition,
        order=exp.Order(expressions=ordered) if ordered else None,
        over="OVER",
    )
    name = builder.names.unique("row_number")
    over = builder.construct.over(node, tuple(partition), [Named(name, window)])
    first = exp.EQ(this=column(name), expression=exp.Literal.number(1))
    kept = builder.construct.filter(over, first, "DISTINCT ON")
    return builder.construct.project(kept, [Named(each, column(each)) for each in names])
