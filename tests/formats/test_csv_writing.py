"""Writing CSV: what is read back is what was written, also by others."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.errors import SchemaError
from tests.formats.memory import Unit, write

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6)
MICROS = st.datetimes(datetime(1700, 1, 1), datetime(9000, 1, 1))
COLUMNS = {
    "i": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "u": (pa.uint8(), st.integers(0, 255)),
    "f": (pa.float64(), st.floats(allow_nan=False)),
    "g": (pa.float32(), st.floats(allow_nan=False, width=32)),
    "s": (pa.string(), TEXT),
    "v": (pa.string_view(), TEXT),
    "c": (pa.dictionary(pa.int32(), pa.string()), TEXT),
    "b": (pa.bool_(), st.booleans()),
    "d": (pa.date32(), st.dates(date(1700, 1, 1), date(9000, 1, 1))),
    "t": (pa.timestamp("us"), MICROS),
    "z": (pa.timestamp("us", "Europe/Berlin"), MICROS),
    "h": (pa.time64("us"), st.times()),
    "n": (pa.decimal128(20, 3), st.decimals(-(10**15), 10**15, places=3)),
}
SCHEMA = pa.schema([(name, kind) for name, (kind, _) in COLUMNS.items()])
ROWS = st.lists(
    st.fixed_dictionaries({name: st.none() | values for name, (_, values) in COLUMNS.items()}),
    max_size=6,
)


@given(ROWS, ROWS, st.sampled_from([",", ";", "\t"]), st.sampled_from(list(COLUMNS)))
def test_what_is_written_is_read_back(
    first: list[dict[str, object]], second: list[dict[str, object]], delimiter: str, only: str
) -> None:
    batches = [pa.RecordBatch.from_pylist(rows, SCHEMA) for rows in (first, second)]
    data = write("csv", *batches, delimiter=delimiter)
    file = Unit(data, schema=SCHEMA, delimiter=delimiter, newlines_in_values=True)
    assert file.rows() == pa.Table.from_batches(batches).to_pylist()
    assert file.reasons() == []

    one = [batch.select([only]) for batch in batches]
    file = Unit(write("csv", *one), schema=one[0].schema, newlines_in_values=True)
    expected = pa.Table.from_batches(one).to_pylist()
    if only in "svc":  # alone, null can't be told from an empty text
        expected = [{only: row[only] or ""} for row in expected]
    assert file.rows() == expected


@given(st.lists(st.tuples(TEXT, TEXT), max_size=8))
def test_python_reads_it(rows: list[tuple[str, str]]) -> None:
    schema = pa.schema([("a", pa.string()), ("b", pa.string())])
    batch = pa.RecordBatch.from_pylist([{"a": a, "b": b} for a, b in rows], schema)
    text = io.StringIO(write("csv", batch).decode(), newline="")
    assert list(csv.reader(text)) == [["a", "b"], *(list(row) for row in rows)]


def test_duckdb_reads_it(tmp_path: Path) -> None:
    table = duckdb.sql(
        """SELECT i AS id, i / 7 AS ratio, 'a "name", ' || i AS name, i % 3 = 0 AS flag,
        DATE '2024-01-01' + i::INT AS day, TIMESTAMP '2024-01-01' + INTERVAL (i) SECOND AS at,
        CASE WHEN i % 5 = 0 THEN NULL ELSE i::DECIMAL(9, 2) END AS gaps FROM range(1000) t(i)"""
    ).to_arrow_table()
    path = tmp_path / "x.csv"
    path.write_bytes(write("csv", *table.to_batches()))
    found = duckdb.sql(f"FROM read_csv('{path}')").to_arrow_table()
    assert found.cast(table.schema).equals(table)


def test_texts_are_quoted_only_from_where_it_is_needed() -> None:
    plain = pa.RecordBatch.from_pydict({"id": [1, None], "s": ["x y", None]})
    comma = pa.RecordBatch.from_pydict({"id": [2, 3], "s": ["a,b", ""]})
    assert write("csv", plain, comma) == b'id,s\n1,x y\n,\n2,"a,b"\n3,""\n'
    assert write("csv", plain, header=False) == b"1,x y\n,\n"
    assert write("csv", plain.slice(0, 0)) == b"id,s\n"


def test_the_header_is_quoted_where_needed() -> None:
    batch = pa.RecordBatch.from_pydict({'a "b", c': [1], "d\ne": [2], "": [3]})
    assert write("csv", batch) == b'"a ""b"", c","d\ne",\n1,2,3\n'


@pytest.mark.parametrize("column", [pa.array([[1]]), pa.array([{"a": 1}]), pa.array([b"x"])])
def test_what_csv_cannot_hold_is_refused(column: pa.Array) -> None:
    with pytest.raises(SchemaError, match="column 'v': CSV can't hold"):
        write("csv", pa.RecordBatch.from_arrays([column], names=["v"]))


def test_other_types_are_written_as_their_text() -> None:
    batch = pa.RecordBatch.from_pydict(
        {
            "h": pa.array([time(1, 2, 3)]),
            "p": pa.array([timedelta(seconds=1)]),
            "n": pa.array([Decimal("1.50")]),
            "x": pa.nulls(1),
        }
    )
    assert write("csv", batch) == b"h,p,n,x\n01:02:03.000000,1000000,1.50,\n"
