"""GROUP BY: keys and aggregates, and what stands above them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlglot import exp

from ferris_beam.sql.functions import refuse_unknown_around
from ferris_beam.sql.nodes import Named, Node, Window, column
from ferris_beam.sql.plan.binding import Binder
from ferris_beam.sql.plan.builder import Builder
from ferris_beam.sql.plan.clauses import aggregates, is_aggregate, refuse_aggregates, shown
from ferris_beam.sql.plan.clauses import window_functions as overs
from ferris_beam.sql.plan.projection import Item, name_of
from ferris_beam.sql.plan.refusing import counted, refuse_others
from ferris_beam.sql.plan.rewriting import at, rewrite, unwrapped, with_parts
from ferris_beam.sql.plan.scope import OuterColumn
from ferris_beam.sql.plan.windows import is_window_call


class Grouping:
    """Gathers the aggregates of a SELECT and rewrites its expressions over the groups."""

    def __init__(self, builder: Builder, keys: Iterable[exp.Expression], window: Window | None):
        self._builder = builder
        self._window = window
        self._keys: dict[exp.Expression, str] = {}
        self._calls: dict[exp.Expression, str] = {}
        for key in keys:
            inner = unwrapped(key)
            if inner not in self._keys:
                self._keys[inner] = self._key_name(inner)

    def _key_name(self, key: exp.Expression) -> str:
        if isinstance(key, exp.Column):
            return str(key.name)
        return self._builder.names.unique((name_of(key) or "key").rsplit(".", 1)[-1])

    @property
    def _bounds(self) -> tuple[str, ...]:
        return () if self._window is None else (self._window.start, self._window.end)

    def over(self, expression: exp.Expression) -> exp.Expression:
        """``expression`` over the columns of the groups: keys, bounds of the window, aggregates.

        Raises `SqlError` for a column that is none of these.
        """
        return rewrite(expression, self._replacement)

    def _replacement(self, node: exp.Expression) -> exp.Expression | None:
        if node in self._keys:
            return at(column(self._keys[node]), node)
        if isinstance(node, exp.Window):
            return self._window_function(node)
        if is_aggregate(node):
            return at(column(self._call(node)), node)
        if isinstance(node, exp.Column) and not isinstance(node, OuterColumn):
            if node.name in self._bounds:
                return node.copy()
            raise self._not_grouped(node)
        return None

    def _window_function(self, window: exp.Window) -> exp.Expression:
        """OVER above groups: the function stays, what it is given is rewritten."""

        def change(part: exp.Expression) -> exp.Expression:
            return self._function(part) if part is window.this else self.over(part)

        return with_parts(window, change)

    def _function(self, function: exp.Expression) -> exp.Expression:
        if isinstance(function, (exp.Filter, exp.IgnoreNulls, exp.RespectNulls)):
            return with_parts(
                function,
                lambda part: self._function(part) if part is function.this else self.over(part),
            )
        return with_parts(function, self.over)

    def _call(self, call: exp.Expression) -> str:
        for inner in _arguments(call):
            for nested in aggregates(inner):
                raise self._builder.text.error(
                    f"the aggregate {shown(nested)} can't stand in the aggregate {shown(call)}",
                    nested,
                    "compute the inner one in a derived table",
                )
            for part in inner.find_all(exp.Column):
                if part.name in self._bounds:
                    raise self._builder.text.error(
                        f"{part.name} is one value for each group",
                        part,
                        "it needs no aggregate: write it on its own",
                    )
            for window in overs(inner):
                raise self._builder.text.error(
                    "a window function can't stand in an aggregate", window
                )
        if call not in self._calls:
            self._calls[call] = self._builder.names.unique(shown(call).lower())
        return self._calls[call]

    def _not_grouped(self, node: exp.Column) -> Exception:
        refuse_unknown_around(node, self._builder.text)
        name = node.name.rsplit(".", 1)[-1]
        return self._builder.text.error(
            f"{name!r} is neither grouped by nor in an aggregate",
            node,
            f"add it to GROUP BY, or take one of its values: any_value({name})",
        )

    def node(
        self, input: Callable[[], Node], changed: Callable[[exp.Expression], exp.Expression]
    ) -> Node:
        """The Aggregate; ``changed`` is asked for what stands for each of its expressions, and
        then ``input`` for the plan below."""
        keys = [Named(name, changed(key)) for key, name in self._keys.items()]
        calls = [Named(name, changed(call)) for call, name in self._calls.items()]
        return self._builder.construct.aggregate(input(), keys, calls, self._window)


def _arguments(call: exp.Expression) -> Iterable[exp.Expression]:
    function = call
    while isinstance(function, (exp.Filter, exp.WithinGroup, exp.IgnoreNulls, exp.RespectNulls)):
        for name, value in function.args.items():
            if name != "this" and isinstance(value, exp.Expression):
                yield value
        function = function.this
    for value in function.args.values():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, exp.Expression):
                yield item


def group_keys(
    builder: Builder, group: exp.Group | None, items: list[Item], binder: Binder
) -> list[exp.Expression]:
    """The bound expressions of GROUP BY, without its window."""
    if group is None:
        return []
    refuse_others(group, ("expressions", "all"), builder.text)
    if group.args.get("all"):
        return [item.expression for item in items if not _computed(item.expression, binder)]
    keys = []
    for written in _flat(group.expressions):
        if is_window_call(written):
            continue
        key = _ordinal(builder, written, items) or binder.bind(written)
        refuse_aggregates(key, "GROUP BY", builder.text)
        if not _is_bound(key, binder):
            keys.append(key)
    return keys


def _flat(expressions: Iterable[exp.Expression]) -> Iterable[exp.Expression]:
    for each in expressions:
        if isinstance(each, exp.Tuple):
            yield from _flat(each.expressions)
        else:
            yield each


def _computed(expression: exp.Expression, binder: Binder) -> bool:
    """Whether GROUP BY ALL leaves it out."""
    if any(True for _ in aggregates(expression)) or any(True for _ in overs(expression)):
        return True
    return _is_bound(expression, binder)


def _is_bound(expression: exp.Expression, binder: Binder) -> bool:
    """Whether it is the start or end of the window, which are grouped by already."""
    window = binder.window
    return (
        window is not None
        and isinstance(expression, exp.Column)
        and expression.name in (window.start, window.end)
    )


def _ordinal(builder: Builder, written: exp.Expression, items: list[Item]) -> exp.Expression | None:
    """The item that ``GROUP BY 2`` means."""
    inner = unwrapped(written)
    if not isinstance(inner, exp.Literal) or inner.is_string or not inner.name.isdigit():
        return None
    place = int(inner.name)
    if not 1 <= place <= len(items):
        raise builder.text.error(
            f"GROUP BY {place}: the SELECT list has {counted(len(items), 'item')}", written
        )
    return items[place - 1].expression
