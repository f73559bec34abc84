"""A LIMIT without an order stops the source."""

from __future__ import annotations

from dataclasses import replace

from ferris_beam.sql.nodes import Node, Project, Scan, Sort
from ferris_beam.sql.rules.fallible import is_infallible
from ferris_beam.sql.rules.rewrite import bottom_up, over


def push_limits(node: Node) -> Node:
    """A source reads its splits in order, so its first rows are the first rows. An OFFSET is left
    above; so is everything where a column may fail, since a rejected row doesn't count.

    >>> from ferris_beam.sql.rules.examples import limit_above_scan, names
    >>> print(names(push_limits(limit_above_scan())), push_limits(limit_above_scan()).limit)
    Scan 10
    """
    return bottom_up(node, _pushed)


def _pushed(node: Node) -> Node:
    if not isinstance(node, Sort) or node.order or node.limit is None:
        return node
    limited = _limited(node.input, node.limit + node.offset)
    if limited is None:
        return node
    return replace(node, input=limited) if node.offset else limited


def _limited(node: Node, limit: int) -> Node | None:
    if isinstance(node, Scan):
        return replace(node, limit=limit if node.limit is None else min(limit, node.limit))
    if isinstance(node, Project):
        if not all(is_infallible(each.expression, node.input.schema) for each in node.columns):
            return None
        below = _limited(node.input, limit)
        return None if below is None else over(node, below)
    return None
