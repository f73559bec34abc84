"""Plans as text: an indented tree, for EXPLAIN and for tests."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import ErrorLevel, exp

from ferris_beam.sql import nodes
from ferris_beam.sql.nodes import Duration, Named, Node, Ordering, Window
from ferris_beam.transforms.endpoint import Endpoint

_UNITS = (
    ("d", 86_400_000_000),
    ("h", 3_600_000_000),
    ("m", 60_000_000),
    ("s", 1_000_000),
    ("ms", 1_000),
    ("us", 1),
)


def show(node: Node) -> str:
    """The tree, from the result down to the sources, two spaces for each level."""
    return "\n".join(_lines(node, 0))


def _lines(node: Node, depth: int) -> Iterable[str]:
    yield "  " * depth + headline(node)
    for below in node.inputs:
        yield from _lines(below, depth + 1)


def headline(node: Node) -> str:
    """A node in one line, without what is below it."""
    kind = type(node).__name__
    return f"{kind} {_details(node)}".rstrip()


def _details(node: Node) -> str:
    if isinstance(node, (nodes.Scan, nodes.Given)):
        return _leaf(node)
    if isinstance(node, nodes.Rows):
        return ", ".join(f"({_list(row)})" for row in node.rows)
    if isinstance(node, nodes.Project):
        return ", ".join(map(_named, node.columns))
    if isinstance(node, nodes.Filter):
        return sql(node.condition)
    if isinstance(node, nodes.Unnest):
        flags = (" outer" if node.outer else "") + (
            f" position {node.position}" if node.position else ""
        )
        return f"{sql(node.expression)} as {node.name}{flags}"
    if isinstance(node, nodes.Aggregate):
        return _aggregate(node)
    if isinstance(node, nodes.Join):
        return _join(node)
    if isinstance(node, nodes.Over):
        partition = f"partition by {_list(node.partition)}: " if node.partition else ""
        return partition + ", ".join(map(_named, node.calls))
    return _sort(node) if isinstance(node, nodes.Sort) else ""


def _leaf(node: nodes.Scan | nodes.Given) -> str:
    if isinstance(node, nodes.Given):
        source = f"{'stream ' if node.stream else ''}{node.name}"
    else:
        source = node.endpoint.display if isinstance(node.endpoint, Endpoint) else node.endpoint
    details = [f"{source} as {node.alias}", f"[{', '.join(node.names)}]"]
    if isinstance(node, nodes.Scan):
        if node.predicate is not None:
            details.append(f"where {sql(node.predicate)}")
        if node.limit is not None:
            details.append(f"limit {node.limit}")
    return " ".join(details)


def _aggregate(node: nodes.Aggregate) -> str:
    window = [_window(node.window)] if node.window is not None else []
    keys = [f"by {', '.join(map(_named, node.keys))}"] if node.keys else []
    calls = [", ".join(map(_named, node.calls))] if node.calls else []
    return ": ".join([" ".join([*window, *keys]), *calls]).removeprefix(": ")


def _join(node: nodes.Join) -> str:
    equal = " IS NOT DISTINCT FROM " if node.nulls_equal else " = "
    conditions = [f"{sql(left)}{equal}{sql(right)}" for left, right in node.keys]
    if node.residual is not None:
        conditions.append(sql(node.residual))
    flags = [
        name
        for name, is_set in (("null aware", node.null_aware), ("single", node.single))
        if is_set
    ]
    on = f"on {' AND '.join(conditions)}" if conditions else ""
    why = f"({node.why})" if node.why else ""
    return " ".join(part for part in (node.kind, *flags, node.strategy, on, why) if part)


def _sort(node: nodes.Sort) -> str:
    order = [f"by {', '.join(map(_ordering, node.order))}"] if node.order else []
    limit = [f"limit {node.limit}"] if node.limit is not None else []
    offset = [f"offset {node.offset}"] if node.offset else []
    return " ".join([*order, *limit, *offset])


def _ordering(ordering: Ordering) -> str:
    direction = " desc" if ordering.descending else ""
    nulls = " nulls first" if ordering.nulls_first else " nulls last"
    return sql(ordering.expression) + direction + nulls


def _window(window: Window) -> str:
    lengths = {"tumble": (window.size,), "hop": (window.slide, window.size)}
    shown = [length(each) for each in lengths.get(window.kind, (window.gap,))]
    if window.offset != Duration():
        shown.append(f"offset {length(window.offset)}")
    if window.zone:
        shown.append(window.zone)
    arguments = ", ".join([sql(window.time), *shown])
    return f"{window.kind}({arguments}) as {window.start}, {window.end}"


def length(duration: Duration) -> str:
    """A length of time, short.

    >>> length(Duration(micros=5_400_000_000)), length(Duration(months=14))
    ('1h 30m', '14mon')
    """
    parts = [f"{duration.months}mon"] if duration.months else []
    left = abs(duration.micros)
    for name, micros in _UNITS:
        count, left = divmod(left, micros)
        if count:
            parts.append(f"{'-' if duration.micros < 0 else ''}{count}{name}")
    return " ".join(parts) or "0s"


def _named(named: Named) -> str:
    shown = sql(named.expression)
    return shown if shown == named.name else f"{shown} as {named.name}"


def _list(expressions: Iterable[exp.Expression]) -> str:
    return ", ".join(map(sql, expressions))


def sql(expression: exp.Expression) -> str:
    """An expression for people: names of columns without quotes."""
    plain = expression.copy()
    for identifier in plain.find_all(exp.Identifier):
        identifier.set("quoted", False)
    return plain.sql(dialect="postgres", unsupported_level=ErrorLevel.IGNORE)
