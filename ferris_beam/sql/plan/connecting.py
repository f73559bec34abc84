"""Comma joins: equations of WHERE become the keys of joins, so that no cross product is run."""

from __future__ import annotations

from sqlglot import exp

from ferris_beam.sql import nodes
from ferris_beam.sql.nodes import Node, columns_in
from ferris_beam.sql.plan.builder import Builder
from ferris_beam.sql.plan.conditions import Pair, key_pair
from ferris_beam.sql.plan.rewriting import unwrapped

Conditions = list[exp.Expression]


def connect(builder: Builder, node: Node, conditions: Conditions) -> tuple[Node, Conditions]:
    """``node`` with its products joined by equations among ``conditions``, and the others.

    Relations are taken in the order in which they stand, each as soon as an equation connects it
    to those before it.
    """
    if not any(isinstance(unwrapped(condition), exp.EQ) for condition in conditions):
        return node, conditions
    if isinstance(node, nodes.Join) and node.kind == "inner" and not node.keys:
        return _connect_product(builder, node, conditions)
    if isinstance(node, (nodes.Join, nodes.Unnest, nodes.Filter)):
        return _connect_below(builder, node, conditions)
    return node, conditions


def _connect_below(
    builder: Builder, node: nodes.Join | nodes.Unnest | nodes.Filter, conditions: Conditions
) -> tuple[Node, Conditions]:
    """Equations that concern the first input only may hold there already, where the node keeps
    all of its rows or none."""
    below = node.inputs[0]
    if isinstance(node, nodes.Join) and node.kind in ("right", "full"):
        return node, conditions
    concerned = [each for each in conditions if columns_in(each) <= set(below.schema.names)]
    changed, left = connect(builder, below, concerned)
    if changed is below:
        return node, conditions
    used = {id(each) for each in concerned} - {id(each) for each in left}
    rest = [each for each in conditions if id(each) not in used]
    return node.with_inputs(changed, *node.inputs[1:]), rest


def _connect_product(
    builder: Builder, product: nodes.Join, conditions: Conditions
) -> tuple[Node, Conditions]:
    waiting = []
    for factor in _factors(product):
        changed, conditions = connect(builder, factor, conditions)
        waiting.append(changed)
    joined = waiting.pop(0)
    while waiting:
        place = _next(joined, waiting, conditions)
        joined, conditions = _join(builder, joined, waiting.pop(place), conditions)
    return joined, conditions


def _factors(node: Node) -> list[Node]:
    if isinstance(node, nodes.Join) and node.kind == "inner" and not node.keys:
        return [*_factors(node.left), *_factors(node.right)]
    return [node]


def _next(joined: Node, waiting: list[Node], conditions: Conditions) -> int:
    """The first relation that an equation connects, else the first of all."""
    for place, candidate in enumerate(waiting):
        if any(_pair(joined, candidate, condition) for condition in conditions):
            return place
    return 0


def _join(
    builder: Builder, left: Node, right: Node, conditions: Conditions
) -> tuple[Node, Conditions]:
    keys: list[Pair] = []
    rest: Conditions = []
    for condition in conditions:
        pair = _pair(left, right, condition)
        if pair is None:
            rest.append(condition)
        else:
            keys.append(pair)
    return builder.construct.join(left, right, "inner", keys), rest


def _pair(left: Node, right: Node, condition: exp.Expression) -> Pair | None:
    inner = unwrapped(condition)
    if not isinstance(inner, exp.EQ):
        return None
    return key_pair(inner, frozenset(left.schema.names), frozenset(right.schema.names))
