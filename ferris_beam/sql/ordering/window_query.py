"""Window functions as one query over the rows of a partition."""

from __future__ import annotations

from itertools import groupby

from sqlglot import exp

from ferris_beam.sql import nodes
from ferris_beam.sql.joins.sides import unused_name
from ferris_beam.sql.ordering.ties import orderings, sortable, with_ties

_BY_PLACE = frozenset({"row_number", "ntile", "lag", "lead"})
"""Functions for which no two rows are equal: each has its own place."""

_BY_COMPARISON = frozenset(
    {"rank", "dense_rank", "percent_rank", "cume_dist", "count", "min", "max"}
)
"""Functions to which it is all the same in which order equal rows come."""


def window_query(node: nodes.Over) -> exp.Select:
    """The columns of the input and the calls, from ``input_0``; perhaps others besides.

    Calls of one ORDER BY are computed together. Where a frame holds rows that are equal by it and
    their order matters all the same (LAST_VALUE, ARRAY_AGG), a numbering of the rows in the full
    order is computed first, and put out, since DataFusion hands on the order of its rows.
    """
    names = list(node.input.schema.names)
    source: exp.Expression = exp.to_table("input_0")
    for _, calls in groupby(sorted(node.calls, key=order_text), order_text):
        group = list(calls)
        if any(_needs_numbering(call.expression) for call in group):
            name = unused_name("number", {*names, *node.schema.names})
            source = _with(source, names, [nodes.Named(name, _numbering(node, group[0]))])
            names.append(name)
        source = _with(source, names, [settled(node, call) for call in group])
        names += [call.name for call in group]
    return exp.select(*map(nodes.column, names)).from_(source)


def function_name(call: exp.Expression) -> str:
    """``last_value`` of ``last_value(x) IGNORE NULLS FILTER (WHERE y) OVER (…)``."""
    while isinstance(call, (exp.Window, exp.Filter, exp.IgnoreNulls, exp.RespectNulls)):
        call = call.this
    if isinstance(call, exp.Anonymous):
        return call.name.lower()
    return call.sql_name().lower() if isinstance(call, exp.Func) else ""


def order_of(call: exp.Expression) -> list[nodes.Ordering]:
    order = call.args.get("order")
    return orderings(order.expressions) if order is not None else []


def order_text(call: nodes.Named) -> str:
    order = call.expression.args.get("order")
    return order.sql() if order is not None else ""


def _by_rows(call: exp.Expression) -> bool:
    """Whether the frame counts rows."""
    frame = call.args.get("spec")
    return frame is not None and str(frame.args.get("kind")).upper() == "ROWS"


def moves(call: exp.Expression) -> bool:
    """Whether rows leave the frame at its start."""
    frame = call.args.get("spec")
    return frame is not None and str(frame.args.get("start")).upper() != "UNBOUNDED"


def _needs_numbering(call: exp.Expression) -> bool:
    name = function_name(call)
    by_place = name in _BY_PLACE or _by_rows(call) or not order_of(call)
    return not by_place and name not in _BY_COMPARISON


def _numbering(node: nodes.Over, call: nodes.Named) -> exp.Expression:
    """The place of each row within its partition, in the full order."""
    order = exp.Order(expressions=with_ties(order_of(call.expression), node.input.schema))
    partition = [each.copy() for each in node.partition]
    return exp.Window(
        this=exp.Anonymous(this="row_number"), partition_by=partition, order=order, over="OVER"
    )


def settled(node: nodes.Over, call: nodes.Named) -> nodes.Named:
    """The call, whose ORDER BY leaves no rows equal, where that changes nothing else."""
    window, name = call.expression.copy(), function_name(call.expression)
    order = order_of(window)
    if name in _BY_PLACE or _by_rows(window):
        window.set("order", exp.Order(expressions=with_ties(order, node.input.schema)))
    elif not order and name not in _BY_COMPARISON and sortable(node.input.schema):
        window.set("order", exp.Order(expressions=with_ties([], node.input.schema)))
        window.set("spec", _whole_partition())
    return nodes.Named(call.name, window)


def _whole_partition() -> exp.WindowSpec:
    return exp.WindowSpec(
        kind="ROWS",
        start="UNBOUNDED",
        start_side="PRECEDING",
        end="UNBOUNDED",
        end_side="FOLLOWING",
    )


def _with(source: exp.Expression, names: list[str], added: list[nodes.Named]) -> exp.Subquery:
    """``SELECT names, added FROM source``, to be selected from."""
    items = [exp.alias_(each.expression, each.name, quoted=True) for each in added]
    query = exp.select(*map(nodes.column, names), *items).from_(source)
    return query.subquery("input")
