"""JSON Lines: what Python's json module reads, and nothing that it does not."""

from __future__ import annotations

import json
import math
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.errors import SchemaError
from tests.formats.memory import Unit, grid_of, spans, write

SCHEMA = pa.schema(
    [
        ("i", pa.int64()),
        ("f", pa.float64()),
        ("s", pa.string()),
        ("b", pa.bool_()),
        ("l", pa.list_(pa.int64())),
        ("o", pa.struct([("x", pa.int64()), ("y", pa.string())])),
    ]
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
INTEGER = st.integers(-(2**63), 2**63 - 1) | st.integers(-100, 100)
NESTED = st.fixed_dictionaries({}, optional={"x": st.none() | INTEGER, "y": st.none() | TEXT})
GOOD = st.fixed_dictionaries(
    {},
    optional={
        "i": st.none() | INTEGER,
        "f": st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-9, 9),
        "s": st.none() | TEXT,
        "b": st.none() | st.booleans(),
        "l": st.none() | st.lists(st.none() | INTEGER, max_size=3),
        "o": st.none() | NESTED,
        "more": st.none() | TEXT | st.lists(INTEGER, max_size=2),
    },
)
BAD = st.sampled_from(
    [
        "{",
        "}",
        "x",
        "[1]",
        "5",
        "null",
        '"s"',
        '{"i":}',
        '{"i":2.5}',
        '{"i":9223372036854775808}',
        '{"i":-9223372036854775809}',
        '{"i":1e30}',
        '{"i":true}',
        '{"i":[1]}',
        '{"i":"x"}',
        '{"f":"x"}',
        '{"f":NaN}',
        '{"s":1}',
        '{"s":{}}',
        '{"b":1}',
        '{"l":1}',
        '{"l":[1.5]}',
        '{"o":1}',
        '{"o":{"x":2.5}}',
        '{"i":1} x',
        '{"s":"\\ud83d"}',
        '{"i":1',
    ]
)


def expected(row: dict[str, Any]) -> dict[str, Any]:
    """A row as Arrow has it: all columns, and all fields of the struct."""
    found = {name: row.get(name) for name in SCHEMA.names}
    if found["o"] is not None:
        found["o"] = {"x": None, "y": None, **found["o"]}
    return found


@given(
    st.lists(GOOD | BAD, max_size=12),
    st.booleans(),
    st.sampled_from(["\n", "\r\n", "\n\n", "\n \t\n"]),
    st.integers(5, 200),
    st.lists(st.integers(0, 1000), max_size=3),
    st.sampled_from(["x.jsonl", "x.ndjson.gz"]),
)
def test_good_lines_are_read_and_bad_ones_rejected(
    rows: list[dict[str, Any] | str],
    ascii_only: bool,
    line_end: str,
    cell: int,
    cuts: list[int],
    name: str,
) -> None:
    lines = [
        row if isinstance(row, str) else json.dumps(row, ensure_ascii=ascii_only) for row in rows
    ]
    data = "".join(line + line_end for line in lines).encode()
    with grid_of(cell):
        file = Unit(data, name, SCHEMA, extra_keys="ignore")
        intervals = spans(cuts, file.extent.end)
        pieces = [piece for start, end in intervals for piece in file.pieces(start, end)]
    found = [row for piece in pieces for row in piece.records.to_pylist()]
    assert found == [expected(row) for row in rows if isinstance(row, dict)]
    bad = [row for piece in pieces for row in piece.bad_rows]
    assert [row.payload.decode().strip() for row in bad] == [r for r in rows if isinstance(r, str)]
    for row in bad:
        offset = int(row.place.split("byte ")[1].split(" ")[0].replace(",", ""))
        assert data[offset:].startswith(row.payload)


@pytest.mark.parametrize(
    ("line", "reason", "category"),
    [
        (b'{"i" 1}', "not JSON: Expecting ':' delimiter at character 6", "parsing"),
        (b'{"i":1}{"i":2}', "not JSON: Extra data at character 8", "parsing"),
        (b'{"s":"\xff"}', "not UTF-8: byte 7 is 0xff", "parsing"),
        (b"[1]", "an array where an object was expected", "schema"),
        (b"null", "null where an object was expected", "schema"),
        (b'{"i":2.5}', "i: 2.5 is not an int64", "schema"),
        (b'{"i":"x","s":5}', 'i: "x" is not an int64; s: 5 is not a string', "schema"),
        (b'{"i":18446744073709551616}', "i: 18446744073709551616 is not an int64", "schema"),
        (b'{"o":{"x":2.5}}', 'o: {"x": 2.5} is not a struct<x: int64, y: string>', "schema"),
        (
            b'{"f":NaN}',
            "not JSON: NaN is no number (RFC 8259); write null, or put it in quotes",
            "parsing",
        ),
    ],
)
def test_reasons_are_in_plain_words(line: bytes, reason: str, category: str) -> None:
    file = Unit(b'{"i":1}\n' + line + b"\n", "x.jsonl", SCHEMA)
    (piece,) = file.pieces()
    (bad,) = piece.bad_rows
    assert (bad.reason, bad.category) == (reason, category)
    assert bad.place == "line 2 (byte 8 of x.jsonl)"
    assert piece.records.num_rows == 1


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (pa.int64(), "9007199254740993", 9007199254740993),
        (pa.int64(), '"7"', 7),
        (pa.int64(), "2.0", 2),
        (pa.int64(), "1e3", 1000),
        (pa.int8(), "127", 127),
        (pa.uint64(), "18446744073709551615", 18446744073709551615),
        (pa.float64(), "3", 3.0),
        (pa.float32(), "0.5", 0.5),
        (pa.decimal128(20, 2), "123456789012345678.25", Decimal("123456789012345678.25")),
        (pa.decimal128(20, 2), '"1.5"', Decimal("1.50")),
        (pa.date32(), '"2024-01-31"', date(2024, 1, 31)),
        (pa.timestamp("us"), '"2024-01-31T10:00:00.5"', datetime(2024, 1, 31, 10, 0, 0, 500000)),
        (
            pa.timestamp("us", "UTC"),
            '"2024-01-31T10:00:00+01:00"',
            datetime(2024, 1, 31, 9, tzinfo=timezone.utc),
        ),
        (pa.dictionary(pa.int32(), pa.string()), '"x"', "x"),
        (pa.large_string(), '"x"', "x"),
        (pa.list_(pa.date32()), '["2024-01-31", null]', [date(2024, 1, 31), None]),
        (pa.map_(pa.string(), pa.int64()), '{"a": 1, "b": null}', [("a", 1), ("b", None)]),
        (pa.int64(), '1, "v": 2', 2),
    ],
)
def test_values_become_what_the_schema_says(kind: pa.DataType, value: str, expected: Any) -> None:
    file = Unit(f'{{"v": {value}}}\n{{}}\n'.encode(), "x.jsonl", pa.schema([("v", kind)]))
    assert file.rows() == [{"v": expected}, {"v": None}]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (pa.int8(), "128"),
        (pa.uint64(), "-1"),
        (pa.float32(), "1e300"),
        (pa.decimal128(5, 2), "1234.5"),
        (pa.decimal128(5, 2), "1.555"),
        (pa.timestamp("us"), "1704067200"),
        (pa.timestamp("us"), '"2024-01-31T10:00:00.123456789"'),
        (pa.timestamp("us"), '"2024-01-31T10:00:00Z"'),
        (pa.timestamp("us", "UTC"), '"2024-01-31T10:00:00"'),
        (pa.date32(), '"2024-02-30"'),
        (pa.list_(pa.int8()), "[1, 128]"),
    ],
)
def test_values_that_would_change_are_rejected(kind: pa.DataType, value: str) -> None:
    """arrow-rs takes most of these, and gives something else."""
    file = Unit(f'{{"v": {value}}}\n{{}}\n'.encode(), "x.jsonl", pa.schema([("v", kind)]))
    assert file.rows() == [{"v": None}]
    (reason,) = file.reasons()
    assert reason.startswith("v: ")
    assert f"{kind}" in reason


def test_a_mark_and_blank_lines_are_no_rows() -> None:
    file = Unit(b'\xef\xbb\xbf{"a":1}\n\n  \n{"a":2}', "x.jsonl")
    assert file.rows() == [{"a": 1}, {"a": 2}]


# ── types ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "null"], pa.int64()),
        (["1", "2.5"], pa.float64()),
        (["1", "x"], pa.int64()),
        (["1.5", "9223372036854775807", "x"], pa.float64()),
        (["true"], pa.bool_()),
        (['"x"'], pa.string()),
        (['"x"', "1"], pa.string()),
        (["null"], pa.string()),
        (['"2024-01-31"'], pa.date32()),
        (['"2024-01-31"', '"2024-01-31 10:00"'], pa.timestamp("us")),
        (['"2024-01-31T10:00:00.123456"'], pa.timestamp("us")),
        (['"2024-01-31T10:00:00.123456789"'], pa.timestamp("ns")),
        (['"2024-01-31T10:00:00Z"'], pa.timestamp("us", "UTC")),
        (['"2024-01-31T10:00:00Z"', '"2024-01-31T10:00:00"'], pa.string()),
        (["[1]", "[]"], pa.list_(pa.int64())),
        (["[]"], pa.list_(pa.string())),
        (['["2024-01-31T10:00:00Z"]'], pa.list_(pa.string())),
        (
            ['{"x": null, "y": {}}'],
            pa.struct([("x", pa.string()), ("y", pa.map_(pa.string(), pa.string()))]),
        ),
    ],
)
def test_types(values: list[str], expected: pa.DataType) -> None:
    text = "".join(f'{{"id": {at}, "v": {value}}}\n' for at, value in enumerate(values))
    assert Unit(text.encode(), "x.jsonl").schema.field("v").type == expected


def test_objects_that_are_always_empty_are_maps() -> None:
    assert Unit(b'{"a":1,"o":{}}\n', "x.jsonl").rows() == [{"a": 1, "o": []}]


def test_a_file_without_an_object_has_no_columns() -> None:
    for text in (b"", b"\n\n", b"x\n[1]\n"):
        with pytest.raises(SchemaError, match=r"x\.jsonl: has no columns"):
            Unit(text, "x.jsonl")


def test_the_same_types_and_rows_as_duckdb(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    duckdb.sql(
        f"""COPY (SELECT i AS id, i / 7 AS ratio, 'name ' || i AS name, i % 3 = 0 AS flag,
            DATE '2024-01-01' + i::INT AS day, TIMESTAMP '2024-01-01' + INTERVAL (i) SECOND AS at,
            CASE WHEN i % 5 = 0 THEN NULL ELSE i END AS gaps, [i, i + 1] AS list, {{'x': i}} AS o
            FROM range(60_000) t(i)) TO '{path}' (FORMAT json)"""
    )
    file = Unit(path.read_bytes(), "x.jsonl")
    expected = duckdb.sql(f"FROM read_json('{path}', format='newline_delimited')")
    assert file.extent.end > 1
    assert file.table().equals(expected.to_arrow_table().cast(file.schema))


# ── writing ─────────────────────────────────────────────────────────────────────────────────────


def test_nan_is_null_if_wanted_and_binary_is_base64() -> None:
    records = pa.RecordBatch.from_pydict(
        {
            "f": [1.5, math.nan, math.inf],
            "b": pa.array([b"\xff\x00", None, b""]),
            "d": pa.array([Decimal("1.50"), None, Decimal("-0.01")]),
            "t": pa.array([datetime(2024, 1, 31, 10), None, None], pa.timestamp("us", "UTC")),
        }
    )
    assert write("jsonl", records, non_finite="null").splitlines() == [
        b'{"f":1.5,"b":"/wA=","d":1.50,"t":"2024-01-31T10:00:00Z"}',
        b'{"f":null,"b":null,"d":null,"t":null}',
        b'{"f":null,"b":"","d":-0.01,"t":null}',
    ]


@pytest.mark.parametrize("text", ["𠮷", "\U0010ffff", "😀", "\\ud842\\udfb7", "\\𠮷", "é𠀀\n"])
def test_escaped_characters_of_all_planes(text: str) -> None:
    """arrow-json combines surrogates wrongly beyond U+1FFFF; a backslash is no escape's start."""
    line = json.dumps({"v": text, "w": [text]})
    assert Unit(line.encode(), "x.jsonl").rows() == [{"v": text, "w": [text]}]


MICROS = st.datetimes(datetime(1700, 1, 1), datetime(9000, 1, 1))
COLUMNS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "i": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "u": (pa.uint64(), st.integers(0, 2**64 - 1)),
    "f": (pa.float64(), st.floats(allow_nan=False, allow_infinity=False)),
    "g": (pa.float32(), st.floats(allow_nan=False, allow_infinity=False, width=32)),
    "s": (pa.string(), TEXT),
    "v": (pa.string_view(), TEXT),
    "c": (pa.dictionary(pa.int32(), pa.string()), TEXT),
    "b": (pa.bool_(), st.booleans()),
    "d": (pa.date32(), st.dates(date(1700, 1, 1), date(9000, 1, 1))),
    "t": (pa.timestamp("us"), MICROS),
    "z": (pa.timestamp("us", "Europe/Berlin"), MICROS),
    "h": (pa.time64("us"), st.times()),
    "n": (pa.decimal128(20, 3), st.decimals(-(10**15), 10**15, places=3)),
    "l": (pa.list_(pa.date32()), st.lists(st.none() | st.dates(date(1700, 1, 1)), max_size=2)),
    "o": (
        pa.struct([("x", pa.int64()), ("y", pa.list_(pa.string()))]),
        st.fixed_dictionaries({"x": INTEGER, "y": st.none() | st.lists(TEXT, max_size=2)}),
    ),
}
WRITTEN = pa.schema([(name, kind) for name, (kind, _) in COLUMNS.items()])
ROWS = st.lists(
    st.fixed_dictionaries({name: st.none() | values for name, (_, values) in COLUMNS.items()}),
    max_size=6,
)


@given(ROWS, ROWS)
def test_what_is_written_is_read_back(first: list[Any], second: list[Any]) -> None:
    batches = [pa.RecordBatch.from_pylist(rows, WRITTEN) for rows in (first, second)]
    data = write("jsonl", *batches)
    file = Unit(data, "x.jsonl", WRITTEN)
    assert file.rows() == pa.Table.from_batches(batches).to_pylist()
    assert [list(json.loads(line)) for line in data.splitlines()] == [WRITTEN.names] * (
        len(first) + len(second)
    )


@pytest.mark.parametrize("kind", [pa.list_(pa.binary()), pa.struct([("b", pa.binary())])])
def test_binary_in_nested_values_is_refused(kind: pa.DataType) -> None:
    with pytest.raises(SchemaError, match="column 'v': JSON can't hold the binary values"):
        write("jsonl", pa.RecordBatch.from_arrays([pa.nulls(0, kind)], names=["v"]))


def test_types_may_be_given() -> None:
    file = Unit(b'{"id":1}\n{"id":2,"late":"2024-01-31"}\n', "x.jsonl", types="id:double,late:date")
    assert file.rows() == [{"id": 1.0, "late": None}, {"id": 2.0, "late": date(2024, 1, 31)}]
    assert Unit(b"", "x.jsonl", types="id:int64").rows() == []
