"""Hive partitioning: what other readers make of our folders."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.connectors.file.partitions import NULL, Partitioning, escaped
from ferris_beam.errors import BadRecordError, SchemaError


def batch(**columns):
    return pa.record_batch(columns)


@given(
    st.lists(
        st.tuples(st.sampled_from(["DE", "a/b", "", None]), st.none() | st.integers(-2, 2)),
        max_size=40,
    )
)
def test_every_row_lands_in_the_folder_of_its_values_in_order(keys):
    records = pa.record_batch(
        {
            "id": pa.array(range(len(keys)), pa.int64()),
            "country": pa.array([key[0] for key in keys], pa.string()),
            "year": pa.array([key[1] for key in keys], pa.int8()),
        }
    )
    expected: dict[str, list[int]] = {}
    for at, (country, year) in enumerate(keys):
        folder = (
            f"country={country.replace('/', '%2F') if country else NULL}"
            f"/year={NULL if year is None else year}"
        )
        expected.setdefault(folder, []).append(at)
    found: dict[str, list[int]] = {}
    for folder, piece in Partitioning(("country", "year")).split(records):
        assert piece.schema.names == ["id"]
        found.setdefault(folder, []).extend(piece["id"].to_pylist())
    assert {folder: sorted(ids) for folder, ids in found.items()} == expected
    assert all(ids == sorted(ids) for folder, ids in found.items() if NULL not in folder)


def test_columns_of_many_values_are_told_apart():
    rows, columns = 1000, 8
    records = pa.record_batch(
        {"id": list(range(rows)), **{f"c{at}": list(range(rows)) for at in range(columns)}}
    )
    parts = list(Partitioning(tuple(f"c{at}" for at in range(columns))).split(records))
    assert [piece["id"].to_pylist() for _, piece in parts] == [[at] for at in range(rows)]
    assert parts[-1][0].endswith("/c7=999")


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (datetime.datetime(2026, 1, 2, 3, 4, 5), "2026-01-02 03%3A04%3A05.000000"),
        (True, "true"),
        (1.5, "1.5"),
        (Decimal("1.50"), "1.50"),
        ("100%", "100%25"),
        ("é ü", "é ü"),
        ("a=b\tc\x00", "a%3Db%09c%00"),
    ],
)
def test_values_become_text(value, name):
    records = batch(id=[1], key=pa.array([value]))
    assert [folder for folder, _ in Partitioning(("key",)).split(records)] == [f"key={name}"]


def test_dictionary_columns_are_their_values():
    records = batch(id=[1, 2, 3], key=pa.array(["a", None, "a"]).dictionary_encode())
    assert [folder for folder, _ in Partitioning(("key",)).split(records)] == [
        "key=a",
        f"key={NULL}",
    ]


def test_names_of_columns_are_escaped_too():
    records = pa.record_batch([pa.array([1]), pa.array(["x"])], names=["id", "a/b"])
    assert [folder for folder, _ in Partitioning(("a/b",)).split(records)] == ["a%2Fb=x"]
    assert escaped("plain-text_1.5") == "plain-text_1.5"


def test_a_value_too_long_for_a_folder_is_the_fault_of_its_row():
    records = batch(id=[1, 2, 3], key=["a", "ü" * 130, "b"])
    with pytest.raises(BadRecordError, match="more than 255 bytes") as caught:
        list(Partitioning(("key",)).split(records))
    assert caught.value.row == 1


def test_columns_that_make_no_folders_are_refused():
    records = batch(id=[1], nested=pa.array([[1]]), raw=pa.array([b"x"]))
    with pytest.raises(SchemaError, match=r"no column 'country'.*id, nested, raw"):
        list(Partitioning(("country",)).split(records))
    for name in ("nested", "raw"):
        with pytest.raises(SchemaError, match="makes no folder name"):
            list(Partitioning((name,)).split(records))
    with pytest.raises(SchemaError, match="nothing is left"):
        list(Partitioning(("id",)).split(batch(id=[1])))
