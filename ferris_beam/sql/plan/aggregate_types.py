"""Types of aggregates and window functions: what the framework fixes, else DataFusion's."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.aggregation.calls import Call, call_of
from ferris_beam.sql.aggregation.moments import FORMULAS
from ferris_beam.sql.aggregation.result_types import result_type
from ferris_beam.sql.functions import registry
from ferris_beam.sql.kernel.types import plain, spoken
from ferris_beam.sql.plan.types import types
from ferris_beam.sql.text import SqlText

_OF_NUMBERS = {
    *FORMULAS,
    "sum",
    "avg",
    "quantile_cont",
    "approx_percentile",
    "bit_and",
    "bit_or",
    "bit_xor",
} - {"regr_count"}
_OF_CONDITIONS = {"bool_and", "bool_or", "count_if"}
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
        own = [next(kinds) for _ in arguments]
        check_arguments(call, own, text)
        found.append(result_type(call.name, own, many))
    asked = [call for call, kind in zip(calls, found, strict=True) if kind is None]
    answers = iter(types(asked, schema, text))
    return [next(answers) if kind is None else kind for kind in found]


def check_arguments(call: Call, kinds: Sequence[pa.DataType], text: SqlText) -> None:
    """Raises `SqlError` where a call has too few or too many arguments, or those of no use."""
    function = registry.find(call.name)
    hint = f"it is called like this: {function.signature}" if function else ""
    counted = not call.distinct and not _is_ordered(call)
    count = len(call.arguments) + _unseen(call.expression)
    if function is not None and counted and not function.fits(count):
        arguments = f"{count} argument{'' if count == 1 else 's'}"
        raise text.error(f"{call.name} does not take {arguments}", call.expression, hint)
    if not kinds:
        return
    fits = _is_number if call.name in _OF_NUMBERS else _is_condition
    if call.name in _OF_NUMBERS | _OF_CONDITIONS and not fits(kinds[0]):
        raise text.error(f"{call.name} does not take {spoken(kinds[0])}", call.expression, hint)


def _unseen(call: exp.Expression) -> int:
    """How many arguments sqlglot keeps for other databases' MAX(value, count)."""
    function = _function_of(call)
    return int(isinstance(function, exp.Max | exp.Min) and bool(function.args.get("count")))


def _is_number(kind: pa.DataType) -> bool:
    kind = plain(kind)
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_duration(kind)
        or pa.types.is_interval(kind)
        or pa.types.is_null(kind)
    )


def _is_condition(kind: pa.DataType) -> bool:
    return bool(pa.types.is_boolean(plain(kind)) or pa.types.is_null(kind))


def _arguments(call: Call) -> list[exp.Expression]:
    """What the type depends on; the ordered values of WITHIN GROUP come first."""
    first = [each.expression for each in call.order] if _is_ordered(call) else []
    return [*first, *call.arguments]


def _is_ordered(call: Call) -> bool:
    """Whether WITHIN GROUP gives it its values."""
    return call.expression.find(exp.WithinGroup) is not None


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
