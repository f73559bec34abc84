"""Batches, their coder, and the ways in and out of them."""

from __future__ import annotations

import pickle
from collections import namedtuple
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.batches import Batch, Rebatcher, from_ipc, from_rows, pieces, to_ipc, to_rows
from ferris_beam.batches.coder import BatchCoder, RecordsCoder
from ferris_beam.errors import BadRecordError, SchemaError
from ferris_beam.interval import Interval, Origin

ORIGIN = Origin(("Read", "Map"), Interval("file:///a.csv", 3, 1 << 80), "12-34", True, ((1, 3),))

SAMPLES = {
    "empty": pa.record_batch([pa.array([], pa.int64())], names=["a"]),
    "no columns": pa.RecordBatch.from_pylist([]),
    "nulls": pa.record_batch([pa.array([None, 1], pa.int8())], names=["a"]),
    "dictionary": pa.record_batch([pa.array(["x", "y", "x"]).dictionary_encode()], names=["a"]),
    "nested": pa.RecordBatch.from_pylist([{"a": [{"b": 1, "c": ["x"]}], "m": {"k": None}}]),
    "decimal": pa.record_batch([pa.array([Decimal("1.10")], pa.decimal128(38, 2))], names=["a"]),
    "wide decimal": pa.record_batch([pa.array([Decimal(9**50)], pa.decimal256(60))], names=["a"]),
    "binary": pa.record_batch([pa.array([b"\xff\x00", b""])], names=["a"]),
    "zoned": pa.record_batch(
        [pa.array([datetime(1960, 1, 1, tzinfo=timezone.utc)], pa.timestamp("us", "Asia/Tokyo"))],
        names=["a"],
    ),
    "large": pa.record_batch(
        [pa.array(["x"], pa.large_string()), pa.array([[1]], pa.large_list(pa.int8()))],
        names=["a", "b"],
    ),
    "metadata": pa.record_batch(
        [pa.array([1])], schema=pa.schema([("a", pa.int64())], metadata={"k": "v"})
    ),
}


@pytest.mark.parametrize("records", SAMPLES.values(), ids=SAMPLES.keys())
@pytest.mark.parametrize("origin", [None, ORIGIN])
def test_the_coder_gives_back_what_it_took(records: pa.RecordBatch, origin: Origin | None) -> None:
    batch = Batch(records, origin)
    coder = BatchCoder()
    again = coder.decode(coder.encode(batch))
    assert again.records.equals(records, check_metadata=True)
    assert again.origin == origin
    assert coder.get_impl().estimate_size(batch) >= records.nbytes


@pytest.mark.parametrize("records", SAMPLES.values(), ids=SAMPLES.keys())
def test_pickle_and_the_coder_of_bare_records_agree(records: pa.RecordBatch) -> None:
    assert pickle.loads(pickle.dumps(records)).equals(records)
    assert RecordsCoder().decode(RecordsCoder().encode(records)).equals(records)


def test_a_slice_travels_without_its_parent() -> None:
    part = pa.record_batch([pa.array(range(100_000))], names=["a"]).slice(500, 100)
    assert len(to_ipc(part)) < 3_000
    assert len(pickle.dumps(Batch(part, ORIGIN))) < 3_000
    assert from_ipc(to_ipc(part)).equals(part)


def test_beam_finds_the_coders_by_type() -> None:
    assert isinstance(beam.coders.registry.get_coder(Batch), BatchCoder)
    assert isinstance(beam.coders.registry.get_coder(pa.RecordBatch), RecordsCoder)
    assert pickle.loads(pickle.dumps(BatchCoder())) == BatchCoder()
    assert BatchCoder() != RecordsCoder()


def test_a_batch_offers_columns_and_the_arrow_interface() -> None:
    batch = Batch(pa.record_batch([pa.array([1, 2])], names=["a"]), ORIGIN)
    assert batch["a"].to_pylist() == [1, 2]
    assert len(batch) == batch.num_rows == 2
    assert pa.record_batch(batch).equals(batch.records)
    other = batch.replace(batch.records.slice(1))
    assert other.origin is batch.origin
    assert other["a"].to_pylist() == [2]
    with pytest.raises(AttributeError):
        batch.records = batch.records  # type: ignore[misc]


@given(st.lists(st.integers(0, 30), max_size=12), st.integers(1, 20))
def test_rebatching_keeps_all_rows_in_order(sizes: list[int], max_rows: int) -> None:
    rebatcher = Rebatcher(max_rows)
    given_rows: list[int] = []
    out: list[pa.RecordBatch] = []
    for size in sizes:
        rows = list(range(len(given_rows), len(given_rows) + size))
        given_rows += rows
        out += rebatcher.add(pa.record_batch([pa.array(rows, pa.int64())], names=["a"]))
    assert all(records.num_rows == max_rows for records in out)
    out += rebatcher.flush()
    assert [x for records in out for x in records["a"].to_pylist()] == given_rows
    assert all(0 < records.num_rows <= max_rows for records in out)


def test_a_change_of_schema_is_a_border() -> None:
    rebatcher = Rebatcher(10)
    assert list(rebatcher.add(pa.record_batch([pa.array([1])], names=["a"]))) == []
    (first,) = rebatcher.add(pa.record_batch([pa.array(["x"])], names=["b"]))
    assert first.schema.names == ["a"]
    (second,) = rebatcher.flush()
    assert second.schema.names == ["b"]


def test_pieces_of_an_empty_batch_are_one_empty_piece() -> None:
    assert [piece.num_rows for piece in pieces(SAMPLES["empty"], 5)] == [0]


Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    "row", [{"x": 1, "y": "a"}, beam.Row(x=1, y="a"), Point(1, "a")], ids=["dict", "Row", "tuple"]
)
def test_rows_of_any_kind_become_batches(row: Any) -> None:
    assert to_rows(from_rows([row, row])) == [{"x": 1, "y": "a"}] * 2


def test_rows_with_different_keys_are_united_in_order_of_appearance() -> None:
    records = from_rows([{"a": 1}, {"b": None}, {"c": 2.5, "a": 3}])
    assert records.schema.names == ["a", "b", "c"]
    assert records["a"].to_pylist() == [1, None, 3]


def test_what_does_not_fit_is_told() -> None:
    with pytest.raises(SchemaError, match="column 'a' holds values of different types"):
        from_rows([{"a": 1}, {"a": "x"}])
    with pytest.raises(BadRecordError, match="row 1 does not fit") as caught:
        from_rows([{"a": 1}, {"a": "x"}], pa.schema([("a", pa.int64())]))
    assert caught.value.row == 1
    with pytest.raises(SchemaError, match="not int"):
        from_rows([5])
