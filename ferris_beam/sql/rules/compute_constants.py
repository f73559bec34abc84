"""Constants in conditions are computed once, while planning: a source understands literals only.

``day < DATE '1994-01-01' + INTERVAL '1' YEAR`` becomes ``day < TIMESTAMP '1995-01-01'``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import pyarrow as pa
from sqlglot import exp

from ferris_beam.errors import FerrisError
from ferris_beam.sql.kernel import Kernel, fragment
from ferris_beam.sql.nodes import Filter, Join, Node
from ferris_beam.sql.plan.rewriting import bare
from ferris_beam.sql.rules.fallible import is_repeatable
from ferris_beam.sql.rules.literals import value_of
from ferris_beam.sql.rules.predicate import COMPARE
from ferris_beam.sql.rules.rewrite import bottom_up

_ONE_ROW = pa.RecordBatch.from_struct_array(pa.array([{}], pa.struct([])))


def compute_constants(node: Node) -> Node:
    """Only where they are compared: the type of a constant doesn't matter there.

    >>> from ferris_beam.sql.rules.examples import expression
    >>> computed(expression("day < DATE '2024-02-29' + INTERVAL '1' DAY")).sql()
    "day < CAST('2024-03-01 00:00:00' AS TIMESTAMP)"
    """
    return bottom_up(node, _computed)


def _computed(node: Node) -> Node:
    if isinstance(node, Filter):
        return replace(node, condition=computed(node.condition))
    if isinstance(node, Join) and node.residual is not None:
        return replace(node, residual=computed(node.residual))
    return node


def computed(condition: exp.Expression) -> exp.Expression:
    compared = [
        each
        for each in condition.find_all(*COMPARE, exp.Between, exp.In)
        if not each.find(exp.Query) and not each.find_ancestor(exp.Query)
    ]
    if not any(_is_constant(bare(part)) for each in compared for part in each.iter_expressions()):
        return condition
    copy = condition.copy()
    for each in list(copy.find_all(*COMPARE, exp.Between, exp.In)):
        for part in list(each.iter_expressions()):
            value = _evaluated(_Asked(bare(part))) if _is_constant(bare(part)) else None
            if value is not None:
                part.replace(value.copy())
    return copy


def _is_constant(expression: exp.Expression) -> bool:
    return (
        isinstance(expression, exp.Binary | exp.Neg | exp.Cast)
        and value_of(expression) is NotImplemented
        and expression.find(exp.Column, exp.Query, exp.Placeholder, exp.Parameter) is None
        and is_repeatable(expression)
    )


class _Asked:
    """An expression, remembered by its text."""

    def __init__(self, expression: exp.Expression) -> None:
        self.expression = expression
        self.text = expression.sql()

    def __hash__(self) -> int:
        return hash(self.text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and self.text == other.text


@lru_cache(maxsize=1000)
def _evaluated(asked: _Asked) -> exp.Expression | None:
    """The literal; None where it fails, which is for the rows to say, or has none of its own."""
    query = exp.select(exp.alias_(asked.expression.copy(), "value", quoted=True)).from_("input_0")
    try:
        planned = fragment(query, (pa.schema([]),))
        return _literal(Kernel(planned).run([_ONE_ROW])["value"][0].as_py())
    except FerrisError:
        return None


def _literal(value: Any) -> exp.Expression | None:
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            return None
        return _typed(value.isoformat(" "), "TIMESTAMP")
    if isinstance(value, date):
        return _typed(value.isoformat(), "DATE")
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        number = exp.Literal.number(
            str(abs(value)) if isinstance(value, int) else f"{abs(value):f}"
        )
        return exp.Neg(this=number) if value < 0 else number
    return None


def _typed(text: str, type: str) -> exp.Expression:
    return exp.Cast(this=exp.Literal.string(text), to=exp.DataType.build(type))
