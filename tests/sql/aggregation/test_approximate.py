"""Approximate functions: near enough, and always the same."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from tests.sql.aggregation.stages import aggregate, cut, once, run


@pytest.mark.parametrize("count", [0, 1, 10, 1_000, 30_000, 200_000])
def test_distinct_counts_within_five_percent(count: int) -> None:
    values = np.random.default_rng(count).integers(0, 2**60, count)
    rows = pa.record_batch({"v": np.concatenate([values, values])})
    (found,) = once("approx_count_distinct(v)", rows)
    assert found == pytest.approx(len(set(values.tolist())), rel=0.05)
    assert count > 10 or found == count


def test_distinct_counts_are_right_on_the_mean() -> None:
    keys = np.repeat(np.arange(100), 5_000)
    values = np.arange(len(keys))
    rows = pa.record_batch({"k": keys, "v": pa.array(values).cast(pa.string())})
    found = run(aggregate(rows.schema, ["approx_count_distinct(v)"], ["k"]), [rows])
    errors = found["c0"].to_numpy() / 5_000 - 1
    assert abs(errors.mean()) < 0.006
    assert errors.std() < 0.025


@pytest.mark.parametrize("scale", [1.0, 1e-200, 1e200, -1.0])
def test_percentiles_within_a_fifth_of_a_percent(scale: float) -> None:
    values = np.random.default_rng(5).lognormal(0, 2, 40_000) * scale
    rows = pa.record_batch({"v": values})
    found = once([f"approx_percentile(v, {share})" for share in (0.0, 0.1, 0.5, 0.99)], rows)
    exact = np.quantile(values, [0.0, 0.1, 0.5, 0.99])
    assert found == pytest.approx(exact.tolist(), rel=0.0025)


def test_percentiles_of_few_values_are_exact() -> None:
    rows = pa.record_batch({"v": [3, 1, 2, None]})
    assert once(["approx_percentile(v, 0.5)", "approx_median(v)"], rows) == [2.0, 2.0]


def test_percentiles_do_not_depend_on_order_and_cuts() -> None:
    random = np.random.default_rng(7)
    values = np.concatenate([random.normal(0, 1, 3_000), [0.0, -0.0, 1e308, -1e-308]])
    rows = pa.record_batch({"k": random.integers(0, 3, len(values)), "v": values})
    node = aggregate(rows.schema, ["approx_percentile(v, 0.37)"], ["k"])
    results = {
        str(sorted(run(node, cut(rows, seed, 2 + seed), bundle=1 + seed).to_pylist(), key=str))
        for seed in range(6)
    }
    assert len(results) == 1


def test_infinities_and_nan_are_values() -> None:
    rows = pa.record_batch({"v": [-math.inf, 1.0, math.inf]})
    assert once(["approx_percentile(v, 0)", "approx_percentile(v, 1)"], rows) == [
        -math.inf,
        math.inf,
    ]
