"""Aggregate functions. How they are computed and merged: `ferris_beam.sql.aggregation`."""

from __future__ import annotations

from ferris_beam.sql.functions.define import category

_aggregate = category("aggregates", kind="aggregate")

_X = "FROM (VALUES (1, 'a'), (2, 'b'), (4, 'b'), (NULL, 'c')) AS t(x, k)"
_XY = "FROM (VALUES (1, 2), (2, 4), (3, 7)) AS t(x, y)"
_B = "FROM (VALUES (true), (false), (NULL)) AS t(b)"

FUNCTIONS = (
    _aggregate(
        "count([value])",
        "How many rows, or values that aren't NULL, there are. "
        "count(DISTINCT value): how many different ones.",
        (f"count(*) {_X}", "4"),
        (f"count(x) {_X}", "3"),
        (f"count(DISTINCT k) {_X}", "3"),
    ),
    _aggregate(
        "sum(number)", "The sum: of integers a BIGINT, of decimals exact.", (f"sum(x) {_X}", "7")
    ),
    _aggregate(
        "avg(number)", "The mean.", (f"avg(y) {_XY}", "4.333333333333333"), aliases=("mean",)
    ),
    _aggregate("min(value)", "The least value.", (f"min(k) {_X}", "a")),
    _aggregate("max(value)", "The greatest value.", (f"max(x) {_X}", "4")),
    _aggregate(
        "count_if(condition)",
        "For how many rows it is true.",
        (f"count_if(x > 1) {_X}", "2"),
        aliases=("countif",),
    ),
    _aggregate(
        "bool_and(condition)",
        "Whether it is true for all rows in which it isn't NULL.",
        (f"bool_and(b) {_B}", "false"),
        aliases=("every", "logical_and"),
    ),
    _aggregate(
        "bool_or(condition)",
        "Whether it is true for a row.",
        (f"bool_or(b) {_B}", "true"),
        aliases=("logical_or",),
    ),
    _aggregate(
        "bit_and(number)",
        "All integers joined by AND, bit by bit.",
        ("bit_and(x) FROM (VALUES (6), (12)) AS t(x)", "4"),
    ),
    _aggregate(
        "bit_or(number)",
        "All integers joined by OR, bit by bit.",
        ("bit_or(x) FROM (VALUES (6), (12)) AS t(x)", "14"),
    ),
    _aggregate(
        "bit_xor(number)",
        "All integers joined by exclusive OR, bit by bit.",
        ("bit_xor(x) FROM (VALUES (6), (12)) AS t(x)", "10"),
    ),
    _aggregate(
        "stddev_samp(number)",
        "The standard deviation of a sample.",
        (f"stddev_samp(x) {_XY}", "1.0"),
        aliases=("stddev", "stdev"),
    ),
    _aggregate(
        "stddev_pop(number)",
        "The standard deviation of all there is.",
        ("stddev_pop(x) FROM (VALUES (1), (3)) AS t(x)", "1.0"),
    ),
    _aggregate(
        "var_samp(number)",
        "The variance of a sample.",
        (f"var_samp(x) {_XY}", "1.0"),
        aliases=("variance", "var", "var_sample"),
    ),
    _aggregate(
        "var_pop(number)",
        "The variance of all there is.",
        ("var_pop(x) FROM (VALUES (1), (3)) AS t(x)", "1.0"),
        aliases=("variance_pop", "var_population"),
    ),
    _aggregate(
        "corr(y, x)",
        "Pearson's correlation.",
        ("round(corr(y, x), 6) FROM (VALUES (1, 2), (2, 4)) AS t(x, y)", "1.0"),
    ),
    _aggregate(
        "covar_samp(y, x)",
        "The covariance of a sample.",
        (f"covar_samp(y, x) {_XY}", "2.5"),
        aliases=("covar",),
    ),
    _aggregate(
        "covar_pop(y, x)",
        "The covariance of all there is.",
        ("covar_pop(y, x) FROM (VALUES (1, 2), (3, 4)) AS t(x, y)", "1.0"),
    ),
    _aggregate(
        "regr_avgx(y, x)",
        "The mean of x, of pairs without NULL.",
        (f"regr_avgx(y, x) {_XY}", "2.0"),
    ),
    _aggregate(
        "regr_avgy(y, x)",
        "The mean of y, of pairs without NULL.",
        ("regr_avgy(y, x) FROM (VALUES (1, 2), (3, 4)) AS t(x, y)", "3.0"),
    ),
    _aggregate(
        "regr_count(y, x)", "How many pairs have no NULL.", (f"regr_count(y, x) {_XY}", "3")
    ),
    _aggregate(
        "regr_intercept(y, x)",
        "Where the line of least squares meets x = 0.",
        ("regr_intercept(y, x) FROM (VALUES (1, 3), (2, 5)) AS t(x, y)", "1.0"),
    ),
    _aggregate(
        "regr_r2(y, x)",
        "The square of the correlation.",
        ("round(regr_r2(y, x), 6) FROM (VALUES (1, 2), (2, 4)) AS t(x, y)", "1.0"),
    ),
    _aggregate(
        "regr_slope(y, x)",
        "The slope of the line of least squares.",
        (f"regr_slope(y, x) {_XY}", "2.5"),
    ),
    _aggregate("regr_sxx(y, x)", "Σ (x - mean)².", (f"regr_sxx(y, x) {_XY}", "2.0")),
    _aggregate("regr_sxy(y, x)", "Σ (x - mean) · (y - mean).", (f"regr_sxy(y, x) {_XY}", "5.0")),
    _aggregate(
        "regr_syy(y, x)",
        "Σ (y - mean)².",
        ("regr_syy(y, x) FROM (VALUES (1, 2), (3, 4)) AS t(x, y)", "2.0"),
    ),
    _aggregate(
        "median(number)",
        "The middle value; the mean of the two middle ones.",
        (f"median(x) {_XY}", "2.0"),
    ),
    _aggregate(
        "percentile_cont(share)",
        "The value that is greater than this share of all, "
        "between two if need be: PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY x).",
        (f"percentile_cont(0.25) WITHIN GROUP (ORDER BY y) {_XY}", "3.0"),
    ),
    _aggregate(
        "quantile_cont(number, share)",
        "percentile_cont in DuckDB's spelling.",
        (f"quantile_cont(y, 0.25) {_XY}", "3.0"),
        aliases=("quantile",),
    ),
    _aggregate(
        "quantile_disc(value, share)",
        "percentile_disc in DuckDB's spelling.",
        (f"quantile_disc(y, 0.5) {_XY}", "4"),
    ),
    _aggregate(
        "percentile_disc(share)",
        "The first value that is not less than this share of all: "
        "PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY x).",
        (f"percentile_disc(0.5) WITHIN GROUP (ORDER BY y) {_XY}", "4"),
    ),
    _aggregate("mode(value)", "The most frequent value.", (f"mode(k) {_X}", "b")),
    _aggregate(
        "json_group_array(value)",
        "All values as a JSON array.",
        (f"json_group_array(k ORDER BY k) {_X}", '["a","b","b","c"]'),
        aliases=("json_agg", "jsonb_agg", "json_arrayagg"),
    ),
    _aggregate(
        "json_group_object(key, value)",
        "All keys and values as a JSON object.",
        ("json_group_object(k, x) FROM (VALUES ('a', 1)) AS t(k, x)", '{"a":1}'),
        aliases=("json_object_agg", "jsonb_object_agg", "json_objectagg"),
    ),
    _aggregate(
        "approx_count_distinct(value)",
        "About how many different values there are (HyperLogLog, merged exactly).",
        (f"approx_count_distinct(k) {_X}", "3"),
        aliases=("approx_distinct",),
    ),
    _aggregate(
        "approx_percentile(number, share)",
        "About the value that is greater than this share of all.",
        (f"approx_percentile(x, 0.5) {_XY}", "2.0"),
        aliases=("approx_quantile", "approx_percentile_cont"),
    ),
    _aggregate(
        "approx_median(number)", "About the middle value.", (f"approx_median(x) {_XY}", "2.0")
    ),
    _aggregate(
        "top_k(value, count)",
        "The most frequent values, the most frequent first.",
        (f"top_k(k, 1) {_X}", "[b]"),
        aliases=("approx_top_k",),
    ),
    _aggregate(
        "array_agg(value)",
        "All values as a list; array_agg(value ORDER BY …), array_agg(DISTINCT value).",
        (f"array_agg(x ORDER BY x DESC NULLS LAST) {_X}", "[4, 2, 1, NULL]"),
        aliases=("list", "collect"),
    ),
    _aggregate(
        "string_agg(text[, separator])",
        "All texts that aren't NULL with the separator between them: "
        "string_agg(text, ',' ORDER BY …).",
        (f"string_agg(k, '-' ORDER BY k) {_X}", "a-b-b-c"),
        aliases=("group_concat", "listagg"),
    ),
    _aggregate(
        "first(value)",
        "The first value by an order: first(value ORDER BY …).",
        (f"first(k ORDER BY x) {_X}", "a"),
        aliases=("first_value",),
        engine="first_value",
    ),
    _aggregate(
        "last(value)",
        "The last value by an order: last(value ORDER BY …).",
        (f"last(k ORDER BY x NULLS FIRST) {_X}", "b"),
        aliases=("last_value",),
        engine="last_value",
    ),
    _aggregate(
        "arg_min(value, by)",
        "The value in the row in which `by` is least.",
        (f"arg_min(k, x) {_X}", "a"),
        aliases=("min_by", "argmin"),
    ),
    _aggregate(
        "arg_max(value, by)",
        "The value in the row in which `by` is greatest.",
        (f"arg_max(k, x) {_X}", "b"),
        aliases=("max_by", "argmax"),
    ),
    _aggregate(
        "any_value(value)",
        "A value that isn't NULL, if there is one.",
        ("any_value(x) FROM (VALUES (NULL), (7)) AS t(x)", "7"),
        aliases=("arbitrary",),
    ),
    _aggregate(
        "nth_value(value, place)",
        "The value at a place of an order, from 1.",
        (f"nth_value(x, 2) OVER (ORDER BY x DESC) {_XY} LIMIT 1", "NULL"),
    ),
)
