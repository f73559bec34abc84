"""ORDER BY, LIMIT and OFFSET."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from ferris_beam.sql.plan.binding import Binder
from ferris_beam.sql.plan.builder import Builder
from ferris_beam.sql.plan.projection import Item
from ferris_beam.sql.plan.refusing import counted, refuse_others
from ferris_beam.sql.plan.rewriting import unwrapped


@dataclass(frozen=True)
class OrderItem:
    """One item of ORDER BY: ``place`` is the result's column that it orders by."""

    place: int
    descending: bool
    nulls_first: bool


def order_items(
    builder: Builder, order: exp.Order | None, items: list[Item], binder: Binder | None
) -> list[OrderItem]:
    """What is ordered by. Expressions that aren't in the list are added to ``items``, hidden;
    without a ``binder`` there are none but the list's own."""
    result: list[OrderItem] = []
    if order is None:
        return result
    refuse_others(order, ("expressions",), builder.text)
    visible = [item.name.lower() for item in items if not item.hidden]
    for ordered in order.expressions:
        refuse_others(ordered, ("this", "desc", "nulls_first"), builder.text)
        flags = bool(ordered.args.get("desc")), bool(ordered.args.get("nulls_first"))
        if _is_all(ordered.this, visible):
            result += [OrderItem(place, *flags) for place in range(len(visible))]
        else:
            result.append(OrderItem(_place(builder, ordered.this, items, binder), *flags))
    return result


def _is_all(written: exp.Expression, names: list[str]) -> bool:
    """``ORDER BY ALL``: by all columns of the result, none of which is called so."""
    if not isinstance(written, exp.Var | exp.Column):
        return False
    quoted = isinstance(written, exp.Column) and (written.this.args.get("quoted") or written.table)
    return written.name.upper() == "ALL" and not quoted and "all" not in names


def _place(
    builder: Builder, written: exp.Expression, items: list[Item], binder: Binder | None
) -> int:
    visible = [item for item in items if not item.hidden]
    inner = unwrapped(written)
    if isinstance(inner, exp.Literal) and not inner.is_string:
        return _ordinal(builder, inner, len(visible))
    if isinstance(inner, exp.Column) and len(inner.parts) == 1:
        for key in (str, str.lower):
            names = [key(item.name) for item in visible]
            if key(inner.name) in names:
                return names.index(key(inner.name))
    if binder is None:
        known = ", ".join(item.name for item in visible)
        raise builder.text.error(
            "ORDER BY behind UNION takes columns of the result", written, f"there are: {known}"
        )
    bound = binder.bind(written)
    for place, item in enumerate(items):
        if unwrapped(item.expression) == unwrapped(bound):
            return place
    items.append(Item("order", bound, hidden=True))
    return len(items) - 1


def _ordinal(builder: Builder, literal: exp.Literal, count: int) -> int:
    if not literal.name.isdigit() or not 1 <= int(literal.name) <= count:
        raise builder.text.error(
            f"ORDER BY {literal.name}: the SELECT list has {counted(count, 'item')}", literal
        )
    return int(literal.name) - 1


def limit_of(builder: Builder, query: exp.Expr) -> tuple[int | None, int]:
    """LIMIT and OFFSET; None: all rows."""
    limit, offset = query.args.get("limit"), query.args.get("offset")
    if isinstance(limit, exp.Fetch):
        refuse_others(limit, ("direction", "count"), builder.text)
        return _number(builder, limit.args.get("count"), "FETCH"), _offset(builder, offset)
    if limit is None:
        return None, _offset(builder, offset)
    refuse_others(limit, ("expression",), builder.text)
    return _number(builder, limit.expression, "LIMIT"), _offset(builder, offset)


def _offset(builder: Builder, offset: exp.Expression | None) -> int:
    return 0 if offset is None else _number(builder, offset.expression, "OFFSET")


def _number(builder: Builder, expression: exp.Expression | None, clause: str) -> int:
    if expression is None:
        return 1
    inner = unwrapped(expression)
    if not isinstance(inner, exp.Literal) or inner.is_string or not inner.name.isdigit():
        raise builder.text.error(f"{clause} takes a number of rows, such as 10", expression)
    return int(inner.name)
