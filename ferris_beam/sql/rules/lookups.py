"""Joins with a source that is asked for the keys of each batch, instead of being read as a whole.

That is what ``lookup=true`` at the source says. Nobody sees all of its rows then, so whatever needs
those is refused: rows without a match, NULLs that match, every row met with every other.
"""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
from sqlglot import exp

from ferris_beam.errors import PlanError
from ferris_beam.sql.nodes import Filter, Join, Node, Project, Scan, Unnest
from ferris_beam.sql.rules.rewrite import swapped

WHY = "the source is read with lookup=true"
_KINDS = ("inner", "left", "semi", "anti")
_BITS = {exp.DType.SMALLINT: 16, exp.DType.INT: 32, exp.DType.BIGINT: 64}


def looked_up(node: Join) -> Node | None:
    """``node`` as a join by lookups, where one of its sides asks for that; None: neither does.

    >>> from ferris_beam.sql.rules.examples import join_with_lookup
    >>> looked_up(join_with_lookup()).strategy
    'lookup'

    Raises `PlanError` for a join that can't be run so.
    """
    right, left = lookup_scan(node.right), lookup_scan(node.left)
    if right is not None:
        _check(node, right)
        return replace(node, strategy="lookup", why=WHY)
    if left is None:
        return None
    if node.kind not in ("inner", "right") or node.single:
        raise _refusal(left, f"a {node.kind} join with it on the left needs all of its rows")
    exchanged = swapped(node, "lookup", WHY)
    join = exchanged.input if isinstance(exchanged, Project) else exchanged
    assert isinstance(join, Join)
    _check(join, left)
    return exchanged


def lookup_scan(node: Node) -> Scan | None:
    """The source that gives the rows of ``node``, through filters and projections, and asks to be
    looked up."""
    while isinstance(node, Project | Filter | Unnest):
        node = node.input
    if not isinstance(node, Scan) or node.lookup is None or node.limit is not None:
        return None
    return node


def lookup_keys(node: Join) -> dict[int, str]:
    """The keys of a join (by number) that are columns of the source on the right, and the names
    that these have there."""
    found = {}
    for number, (_, key) in enumerate(node.keys):
        name = _source_column(node.right, key)
        if name is not None:
            found[number] = name
    return found


def _source_column(node: Node, key: exp.Expression) -> str | None:
    """The source's own name of what ``key`` is over the columns of ``node``."""
    key = _without_widening(key, node)
    if not isinstance(key, exp.Column):
        return None
    if isinstance(node, Scan):
        names = dict(zip(node.schema.names, node.names, strict=True))
        return names.get(key.name)
    if isinstance(node, Project):
        values = {each.name: each.expression for each in node.columns}
        return _source_column(node.input, values[key.name]) if key.name in values else None
    if isinstance(node, Unnest) and key.name in (node.name, node.position):
        return None
    return _source_column(node.inputs[0], key)


def _without_widening(key: exp.Expression, node: Node) -> exp.Expression:
    """The column in ``CAST(column AS BIGINT)``, by which integers of two widths are compared."""
    if not isinstance(key, exp.Cast) or not isinstance(key.this, exp.Column):
        return key
    kind = node.schema.field(key.this.name).type
    fits = pa.types.is_signed_integer(kind) and kind.bit_width <= _BITS.get(key.to.this, 0)
    return key.this if fits else key


def _check(node: Join, scan: Scan) -> None:
    if node.kind not in _KINDS:
        raise _refusal(scan, f"a {node.kind} join puts out its rows without a match, too")
    if node.null_aware:
        raise _refusal(scan, "NOT IN needs to know whether any of its rows is NULL; use NOT EXISTS")
    if node.nulls_equal:
        raise _refusal(scan, "NULL matches NULL in this join, and a NULL can't be looked up")
    if not node.keys:
        raise _refusal(scan, "this join has no equality with one of its columns")
    if not lookup_keys(node):
        compared = node.keys[0][1].sql().replace('"', "")
        why = f"this join compares {compared}; compare the column itself, and cast the other side"
        raise _refusal(scan, why)


def _refusal(scan: Scan, why: str) -> PlanError:
    return PlanError(
        f"{scan.endpoint.display} can't be looked up: {why}. Join it by equal columns "
        "(JOIN, LEFT JOIN, EXISTS, NOT EXISTS, with it on the right), or leave out lookup=true to "
        "read all of it"
    )
