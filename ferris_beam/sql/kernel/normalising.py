"""One spelling for what sqlglot leaves in several, or reads in a way of its own."""

from __future__ import annotations

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.expressions import apply_index_offset

_COUNTED = "offset"
"""What sqlglot calls the number that subscripts start from."""


def normalised(expression: exp.Expr) -> exp.Expression:
    """``expression`` in our spelling: a copy, where it is another one already."""
    assert isinstance(expression, exp.Expression)
    if not any(map(_is_concerned, expression.walk())):
        return expression
    result = expression.copy()
    for bracket in list(result.find_all(exp.Bracket)):
        _as_written(bracket)
    for node in list(result.find_all(exp.ToMap, exp.Mul)):
        replacement = _multiple(node) if isinstance(node, exp.Mul) else _subscript_behind(node)
        if replacement is node:
            continue
        if node is result:
            result = replacement
        else:
            node.replace(replacement)
    return result


def _is_concerned(node: exp.Expr) -> bool:
    if isinstance(node, exp.Mul):
        return any(isinstance(side.unnest(), exp.Interval) for side in node.iter_expressions())
    return isinstance(node, (exp.Bracket, exp.ToMap))


def _as_written(node: exp.Bracket) -> None:
    """sqlglot counts literal subscripts from 0, and those without a known type as written."""
    dialect = DuckDB()
    offset = dialect.INDEX_OFFSET - node.args.get(_COUNTED, 0)
    if offset:
        node.set(
            "expressions",
            apply_index_offset(node.this, node.expressions, offset, dialect=dialect),
        )
        node.set(_COUNTED, dialect.INDEX_OFFSET)


def _subscript_behind(node: exp.Expression) -> exp.Expression:
    """``MAP {…}[key]`` is the map's item, not a map of the struct's."""
    inner = node.this
    if not isinstance(inner, exp.Bracket):
        return node
    subscript = inner.copy()
    subscript.set("this", exp.ToMap(this=inner.this.copy()))
    return subscript


def _multiple(node: exp.Mul) -> exp.Expression:
    """``n * INTERVAL '2' DAY`` is ``to_days(n * 2)``."""
    for interval, count in ((node.this, node.expression), (node.expression, node.this)):
        inner = interval.unnest()
        if not isinstance(inner, exp.Interval) or inner.args.get("unit") is None:
            continue
        if not isinstance(inner.this, exp.Literal) or not inner.this.name.isdecimal():
            continue
        each = exp.Literal.number(inner.this.name)
        product = exp.Mul(this=exp.paren(count.copy()), expression=each)
        name = f"to_{inner.args['unit'].name.lower().removesuffix('s')}s"
        return exp.Anonymous(this=name, expressions=[product])
    return node
