"""How each join is run: against a table that every worker holds, or both sides by hash.

A source that asks for it is looked up by the keys of each batch (`lookups`). ``broadcast`` holds
the right side; of an inner join the smaller one goes there, and a right join
with a small left side becomes a left join. A full join needs to know which rows of the held side
nobody matched, so it always goes by hash.
"""

from __future__ import annotations

from dataclasses import replace

from ferris_beam.sql.nodes import Join, Node, Scan, walk
from ferris_beam.sql.rules.estimates import Estimate, estimate
from ferris_beam.sql.rules.lookups import looked_up
from ferris_beam.sql.rules.rewrite import bottom_up, swapped

BROADCAST_LIMIT = 64_000_000.0
"""Bytes in memory that every worker may hold of one join."""


def choose_strategies(node: Node, broadcast_limit: float = BROADCAST_LIMIT) -> Node:
    """``node`` with `Join.strategy` and `Join.why` set everywhere.

    >>> from ferris_beam.sql.rules.examples import join_of_scans
    >>> choose_strategies(join_of_scans(left=10_000_000, right=1000)).why
    'the right side is small: about 16 kB'
    """

    def chosen(node: Node) -> Node:
        if not isinstance(node, Join):
            return node
        return looked_up(node) or _chosen(node, broadcast_limit)

    return bottom_up(node, chosen)


def _chosen(node: Join, limit: float) -> Node:
    if node.kind == "full":
        return _by_hash(node, "a full join puts out what nobody matched on both sides")
    left, right = estimate(node.left), estimate(node.right)
    fits_left, fits_right = _fits(node.left, left, limit), _fits(node.right, right, limit)
    if not _may_swap(node):
        fits_left = False
    if fits_left and fits_right:
        fits_left = node.kind == "right" or (left.nbytes or 0) < (right.nbytes or 0)
    if fits_left:
        return swapped(node, "broadcast", f"the left side, now on the right, is small: {left}")
    if fits_right and node.kind != "right":
        return _broadcast(node, f"the right side is small: {right}")
    return _too_large(node, left, right, limit)


def _may_swap(node: Join) -> bool:
    return node.kind in ("inner", "right") and not node.single


def _fits(node: Node, size: Estimate, limit: float) -> bool:
    return size.nbytes is not None and size.nbytes <= limit and is_bounded(node)


def is_bounded(node: Node) -> bool:
    return all(each.bounded for each in walk(node) if isinstance(each, Scan))


def _too_large(node: Join, left: Estimate, right: Estimate, limit: float) -> Join:
    """By hash, unless rows that are equal in nothing have to meet."""
    needs_all = not node.keys or node.null_aware
    if needs_all and node.kind != "right" and right.nbytes is None and is_bounded(node.right):
        what = "NOT IN" if node.null_aware else "a join without equal keys"
        return _broadcast(node, f"{what} needs all rows of the right side")
    if needs_all:
        return _by_hash(node, "rows meet without equal keys: all of them in one partition")
    if left.nbytes is None and right.nbytes is None:
        return _by_hash(node, "the sizes of both sides are unknown")
    return _by_hash(node, f"left {left}, right {right}; the limit is {Estimate(None, limit)}")


def _broadcast(node: Join, why: str) -> Join:
    return replace(node, strategy="broadcast", why=why)


def _by_hash(node: Join, why: str) -> Join:
    return replace(node, strategy="hash", why=why)
