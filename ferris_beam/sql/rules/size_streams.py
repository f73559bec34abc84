"""Streams that are read are as large as their own plans: joins are chosen by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ferris_beam.sql.nodes import Given, Node, Scan, walk
from ferris_beam.sql.rules.estimates import estimate
from ferris_beam.sql.rules.rewrite import bottom_up


def size_streams(node: Node, plans: Mapping[str, Node]) -> Node:
    """``node`` with an estimate for each stream whose plan is in ``plans`` and has an end.

    >>> from ferris_beam.sql.rules.examples import scan_of, stream
    >>> size_streams(stream("s"), {"s": scan_of(rows=1000)}).rows
    1000.0
    """

    def sized(node: Node) -> Node:
        if not isinstance(node, Given) or not node.stream:
            return node
        plan = plans.get(node.name)
        if plan is None or not _ends(plan, plans):
            return node
        return replace(node, rows=estimate(plan).rows)

    return bottom_up(node, sized)


def _ends(plan: Node, plans: Mapping[str, Node]) -> bool:
    """Whether all that it reads is known to have an end."""
    for each in walk(plan):
        if isinstance(each, Scan) and not each.bounded:
            return False
        if isinstance(each, Given) and not (
            each.stream and each.name in plans and _ends(plans[each.name], plans)
        ):
            return False
    return True
