"""Types of aggregates and window functions: what the framework fixes, else DataFusion's."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.aggregation.calls import Call, call_of
from ferris_beam.sql.aggregation.result_types import result_type
from ferris_beam.sql.plan.types import types
from ferris_beam.sql.text import SqlText

_COUNTED = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Ntile)


def aggregate_types(
    calls: Sequence[exp.Expression], schema: pa.Schema, text: SqlText
) -> list[pa.DataType]:
    """The type of each aggregate over columns of ``schema``."""
    read = [call_of(call, pa.null(), text) for call in calls]
    given = [_arguments(call) for call in read]
    kinds = iter(types([each for arguments in given for each in arguments], schema, text))
    found = []
    for call, arguments in zip(read, given, strict=True):
        many = any(isinstance(each, exp.Array) for each in call.arguments)
        found.append(result_type(call.name, [next(kinds) for _ in arguments], many))
    asked = [call for call, kind in zip(calls, found, strict=True) if kind is None]
    answers = iter(types(asked, schema, text))
    return [next(answers) if kind is None else kind for kind in found]


def _arguments(call: Call) -> list[exp.Expression]:
    """What the type depends on; the ordered values of WITHIN GROUP come first."""
    ordered = isinstance(call.expression, exp.WithinGroup) or call.expression.find(exp.WithinGroup)
    first = [each.expression for each in call.order] if ordered else []
    return [*first, *call.arguments]


def window_function_types(
    calls: Sequence[exp.Expression], schema: pa.Schema, text: SqlText
) -> list[pa.DataType]:
    """The type of each call with OVER. Numbers of rows are BIGINT, aggregates what they are
    without OVER."""
    found: list[pa.DataType] = []
    kinds = types(calls, schema, text)
    for call, kind in zip(calls, kinds, strict=True):
        function = _function_of(call)
        if isinstance(function, _COUNTED):
            found.append(pa.int64())
        elif isinstance(function, exp.Sum | exp.Avg | exp.Count):
            found += aggregate_types([function], schema, text)
        else:
            found.append(kind)
    return found


def _function_of(call: exp.Expression) -> exp.Expression:
    """The function in `OVER`, `FILTER`, `IGNORE NULLS` around it."""
    while isinstance(call, exp.Window | exp.Filter | exp.IgnoreNulls | exp.RespectNulls):
        call = call.this
    return call
