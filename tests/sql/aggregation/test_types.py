"""Functions over types that tables seldom have, and over columns of nothing but NULL."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import pyarrow as pa
import pytest

from ferris_beam.errors import FatalError
from tests.sql.aggregation.stages import aggregate, run

_DAYS = [datetime(2020, 1, 1), None, datetime(2020, 1, 3), datetime(2020, 1, 2)]
_ROWS = pa.record_batch(
    {
        "nothing": pa.nulls(4),
        "duration": pa.array([timedelta(days=1)] * 4),
        "moment": pa.array(_DAYS, pa.timestamp("us")),
        "clock": pa.array([time(1), None, time(3), time(2)]),
        "view": pa.array(["a", "b", None, "c"], pa.string_view()),
        "half": pa.array([1.5, 2.0, None, 3.0], pa.float16()),
        "struct": pa.array([{"a": 1, "b": "x"}, {"a": 1, "b": "a"}, None, {"a": 0, "b": "z"}]),
        "list": pa.array([[1, 2], [1], [3], None]),
        "map": pa.array([[("a", 1)], [], None, [("b", 2)]], pa.map_(pa.string(), pa.int64())),
        "huge": pa.array([1, 2, 3, 2**64 - 1], pa.uint64()),
        "number": [1, 2, 3, 4],
    }
)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("count(nothing)", 0),
        ("min(nothing)", None),
        ("bool_and(nothing)", None),
        ("count(*) FILTER (WHERE nothing)", 0),
        ("corr(nothing, number)", None),
        ("regr_count(nothing, number)", 0),
        ("sum(duration)", timedelta(days=4)),
        ("avg(duration)", timedelta(days=1)),
        ("median(moment)", datetime(2020, 1, 2)),
        ("max(clock)", time(3)),
        ("min(view)", "a"),
        ("array_agg(view)", ["a", "b", "c", None]),
        ("string_agg(DISTINCT view, '+')", "a+b+c"),
        ("sum(half)", 6.5),
        ("max(half)", 3.0),
        ("max(struct)", {"a": 1, "b": "x"}),
        ("count(DISTINCT struct)", 3),
        ("array_agg(struct)", [{"a": 0, "b": "z"}, {"a": 1, "b": "a"}, {"a": 1, "b": "x"}, None]),
        ("arg_max(struct, moment)", {"a": 0, "b": "z"}),  # the latest row has no struct
        ("min(list)", [1]),
        ("first(list ORDER BY moment DESC NULLS FIRST)", [1]),
        ('count(DISTINCT "map")', 3),
        ('any_value("map")', []),
        ("max(huge)", 2**64 - 1),
        ("stddev_pop(huge)", pytest.approx(3**0.5 / 4 * 2**64)),
        ("approx_percentile(huge, 1)", pytest.approx(2**64)),
        ("json_group_array(list)", "[[1],[1,2],[3],null]"),
        ("json_group_object(view, struct)",
         '{"a":{"a":1,"b":"x"},"b":{"a":1,"b":"a"},"c":{"a":0,"b":"z"}}'),
    ],
)  # fmt: skip
def test_unusual_types(call: str, expected: Any) -> None:
    node = aggregate(_ROWS.schema, [call])
    found = run(node, [_ROWS.slice(0, 1), _ROWS.slice(1, 3)])
    found.validate(full=True)
    assert found["c0"].to_pylist() == [expected]


@pytest.mark.parametrize("name", _ROWS.schema.names)
def test_keys_of_unusual_types(name: str) -> None:
    node = aggregate(_ROWS.schema, ["count(*)"], [name])
    found = run(node, [_ROWS.slice(0, 1), _ROWS.slice(1, 3)])
    found.validate(full=True)
    distinct = {repr(value) for value in _ROWS[name].to_pylist()}
    assert {repr(value) for value in found[name].to_pylist()} == distinct
    assert found.num_rows == len(distinct)


@pytest.mark.parametrize("cut", [1, 2, 3])
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1e308, -1e308, 1.0], 1.0),
        ([float("inf"), 1.0, 2.0], float("inf")),
        ([float("inf"), float("-inf"), 2.0], None),
        ([float("nan"), 1.0, 2.0], None),
    ],
)
def test_floats_at_the_end_of_their_range(values: list[float], expected: float, cut: int) -> None:
    rows = pa.record_batch({"x": values})
    (found,) = run(aggregate(rows.schema, ["sum(x)"]), [rows[:cut], rows[cut:]])["c0"].to_pylist()
    assert found == expected or (expected is None and found != found)


@pytest.mark.parametrize("call", ["sum(x)", "avg(x)"])
def test_a_sum_of_floats_beyond_their_range_is_an_error(call: str) -> None:
    rows = pa.record_batch({"x": [1.5e308, 1.5e308]})
    node = aggregate(rows.schema, [call])
    for cut in (1, 2):
        with pytest.raises(FatalError, match="too large for double"):
            run(node, [rows[:cut], rows[cut:]])
