"""The type of an aggregate's result, from the types of its arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa

from ferris_beam.sql.aggregation.moments import FORMULAS

Types = Sequence[pa.DataType]
_DIGITS = 38
_MORE_DIGITS = 4
"""What the mean of decimals has behind the point, beyond what they have."""


def result_type(name: str, arguments: Types, many: bool = False) -> pa.DataType | None:
    """Of the function that the registry calls ``name``; None: what the engine says.

    ``arguments``: their types, without those of DISTINCT and ORDER BY; for percentile_cont and its
    like the type of what is ordered comes first. ``many``: there is a list of shares.

    >>> result_type("sum", [pa.int32()]), result_type("avg", [pa.decimal128(10, 2)])
    (DataType(int64), Decimal128Type(decimal128(38, 6)))
    """
    rule = _RULES.get(name)
    if rule is None:
        return None
    if not arguments:
        return pa.int64() if name in ("count", "count_if") else None
    found = rule([_decoded(kind) for kind in arguments])
    return pa.list_(found) if many else found


def _decoded(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _constant(kind: pa.DataType) -> Callable[[Types], pa.DataType]:
    return lambda arguments: kind


def _first(arguments: Types) -> pa.DataType:
    return arguments[0]


def _sum(arguments: Types) -> pa.DataType:
    kind = arguments[0]
    if pa.types.is_integer(kind) or pa.types.is_null(kind):
        return pa.int64()
    if pa.types.is_decimal256(kind):
        return pa.decimal256(76, kind.scale)
    if pa.types.is_decimal(kind):
        return pa.decimal128(_DIGITS, kind.scale)
    return pa.float64() if pa.types.is_floating(kind) else kind


def _mean(arguments: Types) -> pa.DataType:
    kind = arguments[0]
    if pa.types.is_decimal(kind):
        return pa.decimal128(_DIGITS, min(_DIGITS, kind.scale + _MORE_DIGITS))
    return kind if pa.types.is_duration(kind) else pa.float64()


def _between(arguments: Types) -> pa.DataType:
    """Of what may lie between two values."""
    kind = arguments[0]
    return kind if pa.types.is_temporal(kind) else pa.float64()


def _list_of(arguments: Types) -> pa.DataType:
    return pa.list_(arguments[0])


_RULES: dict[str, Callable[[Types], pa.DataType]] = {
    **dict.fromkeys(("count", "count_if", "approx_count_distinct"), _constant(pa.int64())),
    **dict.fromkeys(FORMULAS, _constant(pa.float64())),
    "regr_count": _constant(pa.int64()),
    "sum": _sum,
    "avg": _mean,
    **dict.fromkeys(
        ("min", "max", "any_value", "arg_min", "arg_max", "first", "last", "mode",
         "bit_and", "bit_or", "bit_xor", "percentile_disc", "quantile_disc"),
        _first,
    ),
    **dict.fromkeys(("bool_and", "bool_or"), _constant(pa.bool_())),
    **dict.fromkeys(("median", "percentile_cont", "quantile_cont"), _between),
    **dict.fromkeys(("approx_percentile", "approx_median"), _constant(pa.float64())),
    **dict.fromkeys(("array_agg", "top_k"), _list_of),
    **dict.fromkeys(
        ("string_agg", "json_group_array", "json_group_object"), _constant(pa.string())
    ),
}  # fmt: skip
