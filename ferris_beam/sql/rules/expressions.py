"""Conditions taken apart and put together, and columns in them replaced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sqlglot import exp

from ferris_beam.sql.nodes import Named
from ferris_beam.sql.plan.rewriting import bare

_ATOMS = (exp.Column, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Func)


def conjuncts(condition: exp.Expression | None) -> list[exp.Expression]:
    """What must all hold.

    >>> from sqlglot import parse_one
    >>> [part.sql() for part in conjuncts(parse_one("a AND (b OR c) AND (d AND e)"))]
    ['a', 'b OR c', 'd', 'e']
    """
    return [] if condition is None else list(_parts(condition, exp.And))


def disjuncts(condition: exp.Expression) -> list[exp.Expression]:
    """What is enough, each alone."""
    return list(_parts(condition, exp.Or))


def _parts(condition: exp.Expression, operator: type[exp.Connector]) -> Iterator[exp.Expression]:
    inner = bare(condition)
    if isinstance(inner, operator):
        yield from _parts(inner.this, operator)
        yield from _parts(inner.expression, operator)
    else:
        yield inner


def conjunction(parts: Iterable[exp.Expression]) -> exp.Expression:
    """``a AND b AND …``; TRUE of nothing."""
    return _joined(parts, exp.And, True)


def disjunction(parts: Iterable[exp.Expression]) -> exp.Expression:
    """``a OR b OR …``; FALSE of nothing."""
    return _joined(parts, exp.Or, False)


def _joined(
    parts: Iterable[exp.Expression], operator: type[exp.Connector], empty: bool
) -> exp.Expression:
    result: exp.Expression | None = None
    for part in parts:
        guarded = exp.Paren(this=part.copy()) if isinstance(part, exp.Connector) else part.copy()
        result = guarded if result is None else bare(operator(this=result, expression=guarded))
    return exp.Boolean(this=empty) if result is None else bare(result)


def wrapped(expression: exp.Expression) -> exp.Expression:
    """In parentheses, where it may not stand as an operand without."""
    if isinstance(expression, _ATOMS) and not isinstance(expression, exp.Binary):
        return expression
    return exp.Paren(this=expression)


def replaced(expression: exp.Expression, values: Mapping[str, exp.Expression]) -> exp.Expression:
    """A copy in which the columns that ``values`` names are those expressions.

    >>> from sqlglot import parse_one
    >>> replaced(parse_one("a * b"), {"a": parse_one("x + 1")}).sql()
    '(x + 1) * b'
    """
    if isinstance(expression, exp.Column):
        return values.get(expression.name, expression).copy()

    def value(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Column) and node.name in values:
            return wrapped(values[node.name].copy())
        return node

    return expression.transform(value)


def by_name(named: Iterable[Named]) -> dict[str, exp.Expression]:
    return {each.name: each.expression for each in named}


def is_column(expression: exp.Expression) -> bool:
    return isinstance(expression.unnest(), exp.Column)


def is_true(expression: exp.Expression) -> bool:
    inner = expression.unnest()
    return isinstance(inner, exp.Boolean) and bool(inner.this)


def is_false_or_null(expression: exp.Expression) -> bool:
    """As a condition: no row fits."""
    inner = expression.unnest()
    return isinstance(inner, exp.Null) or (isinstance(inner, exp.Boolean) and not inner.this)
