"""What all queries end with: the names of the result, ORDER BY and LIMIT."""

from __future__ import annotations

from collections.abc import Sequence

from ferris_beam.sql.nodes import Named, Node, Ordering, column
from ferris_beam.sql.plan.builder import Builder
from ferris_beam.sql.plan.names import without_duplicates
from ferris_beam.sql.plan.ordering import OrderItem
from ferris_beam.sql.plan.projection import Item


def result_names(
    builder: Builder, items: Sequence[Item], prefix: str
) -> tuple[list[str], tuple[str, ...]]:
    """The names of all items in the plan, and the user's names of those that aren't hidden."""
    names = without_duplicates([item.name for item in items if not item.hidden])
    flat = [f"{prefix}.{name}" if prefix else name for name in names]
    taken = set(flat)
    for item in items:
        if item.hidden:
            name = builder.names.unique(item.name)
            while name in taken:
                name = builder.names.unique(item.name)
            flat.append(name)
    return flat, tuple(names)


def finish(
    builder: Builder,
    node: Node,
    order: Sequence[OrderItem],
    limit: int | None,
    offset: int,
    visible: int,
    ordered: bool,
) -> Node:
    """``node`` sorted and cut, and without the columns behind the ``visible`` ones. Where nobody
    sees the order (not ``ordered``) and nothing is cut, there is nothing to sort."""
    if limit is not None or offset or (order and ordered):
        node = builder.construct.sort(node, orderings(node, order), limit, offset)
    names = node.schema.names
    if len(names) > visible:
        kept = [Named(name, column(name)) for name in names[:visible]]
        node = builder.construct.project(node, kept)
    return node


def orderings(node: Node, order: Sequence[OrderItem]) -> list[Ordering]:
    """By columns of ``node``."""
    names = node.schema.names
    return [Ordering(column(names[o.place]), o.descending, o.nulls_first) for o in order]
