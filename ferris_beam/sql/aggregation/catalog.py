"""Which states each aggregate function has, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.aggregation.approximate import Buckets
from ferris_beam.sql.aggregation.bits import Bits
from ferris_beam.sql.aggregation.calls import Call
from ferris_beam.sql.aggregation.collected import Collected
from ferris_beam.sql.aggregation.counted import Counted
from ferris_beam.sql.aggregation.counts import Count, Rows
from ferris_beam.sql.aggregation.distinct import CountDistinct, OfDistinct
from ferris_beam.sql.aggregation.engine import engine_function
from ferris_beam.sql.aggregation.extremes import Chosen, Extreme, First
from ferris_beam.sql.aggregation.inputs import Collector
from ferris_beam.sql.aggregation.lists import Joined, JsonArray, JsonObject, Listed
from ferris_beam.sql.aggregation.moments import FORMULAS, Deviations, MomentFunction
from ferris_beam.sql.aggregation.quantiles import MostFrequent, Quantile
from ferris_beam.sql.aggregation.sketches import ApproximateCount, HyperLogLog
from ferris_beam.sql.aggregation.state import Function
from ferris_beam.sql.aggregation.sums import ExactSum, FloatSum
from ferris_beam.sql.aggregation.totals import Average, Sum
from ferris_beam.sql.aggregation.users import UserMerged, UserReduced, UserState
from ferris_beam.sql.functions import UserAggregate
from ferris_beam.sql.nodes import Ordering

Builder = Callable[[Call, Collector, str], "Function | None"]
"""From a call, the columns of the input, and the name of FILTER's column (or "")."""


def function_of(call: Call, collector: Collector, time: exp.Expression | None = None) -> Function:
    """How a call is computed. ``time``: the event time of windows, by which first and last go
    where they have no order of their own."""
    if call.name in ("first", "last") and not call.order:
        call = _ordered_by(time, call)
    if call.name == "count_if":
        call = _where_true(call)
    where = collector.column(call.where).name if call.where is not None else ""
    if call.distinct and call.name not in _SAME_WITHOUT_DISTINCT:
        return _of_distinct(call, collector, where)
    if call.user is not None:
        return _by_user(call.user, call, collector, where)
    builder = _BUILDERS.get(call.name)
    found = builder(call, collector, where) if builder else None
    return found or _by_engine(call, collector, where)


def _ordered_by(time: exp.Expression | None, call: Call) -> Call:
    if time is None:
        raise call.text.error(
            f"{call.name} needs an order",
            call.expression,
            f"write {call.name}(value ORDER BY time), or any_value(value)",
        )
    return replace(call, order=(Ordering(time),))


def _where_true(call: Call) -> Call:
    """count_if(x) is count(*) FILTER (WHERE x)."""
    (condition,) = call.arguments
    both: exp.Expression = condition
    if call.where is not None:
        both = exp.And(this=call.where.copy(), expression=condition.copy())
    return replace(call, name="count", arguments=(), where=both)


def _columns(call: Call, collector: Collector, count: int | None = None) -> tuple[pa.Field, ...]:
    return tuple(collector.column(argument) for argument in call.arguments[:count])


def _by_engine(call: Call, collector: Collector, where: str) -> Function:
    wanted = [*call.arguments, *(item.expression for item in call.order)]
    columns = [each for each in wanted if each.find(exp.Column)]
    fields = {each: collector.column(each) for each in columns}
    return engine_function(call, fields, where)


def _by_user(user: UserAggregate, call: Call, collector: Collector, where: str) -> Function:
    arguments = _columns(call, collector)
    if user.mergeable:
        return UserMerged(UserState(arguments, user.name, user, where=where), call.type)
    return UserReduced(Collected(arguments, where=where), user.name, user, call.type)


def _of_distinct(call: Call, collector: Collector, where: str) -> Function:
    arguments = _columns(call, collector, 1 if call.name in _TAKES_LITERALS else None)
    keeps_null = call.name in ("array_agg", "json_group_array")
    if any(collector.column(item.expression) not in arguments for item in call.order):
        raise call.text.error(
            f"{call.name}(DISTINCT …) can be ordered by its own value only", call.expression
        )
    needed = 0 if keeps_null else len(arguments)
    values = Collected(arguments, where=where, distinct=True, needed=needed)
    if call.name == "count":
        return CountDistinct(values, call.type)
    return OfDistinct(values, function_of(replace(call, distinct=False, where=None), collector))


def _count(call: Call, collector: Collector, where: str) -> Function:
    return Count(Rows(_columns(call, collector), where=where), call.type)


def _sum(call: Call, collector: Collector, where: str) -> Function | None:
    arguments = _columns(call, collector)
    total = _sum_of(arguments[0], where)
    return Sum(total, Rows(arguments, where=where), call.type) if total else None


def _avg(call: Call, collector: Collector, where: str) -> Function | None:
    arguments = _columns(call, collector)
    total = _sum_of(arguments[0], where)
    return Average(total, Rows(arguments, where=where), call.type) if total else None


def _sum_of(argument: pa.Field, where: str) -> ExactSum | FloatSum | None:
    kind = argument.type
    if pa.types.is_floating(kind):
        return FloatSum((argument,), where=where)
    if pa.types.is_integer(kind) or pa.types.is_duration(kind):
        return ExactSum((argument,), where=where)
    if pa.types.is_decimal(kind) and kind.bit_width >= 128:
        return ExactSum((argument,), where=where)
    return None


def _extreme(greatest: bool, call: Call, collector: Collector, where: str) -> Function | None:
    arguments = _columns(call, collector)
    if len(arguments) > 1:
        return None
    return First(Extreme(arguments, where=where, greatest=greatest), call.type)


def _arg(descending: bool, call: Call, collector: Collector, where: str) -> Function | None:
    arguments = _columns(call, collector)
    if len(arguments) != 2:
        return None
    state = Chosen(arguments, (descending,), (False,), skip_nulls=True, where=where)
    return First(state, call.type)


def _first(last: bool, call: Call, collector: Collector, where: str) -> Function:
    order = tuple(collector.column(item.expression) for item in call.order)
    state = Chosen(
        (*_columns(call, collector, 1), *order),
        tuple(item.descending != last for item in call.order),
        tuple(item.nulls_first != last for item in call.order),
        skip_nulls=call.ignore_nulls,
        where=where,
    )
    return First(state, call.type)


def _moments(call: Call, collector: Collector, where: str) -> Function:
    return MomentFunction(Deviations(_columns(call, collector), where=where), call.name, call.type)


def _bits(call: Call, collector: Collector, where: str) -> Function:
    return First(Bits(_columns(call, collector), name=call.name, where=where), call.type)


def _listed(kind: type[Listed], width: int, call: Call, collector: Collector, where: str) -> Listed:
    order = tuple(collector.column(item.expression) for item in call.order)
    needed = 1 if kind in (Joined, JsonObject) or call.ignore_nulls else 0
    values = Collected((*_columns(call, collector, width), *order), where=where, needed=needed)
    descending = tuple(item.descending for item in call.order)
    nulls_first = tuple(item.nulls_first for item in call.order)
    if kind is Joined:
        separator = call.string(1, ",")
        return Joined(values, call.type, descending, nulls_first, width, separator)
    return kind(values, call.type, descending, nulls_first, width)


def _quantile(discrete: bool, call: Call, collector: Collector, where: str) -> Function:
    """Both spellings: percentile_cont(share) WITHIN GROUP (ORDER BY x), quantile_cont(x, share)."""
    if len(call.arguments) == 1 and call.order:
        share, value = call.arguments[0], call.order[0].expression
        descending = call.order[0].descending
    else:
        (value, share), descending = call.arguments, False
    shares, many = _shares(call, share)
    state = Counted((collector.column(value),), where=where)
    return Quantile(state, shares, call.type, discrete, descending, many)


def _shares(call: Call, share: exp.Expression) -> tuple[tuple[float, ...], bool]:
    many = isinstance(share, exp.Array)
    items = share.expressions if many else [share]
    numbers = replace(call, arguments=tuple(items))
    found = tuple(numbers.number(place) for place in range(len(items)))
    if not all(0 <= number <= 1 for number in found):
        raise call.text.error(f"{call.name} takes a share from 0 to 1", share)
    return found, many


def _median(call: Call, collector: Collector, where: str) -> Function:
    return Quantile(Counted(_columns(call, collector, 1), where=where), (0.5,), call.type)


def _mode(call: Call, collector: Collector, where: str) -> Function:
    values = call.arguments[:1] or tuple(item.expression for item in call.order)
    state = Counted(tuple(collector.column(value) for value in values), where=where)
    return MostFrequent(state, 0, call.type)


def _top_k(call: Call, collector: Collector, where: str) -> Function:
    count = int(call.number(1))
    if count < 1:
        raise call.text.error(f"{call.name} takes how many values: 1 or more", call.arguments[1])
    return MostFrequent(Counted(_columns(call, collector, 1), where=where), count, call.type)


def _approximate_count(call: Call, collector: Collector, where: str) -> Function:
    return ApproximateCount(HyperLogLog(_columns(call, collector, 1), where=where), call.type)


def _approximate_percentile(call: Call, collector: Collector, where: str) -> Function:
    shares, many = ((0.5,), False) if len(call.arguments) == 1 else _shares(call, call.arguments[1])
    state = Buckets(_columns(call, collector, 1), where=where)
    return Quantile(state, shares, call.type, many=many)


_TAKES_LITERALS = frozenset({"string_agg", "top_k", "quantile_cont", "quantile_disc"})
"""Functions whose arguments behind the first are literals."""
_SAME_WITHOUT_DISTINCT = frozenset(
    {"min", "max", "any_value", "bool_and", "bool_or", "bit_and", "bit_or"}
    | {"approx_count_distinct", "arg_min", "arg_max"}
)
_BUILDERS: dict[str, Builder] = {
    "count": _count,
    "sum": _sum,
    "avg": _avg,
    "min": partial(_extreme, False),
    "max": partial(_extreme, True),
    "any_value": partial(_extreme, False),
    "bool_and": partial(_extreme, False),
    "bool_or": partial(_extreme, True),
    "arg_min": partial(_arg, False),
    "arg_max": partial(_arg, True),
    "first": partial(_first, False),
    "last": partial(_first, True),
    **dict.fromkeys(FORMULAS, _moments),
    **dict.fromkeys(("bit_and", "bit_or", "bit_xor"), _bits),
    "array_agg": partial(_listed, Listed, 1),
    "string_agg": partial(_listed, Joined, 1),
    "json_group_array": partial(_listed, JsonArray, 1),
    "json_group_object": partial(_listed, JsonObject, 2),
    "median": _median,
    "percentile_cont": partial(_quantile, False),
    "percentile_disc": partial(_quantile, True),
    "quantile_cont": partial(_quantile, False),
    "quantile_disc": partial(_quantile, True),
    "mode": _mode,
    "top_k": _top_k,
    "approx_count_distinct": _approximate_count,
    "approx_percentile": _approximate_percentile,
    "approx_median": _approximate_percentile,
}
