"""Columns that nobody needs are not read, computed or sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pyarrow as pa
import pyarrow.types as pt
from sqlglot import exp

from ferris_beam.sql.nodes import (
    Aggregate,
    Filter,
    Given,
    Join,
    Node,
    Over,
    Project,
    Rows,
    Scan,
    Sort,
    Union,
    Unnest,
    columns_in,
)
from ferris_beam.sql.rules.rewrite import over, selected

Names = frozenset[str]


def prune_columns(node: Node) -> Node:
    """The same columns at the top, as few as possible below.

    >>> from ferris_beam.sql.rules.examples import orders, project
    >>> prune_columns(project(orders(), number='"o.id"')).inputs[0].schema.names
    ['o.id']
    """
    return _pruned(node, frozenset(node.schema.names))


def _pruned(node: Node, needed: Names) -> Node:
    """``node`` with the columns ``needed``, and maybe more."""
    if isinstance(node, Scan | Given):
        return _leaf(node, needed)
    if isinstance(node, Project):
        return _project(node, needed)
    if isinstance(node, Aggregate):
        return _aggregate(node, needed)
    if isinstance(node, Union):
        return _union(node, needed)
    if isinstance(node, Join):
        return _join(node, needed)
    if isinstance(node, Over):
        return _over(node, needed)
    if isinstance(node, Rows):
        return node
    return over(node, _pruned(node.inputs[0], _needed_below(node, needed)))


def _needed_below(node: Node, needed: Names) -> Names:
    if isinstance(node, Filter):
        return needed | columns_in(node.condition)
    if isinstance(node, Sort):
        return needed.union(*(columns_in(each.expression) for each in node.order))
    if isinstance(node, Unnest):
        return (needed - {node.name, node.position}) | columns_in(node.expression)
    return frozenset(node.inputs[0].schema.names)


def _leaf(node: Scan | Given, needed: Names) -> Node:
    if isinstance(node, Scan) and node.predicate is not None:
        needed = needed | columns_in(node.predicate)
    kept = _kept(node.schema, needed)
    if kept == node.schema.names:
        return node
    places = [node.schema.get_field_index(name) for name in kept]
    schema = pa.schema([node.schema.field(at) for at in places])
    return replace(node, schema=schema, names=tuple(node.names[at] for at in places))


def _kept(schema: pa.Schema, needed: Names) -> list[str]:
    """At least one column: rows without any aren't counted everywhere. The narrowest, then."""
    kept = [name for name in schema.names if name in needed]
    if kept or not schema.names:
        return kept
    return [min(schema, key=lambda field: _width(field.type)).name]


def _width(type: pa.DataType) -> int:
    if pt.is_dictionary(type):
        return 40
    return type.bit_width if pt.is_primitive(type) else 1 << 20 if pt.is_nested(type) else 1000


def _project(node: Project, needed: Names) -> Node:
    kept = frozenset(_kept(node.schema, needed))
    columns = tuple(each for each in node.columns if each.name in kept)
    schema = pa.schema([node.schema.field(each.name) for each in columns])
    below = _pruned(node.input, _of(each.expression for each in columns))
    return Project(schema, below, columns)


def _aggregate(node: Aggregate, needed: Names) -> Node:
    calls = tuple(call for call in node.calls if call.name in needed)
    if not (calls or node.keys or node.window):
        calls = node.calls[:1]
    dropped = {call.name for call in node.calls} - {call.name for call in calls}
    schema = pa.schema([field for field in node.schema if field.name not in dropped])
    used = _of(each.expression for each in (*node.keys, *calls))
    if node.window is not None:
        used |= columns_in(node.window.time)
    return replace(node, schema=schema, input=_pruned(node.input, used), calls=calls)


def _union(node: Union, needed: Names) -> Node:
    kept = _kept(node.schema, needed)
    places = [node.schema.get_field_index(name) for name in kept]
    branches = []
    for branch in node.branches:
        names = [branch.schema.names[at] for at in places]
        branches.append(selected(_pruned(branch, frozenset(names)), names))
    schema = pa.schema([node.schema.field(at) for at in places])
    return replace(node, schema=schema, branches=tuple(branches))


def _join(node: Join, needed: Names) -> Node:
    """Both sides are sent to where they meet, so what only a filter below needed goes before."""
    used = _of(side for key in node.keys for side in key)
    if node.residual is not None:
        used |= columns_in(node.residual)
    return over(
        node,
        _exactly(node.left, needed | used),
        _exactly(node.right, (needed if node.kind not in ("semi", "anti") else frozenset()) | used),
    )


def _over(node: Over, needed: Names) -> Node:
    calls = tuple(call for call in node.calls if call.name in needed)
    if not calls:
        return _pruned(node.input, needed)
    used = _of(each.expression for each in calls) | _of(node.partition)
    dropped = {call.name for call in node.calls} - {call.name for call in calls}
    schema = pa.schema([field for field in node.schema if field.name not in dropped])
    below = _exactly(node.input, (needed - {call.name for call in calls}) | used)
    return over(replace(node, schema=schema, calls=calls), below)


def _exactly(node: Node, needed: Names) -> Node:
    """Without columns that the nodes below needed only for themselves."""
    below = _pruned(node, needed)
    return selected(below, _kept(below.schema, needed))


def _of(expressions: Iterable[exp.Expression]) -> Names:
    return frozenset().union(*(columns_in(expression) for expression in expressions))
