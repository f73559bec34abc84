"""Rows that ORDER BY leaves equal come in a fixed order too: that of their other columns.

So what depends on their order (ROW_NUMBER, LIMIT, …) depends on the rows alone, not on how they
came: a repeat gives the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa
from pyarrow import types
from sqlglot import exp

from ferris_beam.sql.nodes import Ordering, column


def with_ties(order: Sequence[Ordering], schema: pa.Schema) -> list[exp.Ordered]:
    """ORDER BY ``order``, then all other columns of ``schema`` that can be sorted by."""
    named = {item.expression.name for item in order if isinstance(item.expression, exp.Column)}
    rest = [Ordering(column(name)) for name in sortable(schema) if name not in named]
    return [ordered(item) for item in (*order, *rest)]


def sortable(schema: pa.Schema) -> list[str]:
    return [field.name for field in schema if not _contains_map(field.type)]


def ordered(item: Ordering) -> exp.Ordered:
    return exp.Ordered(
        this=item.expression.copy(), desc=item.descending, nulls_first=item.nulls_first
    )


def orderings(items: Iterable[exp.Expression]) -> list[Ordering]:
    """The items of an ORDER BY clause; NULLS come last, where it descends first."""
    found = []
    for item in items:
        if not isinstance(item, exp.Ordered):
            found.append(Ordering(item))
            continue
        descending = bool(item.args.get("desc"))
        nulls_first = item.args.get("nulls_first")
        found.append(
            Ordering(
                item.this, descending, descending if nulls_first is None else bool(nulls_first)
            )
        )
    return found


def _contains_map(type_: pa.DataType) -> bool:
    if types.is_map(type_):
        return True
    return any(_contains_map(type_.field(number).type) for number in range(type_.num_fields))
