"""Which columns of the query around it a plan needs."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from ferris_beam.sql import nodes
from ferris_beam.sql.nodes import Node, walk
from ferris_beam.sql.plan.scope import OuterColumn


def expressions_of(node: Node) -> Iterator[exp.Expression]:
    """All expressions of the node itself."""
    if isinstance(node, nodes.Aggregate):
        yield from (each.expression for each in (*node.keys, *node.calls))
        if node.window is not None:
            yield node.window.time
    elif isinstance(node, nodes.Join):
        yield from (side for pair in node.keys for side in pair)
        if node.residual is not None:
            yield node.residual
    elif isinstance(node, nodes.Over):
        yield from node.partition
        yield from (each.expression for each in node.calls)
    elif isinstance(node, nodes.Rows):
        yield from (cell for row in node.rows for cell in row)
    else:
        yield from _of_simple(node)


def _of_simple(node: Node) -> Iterator[exp.Expression]:
    if isinstance(node, nodes.Project | nodes.Sort):
        listed = node.columns if isinstance(node, nodes.Project) else node.order
        yield from (each.expression for each in listed)
    elif isinstance(node, nodes.Filter):
        yield node.condition
    elif isinstance(node, nodes.Unnest):
        yield node.expression
    elif isinstance(node, nodes.Scan) and node.predicate is not None:
        yield node.predicate


def is_outer(expression: exp.Expression) -> bool:
    """Whether it names a column of a query around."""
    return any(True for _ in expression.find_all(OuterColumn))


def outer_columns(node: Node) -> frozenset[str]:
    """The names of columns of queries around that the plan needs."""
    return frozenset(
        found.name
        for each in walk(node)
        for expression in expressions_of(each)
        for found in expression.find_all(OuterColumn)
    )
