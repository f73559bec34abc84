"""What is known of one side of a join holds for the equal keys of the other.

``a.k = b.k`` and ``a.k = 7`` say ``b.k = 7``, which lets the other source skip, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sqlglot import exp

from ferris_beam.sql.nodes import Filter, Join, Node, Project, Scan, column, columns_in
from ferris_beam.sql.rules.expressions import conjuncts, replaced
from ferris_beam.sql.rules.predicate import translate
from ferris_beam.sql.rules.rewrite import bottom_up, filtered

_TO_RIGHT = frozenset({"inner", "left", "semi", "anti"})
_TO_LEFT = frozenset({"inner", "right", "semi"})


def infer_filters(node: Node) -> Node:
    """
    >>> from ferris_beam.sql.rules.examples import join_with_filter, names
    >>> print(names(infer_filters(join_with_filter())))
    Join Filter Given Filter Given
    """
    return bottom_up(node, _inferred)


def _inferred(node: Node) -> Node:
    if not isinstance(node, Join) or node.null_aware or node.nulls_equal:
        return node
    pairs = {
        one.name: other.name
        for one, other in node.keys
        if isinstance(one, exp.Column) and isinstance(other, exp.Column)
    }
    left, right = node.left, node.right
    if node.kind in _TO_RIGHT:
        right = _with_known(right, left, pairs)
    if node.kind in _TO_LEFT:
        left = _with_known(left, right, {other: one for one, other in pairs.items()})
    if left is node.left and right is node.right:
        return node
    return replace(node, left=left, right=right)


def _with_known(side: Node, other: Node, pairs: dict[str, str]) -> Node:
    """``side``, filtered by what is known of the columns of ``other`` that equal its own."""
    known = set(facts(side))
    found = []
    for fact in facts(other):
        (name,) = columns_in(fact)
        if name in pairs and _same_type(other, name, side, pairs[name]):
            inferred = replaced(fact, {name: column(pairs[name])})
            if inferred not in known and translate(inferred, side.schema) is not None:
                found.append(inferred)
    return filtered(side, found) if found else side


def _same_type(one: Node, name: str, other: Node, other_name: str) -> bool:
    return bool(one.schema.field(name).type == other.schema.field(other_name).type)


def facts(node: Node) -> Iterable[exp.Expression]:
    """Conditions over one column each that every row of ``node`` meets."""
    if isinstance(node, Filter):
        yield from (part for part in conjuncts(node.condition) if len(columns_in(part)) == 1)
        yield from facts(node.input)
    elif isinstance(node, Scan):
        yield from (part for part in conjuncts(node.predicate) if len(columns_in(part)) == 1)
    elif isinstance(node, Project):
        yield from _renamed(node)
    elif isinstance(node, Join):
        if node.kind in ("inner", "left", "semi", "anti"):
            yield from facts(node.left)
        if node.kind in ("inner", "right"):
            yield from facts(node.right)


def _renamed(node: Project) -> Iterable[exp.Expression]:
    names: dict[str, list[str]] = {}
    for each in node.columns:
        if isinstance(each.expression, exp.Column):
            names.setdefault(each.expression.name, []).append(each.name)
    for fact in facts(node.input):
        (below,) = columns_in(fact)
        for name in names.get(below, ()):
            yield replaced(fact, {below: column(name)})
