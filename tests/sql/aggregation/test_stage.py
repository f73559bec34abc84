"""What a stage holds back, puts out and asks for, apart from what it computes."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferris_beam.errors import BadRecordError, SqlError
from ferris_beam.sql.aggregation import plan_aggregate
from ferris_beam.sql.aggregation.stage import AggregatePreparation
from tests.sql.aggregation.stages import aggregate, cut, run

_CALLS = [
    "count(*)", "sum(v)", "avg(f)", "min(s)", "stddev(f)", "count(DISTINCT s)", "median(v)",
    "array_agg(v)", "arg_max(s, v)", "approx_count_distinct(v)", "approx_percentile(f, 0.5)",
    "string_agg(s, '')", "bit_xor(v)", "bool_or(v > 3)", "top_k(s, 2)", "corr(v, f)",
]  # fmt: skip


def _rows(count: int, keys: int = 5, seed: int = 0) -> pa.RecordBatch:
    random = np.random.default_rng(seed)
    return pa.record_batch(
        {
            "k": random.integers(0, keys, count),
            "v": pa.array(random.integers(-9, 9, count), mask=random.random(count) < 0.2),
            "f": random.normal(0, 1, count),
            "s": pa.array([f"s{n}" for n in random.integers(0, 9, count)]),
        }
    )


@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(0, 60),
    keys=st.sampled_from([1, 5, 1000]),
    seed=st.integers(0, 999),
    partitions=st.integers(1, 4),
    bundle=st.integers(1, 8),
)
def test_results_depend_on_the_rows_only(
    count: int, keys: int, seed: int, partitions: int, bundle: int
) -> None:
    rows = _rows(count, keys, seed)
    node = aggregate(rows.schema, _CALLS, ["k"])
    plan = plan_aggregate(node)
    whole = _by_key(run(node, [rows], 1, 1, plan))
    pieces = _by_key(run(node, cut(rows, seed, 9), partitions, bundle, plan))
    assert whole.keys() == pieces.keys()
    for key, values in whole.items():
        for name, one, other in zip(_CALLS, values, pieces[key], strict=True):
            assert one == (pytest.approx(other, rel=1e-9) if isinstance(one, float) else other), (
                name
            )


def _by_key(table: pa.Table) -> dict[Any, list[Any]]:
    return {row.pop("k"): list(row.values()) for row in table.to_pylist()}


def test_a_global_aggregate_has_one_row_also_without_input() -> None:
    node = aggregate(_rows(0).schema, ["count(*)", "sum(v)", "array_agg(v)", "count(DISTINCT v)"])
    expected = [{"c0": 0, "c1": None, "c2": None, "c3": 0}]
    assert run(node, []).to_pylist() == expected
    assert run(node, [_rows(0)] * 3).to_pylist() == expected


def test_every_function_has_a_value_for_no_rows() -> None:
    node = aggregate(_rows(0).schema, _CALLS)
    (row,) = run(node, []).to_pylist()
    with_value = [
        name for name, value in zip(_CALLS, row.values(), strict=True) if value is not None
    ]
    assert with_value == ["count(*)", "count(DISTINCT s)", "approx_count_distinct(v)"]


def test_with_keys_and_without_input_there_is_no_row() -> None:
    node = aggregate(_rows(0).schema, ["count(*)"], ["k"])
    assert run(node, [_rows(0)]).num_rows == 0
    completion = plan_aggregate(node).completion
    (nothing,) = completion.results(1, [[]])
    assert nothing.schema == node.schema


def test_states_are_put_out_when_there_are_too_many() -> None:
    plan = plan_aggregate(aggregate(_rows(0).schema, ["sum(v)"], ["k"]))
    preparation = AggregatePreparation(
        plan.preparation.inputs, plan.preparation.aggregation, held_rows=500
    )
    preparation.open()
    put_out = [
        sum(state.num_rows for state in preparation.add(_rows(1_000, 200, seed), None))
        for seed in range(20)
    ]
    put_out.append(sum(state.num_rows for state in preparation.flush()))
    assert max(put_out) <= 700
    assert len([rows for rows in put_out if rows]) > 1
    assert list(preparation.flush()) == []


def test_few_groups_leave_as_one_small_state() -> None:
    plan = plan_aggregate(aggregate(_rows(0).schema, ["sum(v)", "avg(f)"], ["k"]))
    plan.preparation.open()
    for seed in range(30):
        assert list(plan.preparation.add(_rows(1_000, 5, seed), None)) == []
    (state,) = plan.preparation.flush()
    assert state.num_rows == 5


def test_rows_go_on_as_they_are_where_groups_are_many() -> None:
    plan = plan_aggregate(aggregate(_rows(0).schema, ["sum(v)", "avg(f)"], ["k"]))
    plan.preparation.open()
    first, second = _rows(100, 10**9, 1), _rows(100, 10**9, 2)
    assert list(plan.preparation.add(first, None)) == []
    (passed,) = plan.preparation.add(second, None)
    assert passed.num_rows == 100
    assert passed.schema.names == ["k0", "a1", "a2"]
    assert plan.preparation.key_columns == ("k0",)


def test_rows_of_a_partition_come_in_batches_of_bounded_size() -> None:
    keys = np.arange(150_000)
    rows = pa.record_batch({"k": keys})
    plan = plan_aggregate(aggregate(rows.schema, ["count(*)"], ["k"]))
    plan.preparation.open()
    states = [*plan.preparation.add(rows, None), *plan.preparation.flush()]
    found = list(plan.completion.results(0, [states]))
    assert sum(batch.num_rows for batch in found) == 150_000
    assert max(batch.num_rows for batch in found) <= 65_536


def test_states_beyond_the_limit_are_merged_in_shares() -> None:
    rows = _rows(3_000, 500)
    node = aggregate(rows.schema, ["sum(v)", "count(DISTINCT s)"], ["k"])
    bounded = plan_aggregate(node, memory_limit=2_000)
    whole = run(node, cut(rows, 1))
    pieces = run(node, cut(rows, 1), plan=bounded)
    assert _by_key(pieces) == _by_key(whole)
    assert pieces.num_rows == whole.num_rows


def test_expressions_are_computed_once_and_faults_are_the_rows() -> None:
    rows = pa.record_batch({"k": [1, 0, 2], "v": [1, 2, 3]})
    node = aggregate(rows.schema, ["sum(v // k)", "avg(v // k)", "max(v // k)"])
    plan = pickle.loads(pickle.dumps(plan_aggregate(node)))
    assert len(plan.preparation.inputs.schema) == 1
    plan.preparation.open()
    with pytest.raises(BadRecordError, match="zero"):
        plan.preparation.add(rows, None)
    good = rows.filter(pc.not_equal(rows["k"], 0))
    assert run(node, [good], plan=plan).to_pylist() == [{"c0": 2, "c1": 1.0, "c2": 1}]


def test_the_description_changes_with_the_query() -> None:
    schema = _rows(0).schema
    filtered = ("sum(v) FILTER (WHERE f > 1)", "string_agg(s, '')", "string_agg(s, '-')")
    calls = ("sum(v)", "sum(f)", "avg(v)", *filtered)
    texts = {
        plan_aggregate(aggregate(schema, [call], ["k"])).completion.description() for call in calls
    }
    preparations = {
        plan_aggregate(aggregate(schema, [f"sum({text})"], ["k"])).preparation.description()
        for text in ("v + 1", "v + 2")
    }
    assert len(texts) == 6
    assert len(preparations) == 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("first(v)", "needs an order"),
        ("quantile_cont(v, 2)", "from 0 to 1"),
        ("quantile_cont(v, f)", "literal number"),
        ("string_agg(s, s)", "literal text"),
        ("top_k(s, 0)", "1 or more"),
        ("array_agg(DISTINCT s ORDER BY v)", "ordered by its own value only"),
    ],
)
def test_calls_that_can_not_be_computed(call: str, message: str) -> None:
    with pytest.raises(SqlError, match=message):
        plan_aggregate(aggregate(_rows(0).schema, [call], types=[pa.string()]))
