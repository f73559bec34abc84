"""Filters directly over a source become its own, as far as Arrow can express them."""

from __future__ import annotations

from dataclasses import replace

from ferris_beam.sql.nodes import Filter, Node, Scan
from ferris_beam.sql.rules.expressions import conjunction, conjuncts
from ferris_beam.sql.rules.predicate import split
from ferris_beam.sql.rules.rewrite import bottom_up, filtered


def push_into_scan(node: Node) -> Node:
    """
    >>> from ferris_beam.sql.rules.examples import filter_above_scan, names
    >>> print(names(push_into_scan(filter_above_scan())))
    Filter Scan
    >>> push_into_scan(filter_above_scan()).inputs[0].predicate.sql()
    '"o.id" > 5'
    """
    return bottom_up(node, _pushed)


def _pushed(node: Node) -> Node:
    if not isinstance(node, Filter) or not isinstance(node.input, Scan):
        return node
    scan = node.input
    if scan.limit is not None:
        return node
    told, rest = split(node.condition, scan.schema)
    if told is None:
        return node
    predicate = conjunction([*conjuncts(scan.predicate), *conjuncts(told)])
    return filtered(replace(scan, predicate=predicate), rest)
