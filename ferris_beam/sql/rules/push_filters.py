"""Filters move down, as near to the sources as they mean the same.

What may fail (`is_infallible`) is never computed for rows that a Filter or Join below would have
removed, so it moves through nodes only that keep their rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sqlglot import exp

from ferris_beam.sql.nodes import (
    Aggregate,
    Filter,
    Join,
    Named,
    Node,
    Over,
    Project,
    Rows,
    Sort,
    Union,
    Unnest,
    column,
    columns_in,
)
from ferris_beam.sql.rules.expressions import (
    by_name,
    conjuncts,
    is_column,
    is_false_or_null,
    is_true,
    replaced,
)
from ferris_beam.sql.rules.fallible import is_infallible, is_repeatable
from ferris_beam.sql.rules.join_conditions import place
from ferris_beam.sql.rules.rewrite import empty, filtered, is_empty, over

Parts = list[exp.Expression]


def push_filters(node: Node) -> Node:
    """The same rows, filtered as early as possible.

    >>> from ferris_beam.sql.rules.examples import filter_above_project, names
    >>> print(names(filter_above_project()), "->", names(push_filters(filter_above_project())))
    Filter Project Given -> Project Filter Given
    """
    return push(node, [])


def push(node: Node, parts: Iterable[exp.Expression]) -> Node:
    """``node`` where all ``parts`` hold, which are over its columns."""
    wanted = [part for part in parts if not is_true(part)]
    if any(is_false_or_null(part) for part in wanted) or is_empty(node):
        return empty(node.schema)
    if isinstance(node, Filter):
        return _through_filter(node, wanted)
    if isinstance(node, Join):
        return _through_join(node, wanted)
    if isinstance(node, Union):
        return _through_union(node, wanted)
    moving = [part for part in wanted if is_repeatable(part)]
    below = {id(part): lower for part in moving if (lower := _below(node, part)) is not None}
    stay = [part for part in wanted if id(part) not in below]
    if not node.inputs:
        return filtered(node, stay)
    pushed = over(node, push(node.inputs[0], below.values()))
    if is_empty(pushed.inputs[0]) and not _makes_rows(node):
        return empty(node.schema)
    return filtered(pushed, stay)


def _through_filter(node: Filter, parts: Parts) -> Node:
    """What can't fail joins the lower filter; what can stays above it."""
    own = conjuncts(node.condition)
    safe = [part for part in parts if is_infallible(part, node.schema)]
    below = push(node.input, [*own, *safe])
    return below if is_empty(below) else filtered(below, [p for p in parts if p not in safe])


def _through_union(node: Union, parts: Parts) -> Node:
    branches = []
    for branch in node.branches:
        columns: dict[str, exp.Expression] = {
            name: column(own)
            for name, own in zip(node.schema.names, branch.schema.names, strict=True)
        }
        branches.append(push(branch, [replaced(part, columns) for part in parts]))
    kept = tuple(branch for branch in branches if not is_empty(branch))
    if len(kept) == 1:
        return _renamed(kept[0], node)
    return replace(node, branches=kept) if kept else empty(node.schema)


def _renamed(branch: Node, node: Union) -> Node:
    names = zip(node.schema.names, branch.schema.names, strict=True)
    return Project(node.schema, branch, tuple(Named(name, column(own)) for name, own in names))


def _through_join(node: Join, parts: Parts) -> Node:
    placed = place(node, parts)
    left, right = push(node.left, placed.left), push(node.right, placed.right)
    if is_empty(left) and node.kind in ("inner", "left", "semi", "anti"):
        return empty(node.schema)
    if is_empty(right) and node.kind in ("inner", "right", "semi"):
        return empty(node.schema)
    joined = replace(node, keys=placed.keys, residual=placed.residual)
    return filtered(over(joined, left, right), placed.above)


def _makes_rows(node: Node) -> bool:
    """Without any input there is a row still: that of a global aggregate."""
    return isinstance(node, Aggregate) and not node.keys and node.window is None


def _below(node: Node, part: exp.Expression) -> exp.Expression | None:
    """``part`` over the input of ``node``; None where it has to stay above."""
    used = columns_in(part)
    if isinstance(node, Project):
        return _below_project(node, part)
    if isinstance(node, Sort):
        return part if node.limit is None and not node.offset else None
    if not is_infallible(part, node.schema):
        return None
    if isinstance(node, Unnest):
        return part if not used & {node.name, node.position} else None
    if isinstance(node, Over):
        partition = {each.unnest().name for each in node.partition if is_column(each)}
        return part if used and used <= partition else None
    if isinstance(node, Aggregate):
        keys = by_name(node.keys)
        if not used or not used <= keys.keys():
            return None
        moved = replaced(part, keys)
        return moved if is_infallible(moved, node.input.schema) and is_repeatable(moved) else None
    return None


def _below_project(node: Project, part: exp.Expression) -> exp.Expression | None:
    values = {each.name: each.expression for each in node.columns}
    if isinstance(node.input, Rows):
        return None
    moved = replaced(part, values)
    if all(is_column(values[name]) for name in columns_in(part)):
        return moved
    return moved if is_infallible(moved, node.input.schema) and is_repeatable(moved) else None
