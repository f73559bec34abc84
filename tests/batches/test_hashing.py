"""Partitions by hash: equal values meet, whatever batch, encoding or process they are in."""

from __future__ import annotations

import math
from collections import Counter
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.batches.hashing import hashes_of, partitions_of, split_by_partition

COLUMNS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "int64": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "uint8": (pa.uint8(), st.integers(0, 255)),
    "double": (pa.float64(), st.floats(allow_nan=False)),
    "text": (pa.string(), st.text(max_size=40)),
    "large text": (pa.large_string(), st.text(max_size=20)),
    "bytes": (pa.binary(), st.binary(max_size=20)),
    "boolean": (pa.bool_(), st.booleans()),
    "date": (pa.date32(), st.dates()),
    "time": (pa.timestamp("us", "UTC"), st.datetimes(timezones=st.just(timezone.utc))),
    "decimal": (pa.decimal128(20, 4), st.decimals(-(10**15), 10**15, places=4)),
    "list": (pa.list_(pa.int32()), st.lists(st.integers(0, 9), max_size=3)),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_equal_values_have_equal_hashes(name: str) -> None:
    kind, values = COLUMNS[name]

    @given(st.lists(st.none() | values, max_size=20), st.lists(st.none() | values, max_size=5))
    def holds(rows: list[Any], before: list[Any]) -> None:
        alone = [int(hashes_of(pa.array([row], kind))[0]) for row in rows]
        together = hashes_of(
            pa.array([*before, *rows, *before], kind).slice(len(before), len(rows))
        )
        assert together.tolist() == alone
        if name not in ("list",):
            coded = pa.array(rows, kind).dictionary_encode()
            assert hashes_of(coded).tolist() == alone
        for row, found in zip(rows, alone, strict=True):
            for other, expected in zip(rows, alone, strict=True):
                if row == other and (row is None) == (other is None):
                    assert found == expected

    holds()


def test_one_hash_for_nan_zero_and_null() -> None:
    other_nan = np.array([0x7FF8000000000001], np.uint64).view(np.float64)[0]
    found = hashes_of(pa.array([0.0, -0.0, math.nan, other_nan], from_pandas=False)).tolist()
    assert found[0] == found[1]
    assert found[2] == found[3]
    nulls = {int(hashes_of(pa.array([None], kind))[0]) for kind, _ in COLUMNS.values()}
    assert len(nulls) == 1


def test_integers_of_any_width_meet() -> None:
    kinds = (pa.int8(), pa.int16(), pa.int32(), pa.int64())
    assert len({tuple(hashes_of(pa.array([-7, 0, 100], kind)).tolist()) for kind in kinds}) == 1


def test_the_function_never_changes() -> None:
    """Ledgers remember partitions by number."""
    rows = pa.record_batch(
        {
            "i": pa.array([1, -1, None]),
            "s": ["", "Zürich", "a text that is longer than eight bytes"],
            "d": [Decimal("1.50"), Decimal("-3.25"), None],
            "t": [datetime(2026, 1, 1), None, datetime(1969, 12, 31)],
            "e": [date(2026, 1, 1), None, date(1969, 12, 31)],
            "x": [0.5, math.inf, None],
        }
    )
    found = {name: partitions_of(rows, [name], 1024).tolist() for name in rows.schema.names}
    assert found == {
        "i": [875, 64, 517],
        "s": [993, 344, 215],
        "d": [356, 135, 517],
        "t": [201, 517, 280],
        "e": [532, 517, 64],
        "x": [280, 585, 517],
    }


@pytest.mark.parametrize(
    "values",
    [
        pa.array(range(100_000)),
        pa.array(range(0, 100_000_000, 1000)),
        pa.array([f"customer-{number}" for number in range(100_000)]),
        pa.array(np.arange(100_000) / 8),
    ],
)
def test_spread(values: pa.Array) -> None:
    rows = pa.record_batch([values], ["k"])
    counts = Counter(partitions_of(rows, ["k"], 8).tolist())
    assert max(counts.values()) < 1.05 * len(values) / 8


def test_split_keeps_rows_and_order() -> None:
    rows = pa.record_batch({"k": [n % 13 for n in range(1000)], "n": list(range(1000))})
    parts = split_by_partition(rows, ["k"], 4)
    assert sorted(n for _, part in parts for n in part["n"].to_pylist()) == list(range(1000))
    for partition, part in parts:
        numbers = part["n"].to_pylist()
        assert numbers == sorted(numbers)
        assert set(partitions_of(part, ["k"], 4).tolist()) == {partition}
    assert split_by_partition(rows.slice(0, 0), ["k"], 4) == []
    assert split_by_partition(rows, [], 4)[0][0] == 0
