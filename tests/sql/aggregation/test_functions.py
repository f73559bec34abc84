"""Every aggregate function against DuckDB, whatever the order of the rows and the cuts."""

from __future__ import annotations

import math
from decimal import Decimal
from functools import cache

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from tests.sql.aggregation.stages import aggregate, cut, run

_ROWS = 2_000


@cache
def _table() -> pa.RecordBatch:
    random = np.random.default_rng(1)

    def holes() -> np.ndarray:
        return random.random(_ROWS) < 0.1

    cents = random.integers(-(10**9), 10**9, _ROWS)
    columns = {
        "k": pa.array([f"k{n}" if n else None for n in random.integers(0, 7, _ROWS)]),
        "i": pa.array(random.integers(-1000, 1000, _ROWS), mask=holes()),
        "big": pa.array(random.integers(-(2**61), 2**61, _ROWS) // _ROWS),
        "x": pa.array(random.normal(1e6, 3, _ROWS), mask=holes()),
        "y": pa.array(random.random(_ROWS), mask=holes()),
        "s": pa.array([f"s{n}" for n in random.integers(0, 40, _ROWS)], mask=holes()),
        "b": pa.array(random.random(_ROWS) < 0.5, mask=holes()),
        "d": pa.array([Decimal(int(n)).scaleb(-2) for n in cents], pa.decimal128(18, 2)),
        "day": pa.array(random.integers(0, 9999, _ROWS).astype("i4")).view(pa.date32()),
        "t": pa.array(random.permutation(_ROWS) * 1_000_000).view(pa.timestamp("us")),
        "l": pa.array([[int(n)] * int(n) for n in random.integers(0, 4, _ROWS)]),
    }
    return pa.record_batch(columns)


_CALLS = """
count(*) | count(i) | count(distinct s) | count(distinct i) | count(distinct l)
sum(i) | sum(big) | sum(d) | sum(x) | avg(i) | avg(x) | sum(i) FILTER (WHERE b)
min(i) | max(i) | min(s) | max(s) | min(d) | max(d) | min(day) | max(day) | max(t) | min(b) | max(b)
min(x) | max(l) | any_value(k) | bool_and(b) | bool_or(b) | bit_and(i) | bit_or(i) | bit_xor(i)
stddev(x) | stddev_samp(i) | stddev_pop(x) | var_samp(x) | variance(y) | var_pop(i)
corr(x, y) | covar_samp(x, y) | covar_pop(x, y) | regr_count(x, y) | regr_slope(x, y)
regr_intercept(x, y) | regr_r2(x, y) | regr_avgx(x, y) | regr_avgy(x, y) | regr_sxx(x, y)
regr_sxy(x, y) | regr_syy(x, y) | arg_min(s, t) | arg_max(i, t) | max_by(d, t) | min_by(x, t)
first(s ORDER BY t) | last(s ORDER BY t) | first(i ORDER BY t DESC) | last(d ORDER BY t DESC)
array_agg(i ORDER BY t) | array_agg(s ORDER BY s DESC NULLS LAST, t) | list(d ORDER BY t)
array_agg(DISTINCT s ORDER BY s NULLS LAST) | array_agg(t ORDER BY t) FILTER (WHERE i > 0)
string_agg(s, '-' ORDER BY t) | string_agg(DISTINCT s, ',' ORDER BY s) | string_agg(s ORDER BY t)
median(x) | median(i) | quantile_cont(x, 0.3) | quantile_disc(x, 0.3) | quantile_disc(s, 0.7)
percentile_cont(0.25) WITHIN GROUP (ORDER BY x DESC) | quantile_cont(y, [0.1, 0.9])
sum(DISTINCT i) | avg(DISTINCT i) | max(DISTINCT i) | count(DISTINCT s) FILTER (WHERE i > 0)
count_if(i > 5) | sum(i + 1) | sum(i * 2.5) | sum(CASE WHEN b THEN 1 ELSE 0 END) | count(DISTINCT b)
"""
CALLS = [call.strip() for line in _CALLS.strip().splitlines() for call in line.split("|")]


@pytest.mark.parametrize("call", CALLS)
def test_each_function_agrees_with_duckdb(call: str) -> None:
    node = aggregate(_table().schema, [call], ["k"])
    expected = dict(
        duckdb.sql(f"SELECT k, {call} FROM t GROUP BY k", connection=_connection()).fetchall()
    )
    for seed in range(3):
        found = run(node, cut(_table(), seed), partitions=seed + 1, bundle=seed + 1).to_pydict()
        rows = dict(zip(found["k"], found["c0"], strict=True))
        assert rows.keys() == expected.keys()
        for key, value in expected.items():
            assert _same(rows[key], value), (key, rows[key], value)


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.register("t", pa.Table.from_batches([_table()]))
    return connection


def _same(found: object, expected: object) -> bool:
    if isinstance(found, list) and isinstance(expected, list):
        return len(found) == len(expected) and all(map(_same, found, expected))
    if isinstance(found, float) and isinstance(expected, (float, int, Decimal)):
        return math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-9)
    if isinstance(found, Decimal) and isinstance(expected, float):
        return math.isclose(found, expected, rel_tol=1e-9)
    return found == expected


def test_functions_stand_beside_each_other_and_share_states() -> None:
    calls = ["count(*)", "sum(x)", "avg(x)", "min(x)", "count(x)", "array_agg(s ORDER BY t)"]
    node = aggregate(_table().schema, calls)
    (found,) = run(node, cut(_table(), 5)).to_pylist()
    select = duckdb.sql(f"SELECT {', '.join(calls)} FROM t", connection=_connection())
    (expected,) = select.fetchall()
    assert all(map(_same, found.values(), expected))


def test_a_dictionary_column_is_as_good_as_its_values() -> None:
    rows = _table()
    calls = ["count(s)", "min(s)", "count(DISTINCT s)", "string_agg(s, ',')", "mode(s)"]
    node = aggregate(rows.schema, calls, ["k"])
    encoded = rows
    for name in ("k", "s"):
        place = rows.schema.get_field_index(name)
        encoded = encoded.set_column(place, name, rows[name].dictionary_encode())
    parts = [part for n, part in enumerate(cut(encoded, 2)) if n % 2] + [
        part for n, part in enumerate(cut(rows, 2)) if not n % 2
    ]
    assert _sorted(run(node, parts)) == _sorted(run(node, [rows]))


def _sorted(table: pa.Table) -> list[dict[str, object]]:
    return sorted(table.to_pylist(), key=lambda row: str(row["k"]))


@pytest.mark.parametrize("call", [call for call in CALLS if call.startswith(("sum", "avg", "m"))])
def test_a_group_without_values_is_null(call: str) -> None:
    rows = _table().slice(0, 3)
    nulls = [
        pa.nulls(3, field.type) if field.name not in ("k",) else rows["k"] for field in rows.schema
    ]
    empty = pa.record_batch(nulls, schema=rows.schema)
    found = run(aggregate(rows.schema, [call]), cut(empty, 0, 2)).to_pylist()
    if "CASE" not in call:
        assert found == [{"c0": [None] * 2 if "[" in call and "list" in call else None}]


def test_json_aggregates() -> None:
    rows = pa.record_batch({"n": ["b", "a", None], "v": [1.5, None, 2.0], "t": [3, 2, 1]})
    node = aggregate(
        rows.schema,
        ["json_group_array(v ORDER BY t)", "json_group_object(n, v)", "json_group_array(n)"],
        types=[pa.string()] * 3,
    )
    (found,) = run(node, cut(rows, 1)).to_pylist()
    assert found == {"c0": "[2,null,1.5]", "c1": '{"a":null,"b":1.5}', "c2": '["a","b",null]'}


def test_the_most_frequent_values_and_ties_by_value() -> None:
    rows = pa.record_batch({"v": ["c", "b", "b", "a", "c", "d", None]})
    node = aggregate(
        rows.schema, ["mode(v)", "top_k(v, 3)"], types=[pa.string(), pa.list_(pa.string())]
    )
    assert run(node, cut(rows, 3)).to_pylist() == [{"c0": "b", "c1": ["b", "c", "a"]}]


def test_first_and_last_of_a_window_go_by_its_time() -> None:
    from ferris_beam.sql.nodes import Duration, Window, column

    rows = pa.record_batch(
        {"t": pa.array([5, 1, 3, 12], pa.timestamp("us")), "v": ["c", "a", "b", "d"]}
    )
    size = Duration(micros=10)
    window = Window("tumble", column("t"), "start", "end", size=size, slide=size)
    node = aggregate(
        rows.schema, ["first(v)", "last(v)"], window=window, types=[pa.string(), pa.string()]
    )
    found = run(node, cut(rows, 0)).select(["c0", "c1"]).to_pylist()
    assert {(row["c0"], row["c1"]) for row in found} == {("a", "c"), ("d", "d")}
