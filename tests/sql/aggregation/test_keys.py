"""Keys of every type: what is equal is one group."""

from __future__ import annotations

import math
from collections import Counter
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferris_beam.sql.aggregation.codes import codes_of
from tests.sql.aggregation.stages import aggregate, cut, run

_UTC = timezone.utc
_COLUMNS: list[tuple[pa.DataType, list[Any]]] = [
    (pa.bool_(), [True, False, None, True]),
    (pa.int8(), [1, -128, 127, None, 1]),
    (pa.int64(), [-(2**63), 2**63 - 1, None, 0, 0]),
    (pa.uint64(), [2**64 - 1, 0, None, 2**63, 2**63]),
    (pa.float64(), [1.5, math.inf, -math.inf, None, 1.5]),
    (pa.float32(), [1.5, None, 1.5]),
    (pa.string(), ["a", "", None, "ä", "a"]),
    (pa.large_string(), ["a", None, "a"]),
    (pa.binary(), [b"a", b"", None, b"a"]),
    (pa.decimal128(20, 2), [Decimal("1.50"), Decimal("-0.01"), None, Decimal("1.5")]),
    (pa.date32(), [date(1969, 12, 31), None, date(2024, 2, 29), date(1969, 12, 31)]),
    (pa.timestamp("us", "UTC"), [datetime(1960, 1, 1, tzinfo=_UTC), None]),
    (pa.dictionary(pa.int8(), pa.string()), ["a", None, "b", "a"]),
    (pa.list_(pa.int64()), [[1, 2], [], None, [1], [2], [1, 2], [None]]),
    (pa.list_(pa.list_(pa.string())), [[["a"], []], [["a"]], [[], ["a"]], [["a"], []], None]),
    (pa.struct({"a": pa.int64(), "b": pa.string()}), [{"a": 1, "b": "x"}, {"a": 1, "b": None}, None,
                                                     {"a": 1, "b": "x"}, {"a": None, "b": None}]),
    (pa.null(), [None, None]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "values"), _COLUMNS, ids=[str(kind) for kind, _ in _COLUMNS])
def test_equal_values_are_one_group(kind: pa.DataType, values: list[Any]) -> None:
    rows = pa.record_batch({"k": pa.array(values * 3, kind)})
    node = aggregate(rows.schema, ["count(*)"], ["k"])
    expected = Counter(map(repr, rows["k"].to_pylist()))
    for seed in range(3):
        found = run(node, cut(rows, seed), partitions=seed + 1).to_pylist()
        assert {repr(row["k"]): row["c0"] for row in found} == expected


def test_nan_equals_nan_and_both_zeros_are_one() -> None:
    other_nan = np.array([0x7FF8000000000123], np.uint64).view(np.float64)[0]
    values = [math.nan, other_nan, -math.nan, 0.0, -0.0, None]
    rows = pa.record_batch({"k": pa.array(values, pa.float64(), from_pandas=False)})
    found = run(aggregate(rows.schema, ["count(*)"], ["k"]), cut(rows, 4)).to_pylist()
    assert sorted((str(row["k"]), row["c0"]) for row in found) == [
        ("0.0", 2),
        ("None", 1),
        ("nan", 3),
    ]


_KEYS = st.tuples(
    st.none() | st.sampled_from(["", "a", "b"]),
    st.none() | st.integers(-3, 3) | st.sampled_from([-(2**62), 2**62]),
    st.none() | st.floats(allow_nan=False, width=16),
    st.none() | st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(keys=st.lists(_KEYS, max_size=60), seed=st.integers(0, 99))
def test_several_keys_together(keys: list[tuple[Any, ...]], seed: int) -> None:
    kinds = (pa.string(), pa.int64(), pa.float64(), pa.bool_())
    columns = [pa.array([key[n] for key in keys], kind) for n, kind in enumerate(kinds)]
    rows = pa.record_batch(columns, names=list("abcd"))
    found = run(aggregate(rows.schema, ["count(*)"], list("abcd")), cut(rows, seed))
    assert {tuple(row.values())[:4]: row["c0"] for row in found.to_pylist()} == Counter(keys)


def test_distinct_has_no_calls() -> None:
    rows = pa.record_batch({"a": ["x", "y", "x", None], "b": [1, 1, 1, None]})
    found = run(aggregate(rows.schema, [], ["a", "b"]), cut(rows, 0)).to_pylist()
    assert {(row["a"], row["b"]) for row in found} == {("x", 1), ("y", 1), (None, None)}
    assert len(found) == 3


def test_many_keys_of_which_few_repeat() -> None:
    random = np.random.default_rng(3)
    keys = random.integers(0, 40_000, 50_000)
    values = random.integers(0, 100, 50_000)
    rows = pa.record_batch({"k": keys, "v": values})
    node = aggregate(rows.schema, ["sum(v)", "count(DISTINCT v)"], ["k"])
    found = run(node, cut(rows, 1), bundle=3)
    expected = np.bincount(keys, values, 40_000)
    assert found.num_rows == len(set(keys.tolist()))
    assert (expected[found["k"].to_numpy()] == found["c0"].to_numpy()).all()


def test_rows_come_out_by_window_and_key() -> None:
    rows = pa.record_batch({"k": ["b", None, "a", "c"]})
    found = run(aggregate(rows.schema, ["count(*)"], ["k"]), cut(rows, 1), partitions=1)
    assert found["k"].to_pylist() == ["a", "b", "c", None]


@given(
    dictionaries=st.lists(
        st.lists(st.sampled_from(["a", "b", "c", "", None]), min_size=1, max_size=5),
        min_size=1,
        max_size=8,
    ),
    seed=st.integers(0, 999),
)
@settings(max_examples=60, deadline=None)
def test_batches_with_dictionaries_of_their_own(
    dictionaries: list[list[str | None]], seed: int
) -> None:
    """Equal ones that come again, others, values that stand in one twice, NULL in it or beside."""
    random = np.random.default_rng(seed)
    batches = []
    for values in [*dictionaries, *dictionaries]:
        indices = random.integers(0, len(values), 6)
        missing = random.random(6) < 0.2
        keys = pa.DictionaryArray.from_arrays(
            pa.array(indices, mask=missing), pa.array(values, pa.string())
        )
        batches.append(pa.record_batch({"k": keys}))
    node = aggregate(batches[0].schema, ["count(*)"], ["k"])
    expected = Counter(key for batch in batches for key in batch["k"].to_pylist())
    found = run(node, batches, partitions=2).to_pylist()
    assert {row["k"]: row["c0"] for row in found} == expected


def test_dictionaries_are_coded_once_and_few_are_remembered() -> None:
    parent = pa.array([f"value {number}" for number in range(10_000)])
    before = pa.total_allocated_bytes()
    for start in range(0, 10_000, 100):
        indices = pa.array(np.arange(100))
        dictionary = pa.array(parent.slice(start, 100).to_pylist())
        first = codes_of(pa.DictionaryArray.from_arrays(indices, dictionary))
        again = codes_of(pa.DictionaryArray.from_arrays(indices, pa.array(dictionary.to_pylist())))
        assert first[0].tolist() == again[0].tolist() == list(range(100))
    assert pa.total_allocated_bytes() - before < 1 << 16


@pytest.mark.parametrize("kind", [pa.int64(), pa.float64(), pa.string(), pa.uint64()])
def test_rows_come_out_in_the_order_of_all_their_keys(kind: pa.DataType) -> None:
    """Also where the differences of the keys don't fit into 64 bits together; NULL comes last."""
    wide = {
        pa.int64(): [-(2**63), -1, 0, 2**63 - 1],
        pa.float64(): [-math.inf, -1.5, 0.0, 1e300],
        pa.string(): ["", "a", "b", "ä"],
        pa.uint64(): [0, 1, 2**63, 2**64 - 1],
    }[kind]
    others = (-(2**63), 0, 2**63 - 1, None)
    pairs = [(first, second) for first in (*wide, None) for second in others]
    columns = [
        pa.array([first for first, _ in pairs], kind),
        pa.array([second for _, second in pairs], pa.int64()),
    ]
    rows = pa.record_batch(columns, ["k", "l"])
    shuffled = rows.take(pa.array(np.random.default_rng(1).permutation(len(pairs))))
    found = run(aggregate(rows.schema, ["count(*)"], ["k", "l"]), cut(shuffled, 3), partitions=1)
    assert [(row["k"], row["l"]) for row in found.to_pylist()] == pairs
