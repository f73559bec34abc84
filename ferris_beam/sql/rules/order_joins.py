"""Relations that nothing connects are not multiplied before those that connect them.

``FROM part, supplier, lineitem`` is joined as part, lineitem, supplier: in the order they are
written, except that one without an equality to those before it waits until there is one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.nodes import Filter, Join, Node, columns_in
from ferris_beam.sql.rules.expressions import conjunction, conjuncts
from ferris_beam.sql.rules.fallible import is_infallible, is_repeatable
from ferris_beam.sql.rules.push_filters import push
from ferris_beam.sql.rules.rewrite import over, selected

Parts = list[exp.Expression]


def order_joins(node: Node) -> Node:
    """
    >>> from ferris_beam.sql.rules.examples import three_relations
    >>> ordered = order_joins(three_relations())
    >>> [len(join.keys) for join in (ordered.input, ordered.input.left)]
    [1, 1]
    """
    if not _is_plain(node):
        return over(node, *(order_joins(below) for below in node.inputs))
    relations, conditions = _flattened(node)
    ordered = [order_joins(relation) for relation in relations]
    if not _multiplies(node) or not all(_may_move(part, node) for part in conditions):
        return _again(node, iter(ordered))
    joined = reduce(_crossed, _order(ordered, conditions))
    if conditions:
        joined = push(Filter(joined.schema, joined, conjunction(conditions)), [])
    return selected(joined, node.schema.names)


def _is_plain(node: Node) -> bool:
    return (
        isinstance(node, Join)
        and node.kind == "inner"
        and not (node.single or node.nulls_equal or node.null_aware)
    )


def _may_move(part: exp.Expression, node: Node) -> bool:
    """A key may be of any kind: it was computed for every row before, too."""
    return isinstance(part, exp.EQ) or (is_infallible(part, node.schema) and is_repeatable(part))


def _flattened(node: Node) -> tuple[list[Node], Parts]:
    """The relations under a tree of inner joins, and all that they must meet."""
    if not (isinstance(node, Join) and _is_plain(node)):
        return [node], []
    left, left_parts = _flattened(node.left)
    right, right_parts = _flattened(node.right)
    keys = [exp.EQ(this=one.copy(), expression=other.copy()) for one, other in node.keys]
    return left + right, [*left_parts, *right_parts, *keys, *conjuncts(node.residual)]


def _multiplies(node: Node) -> bool:
    if not (isinstance(node, Join) and _is_plain(node)):
        return False
    return not node.keys or _multiplies(node.left) or _multiplies(node.right)


def _again(node: Node, relations: Iterator[Node]) -> Node:
    if not (isinstance(node, Join) and _is_plain(node)):
        return next(relations)
    left = _again(node.left, relations)
    return over(node, left, _again(node.right, relations))


def _order(relations: list[Node], conditions: Parts) -> list[Node]:
    first, *waiting = relations
    result, seen = [first], set(first.schema.names)
    while waiting:
        following = next((each for each in waiting if _connects(each, seen, conditions)), None)
        following = following or waiting[0]
        waiting = [each for each in waiting if each is not following]
        result.append(following)
        seen |= set(following.schema.names)
    return result


def _connects(relation: Node, seen: set[str], conditions: Parts) -> bool:
    own = set(relation.schema.names)
    for part in conditions:
        if not isinstance(part, exp.EQ):
            continue
        one, other = columns_in(part.this), columns_in(part.expression)
        if one and other and (_between(one, other, seen, own) or _between(other, one, seen, own)):
            return True
    return False


def _between(one: frozenset[str], other: frozenset[str], seen: set[str], own: set[str]) -> bool:
    return one <= seen and other <= own


def _crossed(left: Node, right: Node) -> Node:
    return Join(pa.schema([*left.schema, *right.schema]), left, right, "inner", ())
