"""Copies of expressions in which some nodes stand replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from sqlglot import exp

from ferris_beam.sql.text import span_of

Replace = Callable[[exp.Expression], "exp.Expression | None"]


def rewrite(expression: exp.Expression, replace: Replace) -> exp.Expression:
    """A copy of ``expression``, in which what ``replace`` answers for each node, from the top
    down, stands in its place; None: the node stays, and its parts are asked about. Queries inside
    are copied as they are: their names are their own."""
    replaced = replace(expression)
    if replaced is not None:
        return replaced
    if isinstance(expression, exp.Query):
        return expression.copy()
    return with_parts(expression, lambda part: rewrite(part, replace))


def with_parts(
    expression: exp.Expression, change: Callable[[exp.Expression], exp.Expression]
) -> exp.Expression:
    """The same node over changed parts."""
    arguments = {name: _changed(value, change) for name, value in expression.args.items()}
    result = type(expression)(**arguments)
    if expression.meta:
        result.meta.update(expression.meta)
    return result


def _changed(value: Any, change: Callable[[exp.Expression], exp.Expression]) -> Any:
    if isinstance(value, exp.Expression):
        return change(value)
    if isinstance(value, list):
        return [_changed(item, change) for item in value]
    return value


def parts(expression: exp.Expression) -> Iterator[exp.Expression]:
    """``expression`` and what is in it, without the insides of queries."""
    yield expression
    if isinstance(expression, exp.Query):
        return
    for value in expression.args.values():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, exp.Expression):
                yield from parts(item)


def has_query(expression: exp.Expression) -> bool:
    """Whether a subquery is in it."""
    return any(isinstance(part, exp.Query) for part in parts(expression))


def unwrapped(expression: exp.Expression) -> exp.Expression:
    """Without the parentheses around it."""
    return cast(exp.Expression, expression.unnest())


def bare(expression: exp.Expr) -> exp.Expression:
    """Without parentheses around it."""
    inner = expression.unnest()
    assert isinstance(inner, exp.Expression)
    return inner


def conjuncts(condition: exp.Expression | None) -> list[exp.Expression]:
    """What must all be true for ``condition`` to be true.

    >>> import sqlglot
    >>> [part.sql() for part in conjuncts(sqlglot.parse_one("a AND (b OR c) AND (d AND e)"))]
    ['a', '(b OR c)', 'd', 'e']
    """
    if condition is None:
        return []
    inner = unwrapped(condition)
    if isinstance(inner, exp.And):
        return [*conjuncts(inner.this), *conjuncts(inner.expression)]
    return [condition]


def conjunction(conditions: Iterable[exp.Expression]) -> exp.Expression | None:
    """The condition that all of ``conditions`` hold; None: there are none."""
    result: exp.Expression | None = None
    for condition in conditions:
        part = exp.Paren(this=condition) if isinstance(condition, exp.Or) else condition
        result = part if result is None else exp.And(this=result, expression=part)
    return result


def at(expression: exp.Expression, origin: exp.Expression) -> exp.Expression:
    """``expression``, which errors then show at the place of ``origin``."""
    span = span_of(origin)
    if span is not None:
        expression.meta.update(start=span[0], end=span[1] - 1)
    return expression
