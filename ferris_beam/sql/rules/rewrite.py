"""Trees rebuilt, with schemas that follow from those below."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.nodes import (
    Filter,
    Join,
    Named,
    Node,
    Over,
    Project,
    Rows,
    Sort,
    Unnest,
    column,
)
from ferris_beam.sql.rules.expressions import conjunction
from ferris_beam.sql.rules.fallible import is_infallible


def bottom_up(node: Node, rule: Callable[[Node], Node]) -> Node:
    """``rule`` applied to every node, those below first."""
    inputs = tuple(bottom_up(below, rule) for below in node.inputs)
    return rule(over(node, *inputs))


def over(node: Node, *inputs: Node) -> Node:
    """``node`` over other inputs, which may have fewer or more columns than before."""
    if all(new is old for new, old in zip(inputs, node.inputs, strict=True)):
        return node
    rebuilt = node.with_inputs(*inputs)
    schema = _schema(rebuilt)
    return rebuilt if schema is None else replace(rebuilt, schema=schema)


def _schema(node: Node) -> pa.Schema | None:
    """What follows from the inputs' columns; None: the node says by itself what it puts out."""
    if isinstance(node, Filter | Sort):
        return node.input.schema
    if isinstance(node, Over):
        return extended(node.input.schema, node.schema, [call.name for call in node.calls])
    if isinstance(node, Unnest):
        names = [name for name in (node.name, node.position) if name]
        return extended(node.input.schema, node.schema, names)
    if isinstance(node, Join):
        return join_schema(node)
    return None


def extended(below: pa.Schema, known: pa.Schema, names: Iterable[str]) -> pa.Schema:
    return pa.schema([*below, *(known.field(name) for name in names)])


def join_schema(node: Join) -> pa.Schema:
    """The left columns, then the right ones; those that an outer join fills up may be NULL."""
    left, right = list(node.left.schema), list(node.right.schema)
    if node.kind in ("semi", "anti"):
        return node.left.schema
    if node.kind in ("right", "full"):
        left = [field.with_nullable(True) for field in left]
    if node.kind in ("left", "full"):
        right = [field.with_nullable(True) for field in right]
    return pa.schema([*left, *right])


def filtered(node: Node, parts: Iterable[exp.Expression]) -> Node:
    """``node`` where all ``parts`` hold. What may fail is computed last, in a Filter of its own:
    only for the rows that the others leave."""
    listed = list(dict.fromkeys(parts))
    safe = [part for part in listed if is_infallible(part, node.schema)]
    for group in (safe, [part for part in listed if part not in safe]):
        if group:
            node = Filter(node.schema, node, conjunction(group))
    return node


def selected(node: Node, names: Iterable[str]) -> Node:
    """``node`` with these columns only, in this order."""
    listed = list(names)
    if listed == node.schema.names:
        return node
    schema = pa.schema([node.schema.field(name) for name in listed])
    return Project(schema, node, tuple(Named(name, column(name)) for name in listed))


def empty(schema: pa.Schema) -> Rows:
    """No rows."""
    return Rows(schema, ())


def is_empty(node: Node) -> bool:
    return isinstance(node, Rows) and not node.rows


def swapped(node: Join, strategy: str, why: str) -> Node:
    """An inner or right join with its sides exchanged; its columns keep their order."""
    put_out = {field.name: field for field in node.schema}
    names = [*node.right.schema.names, *node.left.schema.names]
    exchanged = Join(
        pa.schema([put_out[name] for name in names]),
        node.right,
        node.left,
        "left" if node.kind == "right" else "inner",
        tuple((other, one) for one, other in node.keys),
        node.residual,
        nulls_equal=node.nulls_equal,
        strategy=strategy,
        why=why,
    )
    return selected(exchanged, node.schema.names)
