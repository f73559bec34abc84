"""Rows of values that Python has no type for."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from ferris_beam.batches import to_rows
from ferris_beam.batches.casting import shown

FAR = 253_402_300_800_000_000
"""The first microsecond of the year 10000."""

VALUES: list[tuple[pa.Array, Any]] = [
    (pa.array([1], pa.timestamp("ns")), "1970-01-01 00:00:00.000000001"),
    (pa.array([FAR], pa.timestamp("us")), "10000-01-01 00:00:00.000000"),
    (pa.array([FAR], pa.timestamp("us", "UTC")), "10000-01-01 00:00:00.000000Z"),
    (pa.array([[FAR]], pa.list_(pa.timestamp("us"))), "['10000-01-01 00:00:00.000000']"),
    (pa.array([{"x": FAR}], pa.struct([("x", pa.timestamp("us"))])), "{'x': '10000-01-01 00:00:0"),
]


@pytest.mark.parametrize(("column", "text"), VALUES, ids=lambda value: str(value)[:20])
def test_they_are_texts(column: pa.Array, text: str) -> None:
    (row,) = to_rows(pa.RecordBatch.from_arrays([column, pa.array([7])], names=["v", "i"]))
    assert str(row["v"]).startswith(text)
    assert row["i"] == 7
    assert shown(column[0]).startswith(text)
