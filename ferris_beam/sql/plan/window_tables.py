"""Windows as table functions: FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(time), size)).

The columns of the relation, and ``window_start`` and ``window_end`` beside them. A row of HOP
stands once for each of its windows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.nodes import Duration, Named, Node, Window, column
from ferris_beam.sql.plan.binding import Binder
from ferris_beam.sql.plan.scope import Field, Scope
from ferris_beam.sql.plan.types import cast
from ferris_beam.sql.plan.windows import describe, timestamp

if TYPE_CHECKING:
    from ferris_beam.sql.plan.builder import Builder

_EPOCH = "1970-01-01 00:00:00"


def is_window_table(table: exp.Table) -> bool:
    """Whether it is a call of a window's table function."""
    call = table.this
    return isinstance(call, exp.Anonymous) and str(call.this).upper().endswith("_TABLE")


def plan_window_table(
    builder: Builder, call: exp.Anonymous, node: Node, scope: Scope
) -> tuple[Node, Scope]:
    """``node`` with the bounds of each row's window beside it."""
    _, written, *rest = call.expressions
    time = timestamp(builder, call, Binder(builder.text, scope).bind(written), node)
    window = describe(builder, call, time, rest)
    if window.zone:
        raise builder.text.error(
            "a table function has no time zone", call, "name it in GROUP BY TUMBLE(…)"
        )
    (kind,) = builder.construct.types([time], node)
    plans = {"tumble": _tumble, "hop": _hop, "session": _session}
    node = plans[window.kind](builder, node, window, kind)
    relation = scope.relations[0] if scope.relations else ""
    bounds = (("window_start", window.start), ("window_end", window.end))
    fields = tuple(Field(relation, name, flat, kind) for name, flat in bounds)
    return node, Scope((*scope.fields, *fields), scope.outer, scope.times)


def _tumble(builder: Builder, node: Node, window: Window, kind: pa.DataType) -> Node:
    start = _start(window.time, window.size, window.offset, kind)
    return _with_end(builder, _beside(builder, node, {window.start: start}), window, kind)


def _hop(builder: Builder, node: Node, window: Window, kind: pa.DataType) -> Node:
    """The starts of a row's windows lie above ``time - size`` and not above ``time``."""
    before = exp.Sub(this=window.time, expression=interval(window.size))
    first = exp.Add(
        this=_start(exp.Paren(this=before), window.slide, window.offset, kind),
        expression=interval(window.slide),
    )
    last = _start(window.time, window.slide, window.offset, kind)
    starts = exp.Anonymous(
        this="generate_series", expressions=[first, last, interval(window.slide)]
    )
    name = builder.names.unique("start")
    node = builder.construct.unnest(node, starts, name)
    found = node.schema.field(name).type
    node = _beside(builder, node, {window.start: cast(column(name), found, kind)}, without=name)
    return _with_end(builder, node, window, kind)


def _session(builder: Builder, node: Node, window: Window, kind: pa.DataType) -> Node:
    """A row begins a session where the one before it, by time, is as far away as the gap; the
    number of beginnings so far numbers the sessions."""
    names = [builder.names.unique(name) for name in ("event_time", "previous", "begins", "session")]
    time, previous, begins, session = names
    node = _beside(builder, node, {time: window.time})
    node = _over(builder, node, {previous: exp.Lag(this=column(time))}, order=time)
    far = exp.GTE(
        this=column(time),
        expression=exp.Add(this=column(previous), expression=interval(window.gap)),
    )
    begin = exp.Case(
        ifs=[exp.If(this=far, true=exp.Literal.number(1))], default=exp.Literal.number(0)
    )
    node = _beside(builder, node, {begins: begin})
    node = _over(builder, node, {session: exp.Sum(this=column(begins))}, order=time)
    last = builder.names.unique("last")
    bounds: dict[str, exp.Expression] = {
        window.start: exp.Min(this=column(time)),
        last: exp.Max(this=column(time)),
    }
    node = _over(builder, node, bounds, partition=session)
    end = exp.Add(this=column(last), expression=interval(window.gap))
    kept = [Named(name, column(name)) for name in node.schema.names if name not in (*names, last)]
    return builder.construct.project(node, [*kept, Named(window.end, _as(end, kind))])


def _start(
    time: exp.Expression, step: Duration, offset: Duration, kind: pa.DataType
) -> exp.Expression:
    origin: exp.Expression = _as(exp.Literal.string(_EPOCH), kind)
    if offset != Duration():
        origin = exp.Add(this=origin, expression=interval(offset))
    floored = exp.Anonymous(this="date_bin", expressions=[interval(step), time, origin])
    return _as(floored, kind)


def _as(expression: exp.Expression, kind: pa.DataType) -> exp.Expression:
    """As a timestamp of the time's own unit and zone."""
    return cast(expression, pa.null(), kind)


def _with_end(builder: Builder, node: Node, window: Window, kind: pa.DataType) -> Node:
    end = exp.Add(this=column(window.start), expression=interval(window.size))
    return _beside(builder, node, {window.end: _as(end, kind)})


def _beside(
    builder: Builder, node: Node, added: dict[str, exp.Expression], without: str = ""
) -> Node:
    """``node`` with further columns."""
    kept = [Named(name, column(name)) for name in node.schema.names if name != without]
    return builder.construct.project(
        node, [*kept, *(Named(name, value) for name, value in added.items())]
    )


def _over(
    builder: Builder,
    node: Node,
    calls: dict[str, exp.Expression],
    order: str = "",
    partition: str = "",
) -> Node:
    by = (column(partition),) if partition else ()
    named = []
    for name, function in calls.items():
        window = exp.Window(this=function, partition_by=[each.copy() for each in by], over="OVER")
        if order:
            window.set("order", exp.Order(expressions=[exp.Ordered(this=column(order))]))
        named.append(Named(name, window))
    return builder.construct.over(node, by, named)


def interval(length: Duration) -> exp.Interval:
    """The length as an expression; it has months or microseconds."""
    if length.months:
        return exp.Interval(this=exp.Literal.string(str(length.months)), unit=exp.Var(this="MONTH"))
    return exp.Interval(
        this=exp.Literal.string(str(length.micros)), unit=exp.Var(this="MICROSECOND")
    )
