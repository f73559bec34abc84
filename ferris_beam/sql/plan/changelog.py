"""What a node puts out over time: rows that stay, or rows that may be revised.

Over bounded input every result is final, so EMIT CHANGES says the same as EMIT FINAL.

=========  =================================================================================
append     what was put out stays
upsert     a row replaces the one before it that has the same key
retract    rows may be taken back, and have no key: no sink can take that
=========  =================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlglot import exp

from ferris_beam.sql import nodes
from ferris_beam.sql.nodes import Node, walk
from ferris_beam.sql.plan.catalog import Catalog
from ferris_beam.sql.statements import Emit
from ferris_beam.sql.text import SqlText


@dataclass(frozen=True)
class Changelog:
    """``key``: the columns by which a row is replaced; ``why`` names what makes rows change."""

    kind: Literal["append", "upsert", "retract"]
    key: tuple[str, ...] = ()
    why: str = ""


APPEND = Changelog("append")


def is_bounded(node: Node, catalog: Catalog | None = None) -> bool:
    """Whether all that the plan reads has an end."""
    return all(_ends(each, catalog) for each in walk(node))


def _ends(node: Node, catalog: Catalog | None) -> bool:
    if isinstance(node, nodes.Scan):
        return node.bounded
    if isinstance(node, nodes.Given) and catalog is not None:
        entry = catalog.find(node.name)
        return entry is None or entry.bounded
    return True


def changelog(node: Node, emit: Emit | None, catalog: Catalog | None = None) -> Changelog:
    """What ``node`` puts out when results are emitted so."""
    if is_bounded(node, catalog):
        return APPEND
    below = [changelog(each, emit, catalog) for each in node.inputs]
    for each in below:
        if each.kind == "retract":
            return each
    if isinstance(node, nodes.Aggregate):
        return _aggregate(node, emit, below[0])
    if isinstance(node, nodes.Join):
        return _join(node, below, catalog)
    if isinstance(node, (nodes.Sort, nodes.Over)):
        return Changelog("retract", why="ORDER BY, LIMIT and OVER see rows that come later")
    changed = next((each for each in below if each.kind == "upsert"), APPEND)
    if changed.kind == "upsert":
        return _kept_key(node, changed)
    return APPEND


def _aggregate(node: nodes.Aggregate, emit: Emit | None, below: Changelog) -> Changelog:
    if below.kind == "upsert":
        return Changelog("retract", why="an aggregate of results that are revised")
    key = tuple(each.name for each in node.keys)
    if node.window is None:
        return Changelog("upsert", key, "GROUP BY without a window") if node.calls else APPEND
    if emit == "changes":
        return Changelog("upsert", (node.window.start, node.window.end, *key), "early results")
    return APPEND


def _join(node: nodes.Join, below: list[Changelog], catalog: Catalog | None) -> Changelog:
    if any(each.kind == "upsert" for each in below):
        return Changelog("retract", why="a join of results that are revised")
    right_ends = is_bounded(node.right, catalog)
    if node.kind == "inner" or (right_ends and node.kind in ("left", "semi", "anti")):
        return APPEND
    return Changelog("retract", why=f"a {node.kind} join whose match may come later")


def _kept_key(node: Node, below: Changelog) -> Changelog:
    """Whether the key is still there, and under which names."""
    if isinstance(node, nodes.Filter):
        return Changelog("retract", why="a condition on results that are revised")
    if isinstance(node, nodes.Project):
        names = {
            each.expression.name: each.name
            for each in node.columns
            if isinstance(each.expression, exp.Column)
        }
        if all(name in names for name in below.key):
            return Changelog("upsert", tuple(names[name] for name in below.key), below.why)
        return Changelog("retract", why=f"{below.why}, and its key is not selected")
    return Changelog("retract", why=f"{node.__class__.__name__} of results that are revised")


def check_changes(
    node: Node, emit: Emit | None, query: exp.Query, text: SqlText, catalog: Catalog
) -> None:
    """Raises `SqlError` where a result would have to be taken back."""
    found = changelog(node, emit, catalog)
    if found.kind == "retract":
        raise text.error(
            f"the result would have to take rows back, and no sink can do that: {found.why}",
            query,
            "group by a window, or read what is there now (a source that ends)",
        )
