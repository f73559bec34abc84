"""Windows of event time in GROUP BY: TUMBLE, HOP and SESSION."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.kernel.types import spoken
from ferris_beam.sql.nodes import Duration, Node, Window, column
from ferris_beam.sql.plan.binding import Binder
from ferris_beam.sql.plan.builder import Builder
from ferris_beam.sql.plan.durations import duration, parse_duration
from ferris_beam.sql.plan.rewriting import at, has_query, unwrapped
from ferris_beam.sql.plan.scope import Scope
from ferris_beam.sql.plan.types import cast

KINDS = ("TUMBLE", "HOP", "SESSION")
_MICROSECONDS = pa.timestamp("us")


def window_call(select: exp.Select, builder: Builder) -> exp.Anonymous | None:
    """The window that the SELECT groups by, as it was written; None: there is none."""
    group = select.args.get("group")
    calls = [each for each in (group.expressions if group else ()) if is_window_call(each)]
    clause = select.args.get("ferris_window")
    if clause is not None:
        calls.append(clause)
    if len(calls) > 1:
        raise builder.text.error(
            "a query groups by one window", calls[1], "put the other one into a query around it"
        )
    return calls[0] if calls else None


def is_window_call(expression: exp.Expression) -> bool:
    return isinstance(expression, exp.Anonymous) and str(expression.this).upper() in KINDS


def plan_window(builder: Builder, call: exp.Anonymous, node: Node, scope: Scope) -> Window:
    """The window that ``call`` says, over the columns of ``node``."""
    first, *rest = call.expressions
    time = _time(builder, call, first, node, scope)
    return describe(builder, call, time, rest)


def describe(
    builder: Builder, call: exp.Anonymous, time: exp.Expression, rest: Sequence[exp.Expression]
) -> Window:
    """The window over ``time`` with the lengths ``rest``."""
    kind = str(call.this).upper().removesuffix("_TABLE")
    start, end = builder.names.unique("window_start"), builder.names.unique("window_end")
    if kind == "SESSION":
        return Window("session", time, start, end, gap=_positive(builder, rest[0], "gap"))
    if kind == "HOP":
        slide, size = (
            _positive(builder, rest[i], name) for i, name in enumerate(("slide", "size"))
        )
        if bool(slide.months) != bool(size.months):
            raise builder.text.error(
                "HOP: slide and size must both be calendar months, or both be fixed lengths", call
            )
        offset, zone = _offset_and_zone(builder, rest[2:])
        return Window("hop", time, start, end, size=size, slide=slide, offset=offset, zone=zone)
    size = _positive(builder, rest[0], "size")
    offset, zone = _offset_and_zone(builder, rest[1:])
    return Window("tumble", time, start, end, size=size, slide=size, offset=offset, zone=zone)


def _time(
    builder: Builder, call: exp.Anonymous, written: exp.Expression, node: Node, scope: Scope
) -> exp.Expression:
    if isinstance(written, exp.Null):
        return at(column(_default_time(builder, call, scope)), call)
    if has_query(written):
        raise builder.text.error("the time of a window takes no subqueries", written)
    bound = Binder(builder.text, scope).bind(written)
    return timestamp(builder, call, bound, node)


def timestamp(
    builder: Builder, call: exp.Anonymous, time: exp.Expression, node: Node
) -> exp.Expression:
    """``time`` as a timestamp; dates are midnight."""
    (kind,) = builder.construct.types([time], node)
    if pa.types.is_timestamp(kind):
        return time
    if pa.types.is_date(kind):
        return cast(time, kind, _MICROSECONDS)
    name = str(call.this).upper().removesuffix("_TABLE")
    raise builder.text.error(
        f"{name} needs a timestamp, and this is {spoken(kind)}", time, "write CAST(… AS TIMESTAMP)"
    )


def _default_time(builder: Builder, call: exp.Anonymous, scope: Scope) -> str:
    """The declared event time of the relations, else their only timestamp column."""
    times = list(scope.times)
    if not times:
        times = [field.flat for field in scope.fields if pa.types.is_timestamp(field.type)]
    if len(times) == 1:
        return times[0]
    shown = [field.shown for field in scope.fields if field.flat in times]
    what = "there is no timestamp column" if not shown else f"it could be {', '.join(shown)}"
    raise builder.text.error(
        f"the window's time is not clear: {what}", call, "name it: WINDOW TUMBLING(column, 5m)"
    )


def _positive(builder: Builder, expression: exp.Expression, name: str) -> Duration:
    length = duration(expression, builder.text)
    if length.months and length.micros:
        raise builder.text.error(
            f"the {name} of a window is calendar months or a fixed length, not both", expression
        )
    if length.months < 0 or length.micros < 0 or length == Duration():
        raise builder.text.error(f"the {name} of a window must be more than 0", expression)
    return length


def _offset_and_zone(builder: Builder, rest: Sequence[exp.Expression]) -> tuple[Duration, str]:
    """A length of time is the offset, the name of a zone behind it the zone."""
    lengths, zone = list(rest), ""
    inner = unwrapped(rest[-1]) if rest else None
    if isinstance(inner, exp.Literal) and inner.is_string and not parse_duration(inner.name):
        zone = _zone(builder, inner)
        lengths.pop()
    if len(lengths) > 1:
        raise builder.text.error("this is no time zone", lengths[1], "'Europe/Berlin'")
    return duration(lengths[0], builder.text) if lengths else Duration(), zone


def _zone(builder: Builder, literal: exp.Literal) -> str:
    try:
        return ZoneInfo(literal.name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise builder.text.error(
            f"{literal.name!r} is neither a length of time nor a time zone",
            literal,
            "zones are named as 'Europe/Berlin'",
        ) from None
