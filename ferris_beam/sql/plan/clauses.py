"""Which calls a clause may hold."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from ferris_beam.sql.functions import registry
from ferris_beam.sql.plan.rewriting import parts
from ferris_beam.sql.text import SqlText

_ONLY_OVER = (
    exp.RowNumber,
    exp.Rank,
    exp.DenseRank,
    exp.PercentRank,
    exp.CumeDist,
    exp.Ntile,
    exp.Lag,
    exp.Lead,
    exp.NthValue,
)
_AROUND = (exp.Filter, exp.WithinGroup, exp.IgnoreNulls, exp.RespectNulls)


def is_aggregate(expression: exp.Expression) -> bool:
    """Whether it is an aggregate, with its FILTER and so on, and without OVER."""
    while isinstance(expression, _AROUND):
        expression = expression.this
    if isinstance(expression, _ONLY_OVER):
        return False
    return registry.is_aggregate(expression)


def aggregates(expression: exp.Expression) -> Iterator[exp.Expression]:
    """The aggregates in it; the function of OVER is none, but what it is given may hold some."""
    if isinstance(expression, exp.Query):
        return
    if isinstance(expression, exp.Window):
        yield from _within(expression)
    elif is_aggregate(expression):
        yield expression
    else:
        for part in direct_parts(expression):
            yield from aggregates(part)


def _within(window: exp.Window) -> Iterator[exp.Expression]:
    function = window.this
    while isinstance(function, _AROUND):
        function = function.this
    for part in [*direct_parts(function), *direct_parts(window)]:
        if part is not window.this:
            yield from aggregates(part)


def direct_parts(expression: exp.Expression) -> Iterator[exp.Expression]:
    for value in expression.args.values():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, exp.Expression):
                yield item


def window_functions(expression: exp.Expression) -> Iterator[exp.Window]:
    """The calls with OVER in it."""
    return (part for part in parts(expression) if isinstance(part, exp.Window))


def refuse_aggregates(expression: exp.Expression, clause: str, text: SqlText) -> None:
    """Raises `SqlError` where ``expression`` holds an aggregate or a window function."""
    for call in aggregates(expression):
        hint = "HAVING filters groups" if clause == "WHERE" else ""
        raise text.error(f"{clause} can't hold the aggregate {shown(call)}", call, hint)
    for window in window_functions(expression):
        hint = "QUALIFY filters by window functions" if clause == "WHERE" else ""
        raise text.error(f"{clause} can't hold window functions", window, hint)


def refuse_only_over(expression: exp.Expression, text: SqlText) -> None:
    """Raises `SqlError` where a window function stands without OVER."""
    inside = set()
    for window in window_functions(expression):
        function = window.this
        while isinstance(function, _AROUND):
            function = function.this
        inside.add(id(function))
    for part in parts(expression):
        if isinstance(part, _ONLY_OVER) and id(part) not in inside:
            raise text.error(f"{shown(part)} needs OVER (…)", part)


def shown(call: exp.Expression) -> str:
    """The name of a function, for people."""
    while isinstance(call, (exp.Window, *_AROUND)):
        call = call.this
    return (name_of_call(call) or call.key).upper()


def name_of_call(call: exp.Expression) -> str:
    """The name of a function as it was written, else the registry's; empty: it is no call."""
    if isinstance(call, exp.Anonymous):
        return str(call.this)
    known = registry.of(call)
    if call.meta.get("written") or known is not None:
        return str(call.meta.get("written") or (known.name if known else ""))
    return call.sql_name() if isinstance(call, exp.Func) else ""
