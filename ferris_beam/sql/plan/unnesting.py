"""UNNEST and series of numbers, in FROM and in SELECT."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from ferris_beam.sql.nodes import Node, column
from ferris_beam.sql.plan.binding import Binder
from ferris_beam.sql.plan.refusing import counted, refuse_others
from ferris_beam.sql.plan.rewriting import has_query, parts, rewrite
from ferris_beam.sql.plan.scope import Field, Scope

if TYPE_CHECKING:
    from ferris_beam.sql.plan.builder import Builder

_SERIES = ("range", "generate_series")


def is_series(item: exp.Expression) -> bool:
    """Whether it is ``range(…)`` or ``generate_series(…)`` in FROM."""
    return isinstance(item, exp.Table) and _is_series_call(item.this)


def _is_series_call(call: exp.Expression) -> bool:
    if isinstance(call, exp.Anonymous):
        return str(call.this).lower() in _SERIES
    return isinstance(call, exp.GenerateSeries)


def is_lateral_list(item: exp.Expression) -> bool:
    """Whether it stands in FROM and may name columns of what is before it."""
    return isinstance(item, exp.Unnest) or is_series(item)


def plan_unnest(
    builder: Builder, item: exp.Expression, input: Node, scope: Scope, outer: bool
) -> tuple[Node, Scope]:
    """``input`` with the items of a list beside each row, under the alias's names."""
    alias = item.args.get("alias")
    names = [name.name for name in alias.args.get("columns") or ()] if alias else []
    relation, position = item.alias, _position(item)
    if isinstance(item.args.get("offset"), exp.Identifier):  # sqlglot takes the last name for it
        names.append(item.args["offset"].name)
    if len(names) > 1 + position:
        raise builder.text.error(
            f"{relation} has {counted(1 + position, 'column')}, not {len(names)}",
            item,
            "UNNEST(…) AS t(value), or UNNEST(…) WITH ORDINALITY AS t(value, position)",
        )
    expression = Binder(builder.text, scope.within(builder.outer)).bind(_list(builder, item))
    default = relation or ("range" if is_series(item) else "unnest")
    names += [default, "ordinality"][len(names) : 1 + position]
    prefix = builder.names.unique((relation or default).replace(".", "_"))
    flat = [f"{prefix}.{name}" for name in names]
    node = builder.construct.unnest(input, expression, flat[0], outer, flat[1] if position else "")
    fields = [
        Field(relation or default, name, place, node.schema.field(place).type)
        for name, place in zip(names, flat, strict=True)
    ]
    return node, replace(scope, fields=(*scope.fields, *fields))


def _position(item: exp.Expression) -> bool:
    return bool(item.args.get("offset") or item.args.get("ordinality"))


def _list(builder: Builder, item: exp.Expression) -> exp.Expression:
    if isinstance(item, exp.Table):
        return item.this
    refuse_others(item, ("expressions", "alias", "offset"), builder.text)
    if len(item.expressions) != 1:
        raise builder.text.error(
            "UNNEST of several lists is not supported", item, "unnest one after the other"
        )
    expression: exp.Expression = item.expressions[0]
    if has_query(expression):
        raise builder.text.error("UNNEST takes no subqueries", expression)
    return expression


def is_unnest_call(expression: exp.Expression) -> bool:
    """Whether it is ``unnest(…)`` in an expression."""
    if isinstance(expression, exp.Anonymous):
        return str(expression.this).lower() == "unnest"
    return isinstance(expression, (exp.Explode, exp.Unnest))


def unnest_items(
    builder: Builder, node: Node, items: list[exp.Expression]
) -> tuple[Node, list[exp.Expression]]:
    """SELECT … unnest(list): one row for each item, and columns in place of the calls."""
    calls = list(
        dict.fromkeys(part for item in items for part in parts(item) if is_unnest_call(part))
    )
    if not calls:
        return node, items
    if len(calls) > 1:
        raise builder.text.error(
            "two UNNEST in one SELECT are not supported",
            calls[1],
            "write FROM …, UNNEST(a), UNNEST(b) for all pairs of items",
        )
    (call,) = calls
    lists = call.expressions or [call.this]
    if len(lists) != 1:
        raise builder.text.error("UNNEST takes one list", call)
    name = builder.names.unique("unnest")
    node = builder.construct.unnest(node, lists[0], name)

    def replaced(part: exp.Expression) -> exp.Expression | None:
        return column(name) if part == call else None

    return node, [rewrite(item, replaced) for item in items]
