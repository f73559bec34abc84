"""Line ends in values: whatever the borders of cells, rows are those that Python's csv module
finds, or the file is refused with the advice that helps. Never anything in between."""

from __future__ import annotations

import csv
import io
from typing import Any, NamedTuple

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferris_beam.errors import FatalError
from tests.formats.memory import Unit, grid_of

TOKENS = ["a", "b", " ", '"', ",", "\n", "\r\n", "'", "\\"]
"""Without lone CRs: Python's writer leaves them as they are."""
FIELD = st.lists(st.sampled_from(TOKENS), max_size=6).map("".join)
TABLE = st.integers(2, 3).flatmap(
    lambda width: st.lists(st.lists(FIELD, min_size=width, max_size=width), max_size=10)
)


class Style(NamedTuple):
    """How Python writes, and what options read that."""

    written: dict[str, Any]
    options: dict[str, Any]


STYLES = {
    "minimal": Style({}, {}),
    "all": Style({"quoting": csv.QUOTE_ALL}, {}),
    "crlf": Style({"lineterminator": "\r\n"}, {}),
    "single quotes": Style({"quotechar": "'"}, {"quote": "'"}),
    "escaped": Style({"escapechar": "\\", "doublequote": False}, {"escape": "\\"}),
    "escaped, all": Style(
        {"escapechar": "\\", "doublequote": False, "quoting": csv.QUOTE_ALL}, {"escape": "\\"}
    ),
    "never quoted": Style(
        {"escapechar": "\\", "quoting": csv.QUOTE_NONE, "quotechar": None},
        {"escape": "\\", "quote": "none"},
    ),
}


def written(rows: list[list[str]], style: Style) -> str:
    text = io.StringIO(newline="")
    names = [f"c{at}" for at in range(len(rows[0]) if rows else 2)]
    csv.writer(text, **{"lineterminator": "\n", **style.written}).writerows([names, *rows])
    return text.getvalue()


def _check_refusal(error: FatalError, why: str) -> None:
    assert why in str(error)


def read_or_refused(text: str, cell: int, **options: Any) -> list[list[str]] | None:
    """The rows, or None where the file is refused for its line ends."""
    width = len(text.partition("\n")[0].split(","))
    schema = pa.schema([(f"c{at}", pa.string()) for at in range(width)])
    with grid_of(cell):
        try:
            file = Unit(text.encode(), "x.csv", schema, null_values=(), **options)
            pieces = file.pieces()
        except FatalError as error:
            _check_refusal(error, "set newlines_in_values=true")
            return None
    assert [row for piece in pieces for row in piece.bad_rows] == []
    return [list(row.values()) for piece in pieces for row in piece.records.to_pylist()]


@settings(max_examples=300)
@given(
    TABLE,
    st.sampled_from(sorted(STYLES)),
    st.integers(1, 50),
    st.sampled_from([True, False, "auto"]),
)
def test_rows_are_read_or_refused(
    rows: list[list[str]], name: str, cell: int, newlines: bool | str
) -> None:
    style = STYLES[name]
    if name == "never quoted":  # Python escapes LF only
        rows = [[value.replace("\r", "") for value in row] for row in rows]
    text = written(rows, style)
    found = read_or_refused(text, cell, newlines_in_values=newlines, **style.options)
    if newlines is True:
        assert found == rows
    else:
        assert found is None or found == rows
        if found is None:
            assert any("\n" in value for row in rows for value in row)


@settings(max_examples=300)
@given(
    st.text(st.sampled_from('ab,"\n\r\\'), max_size=40),
    st.sampled_from([None, "\\"]),
    st.integers(1, 30),
    st.sampled_from([True, False, "auto"]),
)
def test_whatever_the_text_borders_change_nothing(
    text: str, escape: str | None, cell: int, newlines: bool | str
) -> None:
    """Cut anywhere, a file has the good and bad rows that it has in one piece."""

    def read(size: int, **options: Any) -> list[Any] | None:
        schema = pa.schema([("x", pa.string()), ("y", pa.string())])
        with grid_of(size):
            try:
                file = Unit(
                    b"x,y\n" + text.encode(), "x.csv", schema, escape=escape or "none", **options
                )
                pieces = file.pieces()
            except FatalError as error:
                _check_refusal(error, "closed")
                return None
        rows = [row for piece in pieces for row in piece.records.to_pylist()]
        bad = [(row.reason, row.payload) for piece in pieces for row in piece.bad_rows]
        return [rows, bad]

    whole = read(1 << 20, newlines_in_values=True)
    found = read(cell, newlines_in_values=newlines)
    assert found is None or found == whole
    if newlines is True:
        assert found == whole


@settings(max_examples=300)
@given(st.text(st.sampled_from('ab,"\n\r'), max_size=30))
def test_whatever_the_text_rows_are_those_of_python(text: str) -> None:
    expected = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    schema = pa.schema([("x", pa.string()), ("y", pa.string())])
    try:
        file = Unit(b"x,y\n" + text.encode(), "x.csv", schema, null_values=())
        (piece,) = file.pieces()
    except FatalError as error:
        _check_refusal(error, "closed")
        return
    assert [list(row.values()) for row in piece.records.to_pylist()] == [
        row for row in expected if len(row) == 2
    ]
    assert len(piece.bad_rows) == sum(len(row) != 2 for row in expected)


LINES: dict[str, Any] = {"newlines_in_values": False}

# ── choosing how to read ────────────────────────────────────────────────────────────────────────


def test_the_first_cell_tells_whether_values_hold_line_ends() -> None:
    early = b"a,b\n" + b'1,"x\ny"\n' * 20
    late = b"a,b\n" + b"1,x\n" * 20 + b'1,"x\ny"\n' * 20
    with grid_of(30):
        file = Unit(early)
        assert not file.extent.divisible
        assert file.table().num_rows == 20
        assert Unit(late).extent.divisible
        with pytest.raises(FatalError, match=r"data\.csv: .*set newlines_in_values=true"):
            Unit(late).rows()
        assert Unit(late, newlines_in_values=True).table().num_rows == 40
        with pytest.raises(FatalError, match="set newlines_in_values=true"):
            Unit(early, newlines_in_values=False).rows()


def test_what_is_read_from_front_to_back_is_never_refused() -> None:
    late = b"a,b\n" + b"1,x\n" * 20 + b'1,"x\ny"\n' * 20
    with grid_of(30):
        assert Unit(late, "x.csv.gz").table().num_rows == 40


def test_every_cell_is_read_alike_by_whoever_reads_it() -> None:
    with grid_of(30):
        file = Unit(b"a,b\n" + b'1,"x\ny"\n' * 20)
        for at, piece in enumerate(file.pieces()):
            assert [alone.records for alone in file.pieces(at, at + 1)] == [piece.records]


def test_lone_returns_do_not_hide_an_open_quote() -> None:
    """As many rows as lines, and yet the last one is open."""
    text = b'a,b\n1,p\r1,q\n"3\n4\n5",z\n' + b"2,x\n" * 9
    with grid_of(17), pytest.raises(FatalError, match="set newlines_in_values=true"):
        Unit(text, schema=pa.schema([("a", "string"), ("b", "string")]), **LINES).rows()


def test_an_escaped_line_end_is_text() -> None:
    text = b"a,b\n1,x\\\ny\n2,z\n" * 1 + b"3,z\n" * 9
    schema = pa.schema([("a", pa.int64()), ("b", pa.string())])
    for cell in range(4, 40):
        with grid_of(cell):
            file = Unit(text, schema=schema, escape="\\", newlines_in_values=True)
            assert file.rows()[:2] == [{"a": 1, "b": "x\ny"}, {"a": 2, "b": "z"}]
    with grid_of(9), pytest.raises(FatalError, match="set newlines_in_values=true"):
        Unit(text, schema=schema, escape="\\", **LINES).rows()
