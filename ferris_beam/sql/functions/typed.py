"""Calls as a name and arguments in the order of the registry's signature, whatever their class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from ferris_beam.sql.functions.paths import write

Call = tuple[str, list[exp.Expression]]

_KEYS: dict[type[exp.Expression], tuple[str, ...]] = {
    exp.AnyValue: ("any_value", "this"),
    exp.ApproxDistinct: ("approx_count_distinct", "this"),
    exp.ApproxQuantile: ("approx_percentile", "this", "quantile", "accuracy", "weight"),
    exp.ArgMax: ("arg_max", "this", "expression", "count"),
    exp.ArgMin: ("arg_min", "this", "expression", "count"),
    exp.ArrayAgg: ("array_agg", "this"),
    exp.BitwiseAndAgg: ("bit_and", "this"),
    exp.BitwiseOrAgg: ("bit_or", "this"),
    exp.BitwiseXorAgg: ("bit_xor", "this"),
    exp.Ceil: ("ceil", "this", "decimals", "to"),
    exp.Chr: ("chr", "expressions"),
    exp.Coalesce: ("coalesce", "this", "expressions"),
    exp.Corr: ("corr", "this", "expression"),
    exp.Count: ("count", "this", "expressions"),
    exp.CountIf: ("count_if", "this"),
    exp.CovarPop: ("covar_pop", "this", "expression"),
    exp.CovarSamp: ("covar_samp", "this", "expression"),
    exp.CurrentDate: ("current_date", "this"),
    exp.CurrentTime: ("current_time", "this"),
    exp.CurrentTimestamp: ("now", "this"),
    exp.First: ("first", "this"),
    exp.Floor: ("floor", "this", "decimals", "to"),
    exp.GroupConcat: ("string_agg", "this", "separator"),
    exp.Initcap: ("initcap", "this"),
    exp.Last: ("last", "this"),
    exp.Localtimestamp: ("localtimestamp", "this"),
    exp.LogicalAnd: ("bool_and", "this"),
    exp.LogicalOr: ("bool_or", "this"),
    exp.Max: ("max", "this", "expressions"),
    exp.Min: ("min", "this", "expressions"),
    exp.Nullif: ("nullif", "this", "expression"),
    exp.Map: ("map", "keys", "values"),
    exp.Overlay: ("overlay", "this", "expression", "from_", "for_"),
    exp.Pow: ("power", "this", "expression"),
    exp.Quantile: ("quantile_cont", "this", "quantile"),
    exp.StrPosition: ("strpos", "this", "substr", "position", "occurrence"),
    exp.Stddev: ("stddev", "this"),
    exp.StddevPop: ("stddev_pop", "this"),
    exp.StddevSamp: ("stddev_samp", "this"),
    exp.Substring: ("substr", "this", "start", "length"),
    exp.Variance: ("var_samp", "this"),
    exp.VariancePop: ("var_pop", "this"),
    exp.JSONExtract: ("json_extract", "this", "expression", "expressions"),
    exp.JSONExtractScalar: ("json_extract_string", "this", "expression", "expressions"),
}


def name_and_arguments(expression: exp.Expression) -> Call | None:
    """The name and arguments of a call; None for what is no call, or special syntax."""
    if isinstance(expression, exp.Anonymous):
        return str(expression.name), list(expression.expressions)
    special = _SPECIAL.get(type(expression))
    if special is not None:
        return special(expression)
    keys = _KEYS.get(type(expression))
    if keys is not None:
        return keys[0], _values(expression, *keys[1:])
    if isinstance(expression, exp.AggFunc | exp.RowNumber):
        return expression.sql_name().lower(), _values(expression, *expression.arg_types)
    return None


def arguments(expression: exp.Expression) -> list[exp.Expression]:
    """The arguments of a call in the order of the registry's signature; none of what is no call."""
    call = name_and_arguments(expression)
    return [] if call is None else call[1]


def _values(expression: exp.Expression, *keys: str) -> list[exp.Expression]:
    """The arguments under these keys, lists of them flattened, missing ones left out."""
    found: list[Any] = []
    for key in keys:
        value = expression.args.get(key)
        found.extend(value if isinstance(value, list) else [value])
    return [value for value in found if isinstance(value, exp.Expression)]


def _trim(expression: exp.Expression) -> Call:
    sides = {"LEADING": "ltrim", "TRAILING": "rtrim"}
    side = str(expression.args.get("position") or "").upper()
    return sides.get(side, "btrim"), _values(expression, "this", "expression")


def _extract(expression: exp.Expression) -> Call:
    part = expression.this
    name = part.name if isinstance(part, (exp.Var, exp.Identifier, exp.Column)) else None
    first = part if name is None else exp.Literal.string(name.lower())
    return "date_part", [first, expression.expression]


def _share(kind: str) -> Callable[[exp.Expression], Call]:
    """``quantile_cont(value, share)``, or ``percentile_cont(share)``, of which the value stands in
    WITHIN GROUP."""

    def call(expression: exp.Expression) -> Call:
        given = _values(expression, "this", "expression")
        return f"{'quantile' if len(given) == 2 else 'percentile'}_{kind}", given

    return call


def _json_path(name: str) -> Callable[[exp.Expression], Call]:
    """``json #> '{a,0}'``: keys and indexes in braces."""

    def call(expression: exp.Expression) -> Call:
        path = expression.expression
        if isinstance(path, exp.Literal) and path.name.startswith("{"):
            keys = [key.strip() for key in path.name.strip("{}").split(",")]
            path = exp.Literal.string(write(tuple(int(k) if k.isdigit() else k for k in keys)))
        return name, [expression.this, path]

    return call


def _json_object(name: str) -> Callable[[exp.Expression], Call]:
    """``json_object('key': value, …)``, also written with commas."""

    def call(expression: exp.Expression) -> Call:
        pairs: list[exp.Expression] = []
        for item in expression.expressions:
            pairs += [item.this, item.expression] if isinstance(item, exp.JSONKeyValue) else [item]
        return name, pairs

    return call


def _to_map(expression: exp.Expression) -> Call:
    """``MAP {key: value}``: a bare name as key is a text."""
    items = expression.this.expressions
    keys = [
        exp.Literal.string(item.this.name) if isinstance(item.this, exp.Identifier) else item.this
        for item in items
    ]
    values = [item.expression for item in items]
    return "map", [exp.Array(expressions=[e.copy() for e in each]) for each in (keys, values)]


_SPECIAL: dict[type[exp.Expression], Callable[[exp.Expression], Call]] = {
    exp.Trim: _trim,
    exp.Extract: _extract,
    exp.JSONBExtract: _json_path("json_extract"),
    exp.JSONBExtractScalar: _json_path("json_extract_string"),
    exp.JSONObject: _json_object("json_object"),
    exp.JSONObjectAgg: _json_object("json_group_object"),
    exp.PercentileCont: _share("cont"),
    exp.PercentileDisc: _share("disc"),
    exp.ToMap: _to_map,
}
