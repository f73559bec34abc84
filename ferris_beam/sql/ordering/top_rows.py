"""The first rows of each partition: ``ROW_NUMBER() OVER (…) <= 3``; deduplication by ``= 1``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql import nodes
from ferris_beam.sql.ordering.window_query import function_name, order_text, settled

_RANKS = frozenset({"row_number", "rank", "dense_rank"})
"""Functions that look at the rows in front of a row only, and never fall."""


@dataclass(frozen=True)
class RowLimit:
    """Only rows where the call ``name`` gives at most ``count`` matter."""

    name: str
    count: int


def row_limit(condition: exp.Expression, over: nodes.Over) -> RowLimit | None:
    """The limit that a filter right above ``over`` sets; None where it sets none.

    All calls must be ranks in the same order, since others would miss the rows left out.
    """
    calls = {call.name: call.expression for call in over.calls}
    if len({order_text(call) for call in over.calls}) != 1:
        return None
    if any(function_name(call) not in _RANKS for call in calls.values()):
        return None
    limits = [limit for limit in _limits(condition) if limit.name in calls]
    return min(limits, key=lambda limit: limit.count, default=None)


def _limits(condition: exp.Expression) -> Iterator[RowLimit]:
    for part in condition.flatten() if isinstance(condition, exp.And) else [condition]:
        part = part.unnest()
        left, right = part.args.get("this"), part.args.get("expression")
        if isinstance(part, (exp.GT, exp.GTE)):
            left, right = right, left
        if isinstance(part, exp.EQ) and isinstance(left, exp.Literal):
            left, right = right, left
        if not isinstance(part, (exp.LT, exp.LTE, exp.GT, exp.GTE, exp.EQ)):
            continue
        if isinstance(left, exp.Column) and isinstance(right, exp.Literal) and right.is_int:
            strict = isinstance(part, (exp.LT, exp.GT))
            yield RowLimit(left.name, int(right.name) - strict)


def top_rows_query(node: nodes.Over, limit: RowLimit, schema: pa.Schema) -> exp.Select:
    """Those rows of ``input_0`` that are within the limit among themselves."""
    call = next(call for call in node.calls if call.name == limit.name)
    columns = [nodes.column(name) for name in schema.names]
    ranked = exp.select(
        *columns, exp.alias_(settled(node, call).expression, call.name, quoted=True)
    )
    condition = exp.LTE(this=nodes.column(call.name), expression=exp.Literal.number(limit.count))
    source = ranked.from_("input_0").subquery("input")
    return exp.select(*[column.copy() for column in columns]).from_(source).where(condition)
