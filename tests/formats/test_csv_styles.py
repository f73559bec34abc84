"""CSV written in every style: our reader and Python's csv module find what was written."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferris_beam.errors import BadRecordError, OptionError, SchemaError
from ferris_beam.formats.options import WriteOptions
from ferris_beam.formats.registry import format_named
from tests.formats.memory import Unit, write
from tests.formats.test_csv_writing import COLUMNS, ROWS, SCHEMA

TEXT = st.lists(st.sampled_from(["a", "é", ",", ";", '"', "'", "\\", "\n", "\r", " ", "N"])).map(
    "".join
)
STYLES = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from([",", ";", "tab", "|", " ", ":", "-", "."]),
        "quote": st.sampled_from(['"', "'"]),
        "escape": st.sampled_from(["none", "\\"]),
        "quoting": st.sampled_from(["minimal", "strings", "all"]),
        "null_value": st.sampled_from(["", "N", "NULL"]),
        "line_end": st.sampled_from(["lf", "crlf"]),
        "decimal": st.sampled_from([".", ","]),
    }
)


def reading(style: dict[str, Any]) -> dict[str, Any]:
    """The options that read what is written in a style."""
    shared = {name: style[name] for name in ("delimiter", "quote", "escape", "decimal")}
    return {**shared, "null_values": (style["null_value"],), "newlines_in_values": True}


@settings(max_examples=150)
@given(ROWS, STYLES, st.sampled_from(list(COLUMNS)))
def test_every_type_in_every_style(
    rows: list[dict[str, object]], style: dict[str, Any], only: str
) -> None:
    batch = pa.RecordBatch.from_pylist(rows, SCHEMA)
    file = Unit(write("csv", batch, **style), schema=SCHEMA, **reading(style))
    assert file.reasons() == []
    assert file.rows() == batch.to_pylist()

    one = batch.select([only])
    file = Unit(write("csv", one, **style), schema=one.schema, **reading(style))
    expected = one.to_pylist()
    if only in "svc" and not style["null_value"]:  # alone, null can't be told from an empty text
        expected = [{only: row[only] or ""} for row in expected]
    assert file.rows() == expected


@settings(max_examples=150)
@given(st.lists(st.tuples(TEXT, st.none() | TEXT), max_size=6), STYLES)
def test_python_reads_every_style(
    rows: list[tuple[str, str | None]], style: dict[str, Any]
) -> None:
    batch = pa.RecordBatch.from_arrays(
        [pa.array([row[at] for row in rows], pa.string()) for at in (0, 1)], names=["a", "b c"]
    )
    text = io.StringIO(write("csv", batch, **style).decode(), newline="")
    escape = None if style["escape"] == "none" else style["escape"]
    delimiter = "\t" if style["delimiter"] == "tab" else style["delimiter"]
    found = csv.reader(
        text,
        delimiter=delimiter,
        quotechar=style["quote"],
        escapechar=escape,
        doublequote=escape is None,
    )
    null = style["null_value"]
    assert list(found) == [["a", "b c"], *([a, null if b is None else b] for a, b in rows)]


@settings(max_examples=150)
@given(st.lists(st.tuples(TEXT, st.none() | TEXT), max_size=6), st.booleans())
def test_without_quotes_rows_are_escaped_or_rejected(
    rows: list[tuple[str, str | None]], escaped: bool
) -> None:
    style: dict[str, Any] = {
        "quoting": "none",
        "escape": "\\" if escaped else "none",
        "null_value": "NULL",
    }
    options: dict[str, Any] = {"quote": "none", "escape": style["escape"], "null_values": ("NULL",)}
    schema = pa.schema([("a", pa.string()), ("b", pa.string())])
    for a, b in rows:
        batch = pa.RecordBatch.from_pylist([{"a": a, "b": b}], schema)
        impossible = "NULL" in (a, b) if escaped else set(a + (b or "")) & set(',"\r\n')
        if impossible:
            with pytest.raises(BadRecordError) as raised:
                write("csv", batch, **style)
            assert raised.value.row == 0
            continue
        data = write("csv", batch, **style)
        file = Unit(data, schema=schema, newlines_in_values=True, **options)
        assert file.rows() == [{"a": a, "b": b}]


# ── each option ─────────────────────────────────────────────────────────────────────────────────

BATCH = pa.RecordBatch.from_pydict(
    {
        "id": [1, None],
        "s": ["x, y", None],
        "n": pa.array([1.5, -2.0]),
        "day": pa.array([date(2024, 1, 31), None]),
        "at": pa.array([datetime(2024, 1, 31, 15, 4, 5, 60), None]),
    }
)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"quoting": "all"},
         '"1","x, y","1.5","2024-01-31","2024-01-31 15:04:05.000060"\n,,"-2",,'),
        ({"quoting": "strings"}, '1,"x, y",1.5,2024-01-31,2024-01-31 15:04:05.000060\n,,-2,,'),
        ({"null_value": "NULL"}, '1,"x, y",1.5,2024-01-31,2024-01-31 15:04:05.000060\n'
                                 "NULL,NULL,-2,NULL,NULL"),
        ({"decimal": ",", "delimiter": ";"},
         "1;x, y;1,5;2024-01-31;2024-01-31 15:04:05.000060\n;;-2;;"),
        ({"decimal": ","}, '1,"x, y","1,5",2024-01-31,2024-01-31 15:04:05.000060\n,,-2,,'),
        ({"quote": "'"}, "1,'x, y',1.5,2024-01-31,2024-01-31 15:04:05.000060\n,,-2,,"),
        ({"date_format": "%d.%m.%y"}, '1,"x, y",1.5,31.01.24,2024-01-31 15:04:05.000060\n,,-2,,'),
        ({"timestamp_format": "%d/%b/%Y %I:%M:%S.%f %p"},
         '1,"x, y",1.5,2024-01-31,31/Jan/2024 03:04:05.000060 PM\n,,-2,,'),
        ({"timestamp_format": "%F %R"}, '1,"x, y",1.5,2024-01-31,2024-01-31 15:04\n,,-2,,'),
        ({"date_format": "%b %d, %Y"},
         '1,"x, y",1.5,"Jan 31, 2024",2024-01-31 15:04:05.000060\n,,-2,,'),
    ],
)  # fmt: skip
def test_options(options: dict[str, Any], expected: str) -> None:
    assert write("csv", BATCH, header=False, **options).decode() == expected + "\n"


def test_line_ends_and_headers() -> None:
    batch = pa.RecordBatch.from_pydict({"a": ["x\ny"], "b,": ["z"]})
    assert write("csv", batch, line_end="crlf") == b'a,"b,"\r\n"x\ny",z\r\n'
    assert write("csv", batch, quoting="all") == b'"a","b,"\n"x\ny","z"\n'
    with pytest.raises(SchemaError, match="names of the columns can't be written"):
        write("csv", batch, quoting="none")


def test_encodings() -> None:
    batch = pa.RecordBatch.from_pydict({"größe": ["ä", "b"]})
    for encoding in ("cp1252", "gb18030"):
        data = write("csv", batch, encoding=encoding)
        assert data == "größe\nä\nb\n".encode(encoding)
        assert Unit(data, encoding=encoding).rows() == batch.to_pylist()
    assert write("csv", batch, encoding="utf-8-sig") == "\ufeffgröße\nä\nb\n".encode()
    assert write("csv", batch, encoding="utf-8-sig", header=False) == "ä\nb\n".encode()
    with pytest.raises(BadRecordError, match="'€' is no character of iso8859-1"):
        write("csv", pa.RecordBatch.from_pydict({"a": ["€"]}), encoding="latin-1")
    with pytest.raises(ValueError, match="encoding"):
        write("csv", batch, encoding="utf-16")


def test_zoned_times_are_written_in_utc() -> None:
    at = pa.array([datetime(2024, 7, 1, 12)], pa.timestamp("ns")).cast(
        pa.timestamp("ns", "Europe/Berlin")
    )
    batch = pa.RecordBatch.from_arrays([at], names=["at"])
    assert write("csv", batch, timestamp_format="%d.%m.%Y %H:%M%z") == b"at\n01.07.2024 12:00Z\n"


def test_nothing_is_written_of_what_fails() -> None:
    batch = pa.RecordBatch.from_pydict({"a": ["x"] * 20_000 + ['"']})
    target = io.BytesIO()
    writer = format_named("csv").create(
        target, batch.schema, WriteOptions(quoting="none", delimiter="|")
    )
    with pytest.raises(BadRecordError):
        writer.write(batch)
    assert target.getvalue() == b"a\n"


@pytest.mark.parametrize(
    "options",
    [{"delimiter": "'", "quote": "'"}, {"null_value": "a,b"}, {"null_value": '""'}],
)
def test_contradictions_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="set another one"):
        write("csv", BATCH, **options)


def test_a_lone_null_without_quotes() -> None:
    batch = pa.RecordBatch.from_pydict({"n": pa.array([Decimal("1.5"), None])})
    assert write("csv", batch, quoting="none", null_value="-") == b"n\n1.5\n-\n"
    with pytest.raises(BadRecordError, match="would be a blank line"):
        write("csv", batch, quoting="none")
