"""DISTINCT over rows that are distinct already only selects columns."""

from __future__ import annotations

from sqlglot import exp

from ferris_beam.sql.nodes import Aggregate, Filter, Join, Node, Project, Sort
from ferris_beam.sql.rules.rewrite import bottom_up

Unique = frozenset[frozenset[str]]


def remove_distinct(node: Node) -> Node:
    """
    >>> from ferris_beam.sql.rules.examples import distinct_above_distinct, names
    >>> print(names(remove_distinct(distinct_above_distinct())))
    Project Aggregate Given
    """
    return bottom_up(node, _removed)


def _removed(node: Node) -> Node:
    if not isinstance(node, Aggregate) or node.calls or node.window is not None or not node.keys:
        return node
    keys = [key.expression for key in node.keys]
    names = frozenset(key.name for key in keys if isinstance(key, exp.Column))
    if any(known <= names for known in unique(node.input)):
        return Project(node.schema, node.input, node.keys)
    return node


def unique(node: Node) -> Unique:
    """Sets of columns whose values together occur once (NULL counted as a value)."""
    if isinstance(node, Aggregate):
        bounds = [node.window.start, node.window.end] if node.window is not None else []
        return frozenset({frozenset([*bounds, *(key.name for key in node.keys)])})
    if isinstance(node, Filter | Sort):
        return unique(node.input)
    if isinstance(node, Project):
        return _renamed(node)
    if isinstance(node, Join):
        return _of_left(node)
    return frozenset()


def _renamed(node: Project) -> Unique:
    names = {
        each.expression.name: each.name
        for each in node.columns
        if isinstance(each.expression, exp.Column)
    }
    kept = (known for known in unique(node.input) if known <= names.keys())
    return frozenset(frozenset(names[name] for name in known) for known in kept)


def _of_left(node: Join) -> Unique:
    """No left row is put out twice where the right side has each key once."""
    if node.kind in ("semi", "anti"):
        return unique(node.left)
    matched = {other.name for _, other in node.keys if isinstance(other, exp.Column)}
    once = node.single or any(known <= matched for known in unique(node.right))
    return unique(node.left) if node.kind in ("inner", "left") and once else frozenset()
