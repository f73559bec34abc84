"""Sources that know their bytes only are given a number of rows, before columns are pruned."""

from __future__ import annotations

from dataclasses import replace

from ferris_beam.sql.nodes import Node, Scan
from ferris_beam.sql.rules.estimates import EXPANSION, row_bytes
from ferris_beam.sql.rules.rewrite import bottom_up


def size_scans(node: Node) -> Node:
    """
    >>> from ferris_beam.sql.rules.examples import scan_of
    >>> round(size_scans(scan_of(nbytes=1000)).rows)
    75
    """
    return bottom_up(node, _sized)


def _sized(node: Node) -> Node:
    if not isinstance(node, Scan) or node.rows is not None or node.nbytes is None:
        return node
    return replace(node, rows=node.nbytes * EXPANSION / row_bytes(node.schema))
