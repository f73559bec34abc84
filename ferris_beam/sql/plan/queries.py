"""Queries of any kind: SELECT, UNION and its like, VALUES, queries in parentheses, WITH."""

from __future__ import annotations

from sqlglot import exp

from ferris_beam.sql.nodes import Named, Node, column
from ferris_beam.sql.plan.builder import Builder, Planned
from ferris_beam.sql.plan.common_tables import with_common_tables
from ferris_beam.sql.plan.ordering import limit_of, order_items
from ferris_beam.sql.plan.projection import Item
from ferris_beam.sql.plan.refusing import refuse_others
from ferris_beam.sql.plan.results import finish, result_names
from ferris_beam.sql.plan.select import plan_select
from ferris_beam.sql.plan.setops import plan_set_operation
from ferris_beam.sql.plan.values import plan_values

_MODIFIERS = ("order", "limit", "offset")


def plan_query(builder: Builder, query: exp.Expr, prefix: str) -> Planned:
    """The plan of ``query`` (see `Builder.plan`)."""
    builder = with_common_tables(builder, query)
    if isinstance(query, exp.Select):
        return plan_select(builder, query, prefix)
    if isinstance(query, exp.Values):
        refuse_others(query, ("expressions", "with_", *_MODIFIERS), builder.text)
        return _modified(builder, query, plan_values(builder, query, _unique(builder)), prefix)
    if isinstance(query, exp.SetOperation):
        planned = plan_set_operation(builder, query, _unique(builder))
        return _modified(builder, query, planned, prefix)
    if isinstance(query, exp.Subquery):
        refuse_others(query, ("this", "with_", "alias", *_MODIFIERS), builder.text)
        if not any(query.args.get(name) for name in _MODIFIERS):
            return builder.plan(query.this, prefix)
        planned = builder.plan(query.this, _unique(builder))
        return _modified(builder, query, planned, prefix)
    raise builder.text.error(f"{query.key.upper()} is not supported as a query", query)


def _unique(builder: Builder) -> str:
    return builder.names.unique("result")


def _modified(builder: Builder, query: exp.Expr, planned: Planned, prefix: str) -> Planned:
    """ORDER BY and LIMIT behind a query, and its columns under their names for the outside."""
    items = [
        Item(name, column(flat))
        for name, flat in zip(planned.names, planned.node.schema.names, strict=True)
    ]
    order = order_items(builder, query.args.get("order"), items, None)
    limit, offset = limit_of(builder, query)
    flat, names = result_names(builder, items, prefix)
    columns = [Named(f, item.expression) for f, item in zip(flat, items, strict=True)]
    node: Node = builder.construct.project(planned.node, columns)
    node = finish(builder, node, order, limit, offset, len(names), ordered=not prefix)
    return Planned(node, names)
