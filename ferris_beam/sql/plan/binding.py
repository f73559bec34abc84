"""Expressions as they were written become expressions over the columns of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.nodes import Window, column
from ferris_beam.sql.plan.named_windows import expanded
from ferris_beam.sql.plan.rewriting import at, rewrite
from ferris_beam.sql.plan.scope import OuterColumn, Scope, unknown_column
from ferris_beam.sql.text import SqlText

_BARE_BOUNDS = {"WINDOW_START": "start", "WINDOW_END": "end"}
_BOUNDS = _BARE_BOUNDS | {
    f"{kind}_{bound}": bound.lower()
    for kind in ("TUMBLE", "HOP", "SLIDING", "SESSION")
    for bound in ("START", "END")
}


@dataclass
class Binder:
    """Resolves the names of one SELECT: the columns of its FROM, then the aliases of its list
    (`aliases`: what they stand for, bound already, by names in lower case), then the columns of
    the queries around it.

    ``window`` is the GROUP BY window, whose bounds go by ``window_start`` and ``window_end``;
    ``window_call`` is how it was written.
    ``named_windows`` are the definitions of the WINDOW clause, by their names in lower case.
    """

    text: SqlText
    scope: Scope
    aliases: dict[str, exp.Expression] = field(default_factory=dict)
    window: Window | None = None
    window_call: exp.Anonymous | None = None
    named_windows: Mapping[str, exp.Window] = field(default_factory=dict)

    def bind(self, expression: exp.Expression) -> exp.Expression:
        """A bound copy. Subqueries in it stay as they were written."""
        return rewrite(expression, self._replacement)

    def _replacement(self, node: exp.Expression) -> exp.Expression | None:
        if isinstance(node, exp.Column):
            return self._column(node)
        if isinstance(node, exp.Dot):
            return self._dot(node)
        if isinstance(node, exp.Anonymous):
            return self._window_bound(node)
        if isinstance(node, exp.Window) and node.args.get("alias"):
            return self.bind(expanded(node, self.named_windows, self.text))
        return None

    def _column(self, node: exp.Column) -> exp.Expression:
        if isinstance(node.this, exp.Star):
            raise self.text.error(
                "a star may stand on its own in the SELECT list only", node, "name the columns"
            )
        if node.args.get("join_mark"):
            raise self.text.error("(+) joins are not supported", node, "write LEFT JOIN … ON …")
        return self._resolved([part for part in node.parts if isinstance(part, exp.Identifier)])

    def _resolved(self, parts: list[exp.Identifier]) -> exp.Expression:
        if self.window is not None and len(parts) == 1:
            bound = _BARE_BOUNDS.get(parts[0].name.upper())
            if bound is not None:
                return at(column(getattr(self.window, bound)), parts[0])
        found = self.scope.resolve(parts, self.text)
        if found is None:
            found = self._alias(parts)
        if found is None:
            found = self._outer(parts)
        if found is None:
            raise unknown_column(parts, self.scope, self.text)
        return found

    def _alias(self, parts: list[exp.Identifier]) -> exp.Expression | None:
        meant = self.aliases.get(parts[0].name.lower())
        if meant is None:
            return None
        value: exp.Expression = meant.copy()
        if isinstance(value, (exp.Binary, exp.Unary, exp.Between, exp.In)):
            value = exp.Paren(this=value)
        for part in parts[1:]:
            value = exp.Dot(this=value, expression=part.copy())
        return value

    def _outer(self, parts: list[exp.Identifier]) -> exp.Expression | None:
        scope = self.scope.outer
        while scope is not None:
            found = scope.resolve(parts, self.text)
            if found is not None:
                return as_outer(found)
            scope = scope.outer
        return None

    def _dot(self, node: exp.Dot) -> exp.Expression | None:
        """A dotted name of more than four parts; the field of anything else stays as it is."""
        parts: list[exp.Expression] = []
        inner: exp.Expression = node
        while isinstance(inner, exp.Dot) and isinstance(inner.expression, exp.Identifier):
            parts.insert(0, inner.expression)
            inner = inner.this
        if not isinstance(inner, exp.Column) or isinstance(inner.this, exp.Star):
            return None
        return self._resolved([*inner.parts, *parts])  # type: ignore[list-item]

    def _window_bound(self, node: exp.Anonymous) -> exp.Expression | None:
        """The column that ``TUMBLE_START(…)`` and its like mean."""
        name = str(node.this).upper()
        if name in ("TUMBLE", "HOP", "SESSION"):
            raise self.text.error(
                f"{name} stands in GROUP BY, or as a table function in FROM",
                node,
                "its bounds are window_start and window_end",
            )
        if name not in _BOUNDS:
            return None
        if self.window is None:
            raise self.text.error(
                f"{name} needs a window in GROUP BY",
                node,
                "such as GROUP BY TUMBLE(column, INTERVAL '1' HOUR)",
            )
        kind = name.split("_")[0].replace("SLIDING", "HOP").lower()
        if kind not in ("window", self.window.kind):
            raise self.text.error(
                f"{name} doesn't fit GROUP BY {self.window.kind.upper()}",
                node,
                "write window_start or window_end",
            )
        self._check_same(node)
        return at(column(getattr(self.window, _BOUNDS[name])), node)

    def _check_same(self, node: exp.Anonymous) -> None:
        """``TUMBLE_START(time, size)`` must say the same as the window that is grouped by."""
        assert self.window_call is not None
        known = [
            each if isinstance(each, exp.Null) else self.bind(each)
            for each in self.window_call.expressions
        ]
        given = [self.bind(each) for each in node.expressions]
        if given and given != known[: len(given)]:
            raise self.text.error(
                f"{node.this} doesn't say the same as the window of GROUP BY",
                node,
                "write window_start or window_end",
            )


def as_outer(expression: exp.Expression) -> exp.Expression:
    """The same over the columns of the query around."""

    def outer(node: exp.Expression) -> exp.Expression | None:
        if not isinstance(node, exp.Column):
            return None
        marked = OuterColumn(this=node.this.copy())
        marked.meta.update(node.meta)
        return marked

    return rewrite(expression, outer)


def outer_schema(scope: Scope | None) -> pa.Schema | None:
    """The columns of a scope and of those around it, by their flat names."""
    fields: dict[str, pa.Field] = {}
    while scope is not None:
        for each in scope.fields:
            fields.setdefault(each.flat, pa.field(each.flat, each.type))
        scope = scope.outer
    return pa.schema(list(fields.values())) if fields else None
