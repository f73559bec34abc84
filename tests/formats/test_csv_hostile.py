"""Files as they come: each is read as Python's csv module reads it, rejected row by row, or refused
with what to do. Nothing is lost without a word, and no foreign exception comes first."""

from __future__ import annotations

import csv
import io
import tracemalloc
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferris_beam.errors import FatalError, FerrisError, SchemaError
from tests.formats.memory import Unit, grid_of

TWO = pa.schema([("a", pa.string()), ("b", pa.string())])


def python_rows(text: str) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(text, newline="")) if row]


def found_rows(file: Unit) -> list[list[Any]]:
    assert file.reasons() == []
    return [list(row.values()) for row in file.rows()]


# ── nothing in it ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("text", [b"", b"\xef\xbb\xbf", b"\n\n\r\n", b"\xff\xfe"])
def test_empty_files_have_no_columns(text: bytes) -> None:
    with pytest.raises(SchemaError, match=r"data\.csv: has no columns; it is empty"):
        Unit(text)
    assert Unit(text, schema=TWO).rows() == []


@pytest.mark.parametrize("text", [b"a,b", b"a,b\n", b"a,b\r\n", b"a,b\r", b"\xef\xbb\xbfa,b\n\n"])
def test_a_header_alone_is_no_row(text: bytes) -> None:
    file = Unit(text)
    assert file.schema == TWO
    assert file.rows() == []
    assert Unit(text, "x.csv.gz").rows() == []


# ── odd bytes ───────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.text("x\0 ", max_size=4), st.text("y\0", max_size=3)), max_size=8),
    st.lists(st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\r\r\n"]), min_size=8, max_size=8),
    st.integers(1, 30),
)
def test_nul_bytes_and_mixed_line_ends(
    rows: list[tuple[str, str]], ends: list[str], cell: int
) -> None:
    text = "a,b\n" + "".join(f"{a},{b}{end}" for (a, b), end in zip(rows, ends, strict=False))
    with grid_of(cell):
        assert found_rows(Unit(text.encode(), schema=TWO, null_values=())) == python_rows(text)[1:]


def test_a_file_of_lone_returns_is_one_cell() -> None:
    text = "a,b\r" + "1,x\r" * 100
    with grid_of(20):
        assert found_rows(Unit(text.encode(), schema=TWO)) == python_rows(text)[1:]


def test_rows_that_are_no_utf_8_are_rejected() -> None:
    file = Unit(b"a,b\n1,\xe9\n2,\xc3\xa9\n\xff,3\n4,\xed\xa0\x80\n", schema=TWO)
    assert found_reasons(file) == [b"1,\xe9", b"\xff,3", b"4,\xed\xa0\x80"]
    assert file.rows() == [{"a": "2", "b": "é"}]


def found_reasons(file: Unit) -> list[bytes]:
    return [row.payload for piece in file.pieces() for row in piece.bad_rows]


def test_a_header_that_is_no_utf_8_is_refused() -> None:
    with pytest.raises(FatalError, match=r"header is not utf-8 .*set encoding="):
        Unit(b"\xe9,b\n1,2\n")


# ── odd shapes ──────────────────────────────────────────────────────────────────────────────────


def test_a_value_of_ten_megabytes() -> None:
    value = "x" * 10_000_000
    text = f'a,b\n1,y\n2,{value}\n3,"{value}"\n4,z\n'
    file = Unit(text.encode())
    assert file.extent.end > 4
    assert file.table().column("b").to_pylist() == ["y", value, value, "z"]
    lines = "y,\n" * 3_000_000
    file = Unit(f'a,b\n1,"{lines}"\n2,z\n'.encode())
    assert file.table().column("b").to_pylist() == [lines, "z"]


def test_five_thousand_columns() -> None:
    names = ",".join(f"c{at}" for at in range(5000))
    row = ",".join(str(at) for at in range(5000))
    file = Unit(f"{names}\n{row}\n{row}\n1,2\n".encode())
    assert file.schema.types == [pa.int64()] * 5000
    assert file.rows()[1] == {f"c{at}": at for at in range(5000)}
    assert file.reasons() == ["2 columns where 5000 were expected"]


def test_names_that_are_there_twice_or_missing() -> None:
    file = Unit(b"a,a,,a_1,A\n1,2,3,4,5\n")
    assert file.rows() == [{"a": 1, "a_1": 2, "column3": 3, "a_1_1": 4, "A": 5}]


def test_a_delimiter_that_never_occurs_makes_one_column() -> None:
    assert Unit(b"a,b\n1,2\n", delimiter="|").rows() == [{"a,b": "1,2"}]


def test_delimiters_at_the_end_of_each_row() -> None:
    assert Unit(b"a,b,\n1,x,\n2,y,\n").rows() == [
        {"a": 1, "b": "x", "column3": None},
        {"a": 2, "b": "y", "column3": None},
    ]
    file = Unit(b"a,b\n1,x,\n2,y\n", schema=TWO)
    assert file.rows() == [{"a": "2", "b": "y"}]
    assert file.reasons() == ["3 columns where 2 were expected"]


def test_blank_lines_are_no_rows_but_blanks_are() -> None:
    text = "a\n\n1\n \n\n2\n\n"
    schema = pa.schema([("a", pa.string())])
    assert found_rows(Unit(text.encode(), schema=schema)) == python_rows(text)[1:]


def test_unicode_separators_are_no_line_ends() -> None:
    text = "a\u2028b,c\x0bd,e\x85f\n1\u2028,2\x0b,3\x85\n"
    file = Unit(text.encode())
    assert [file.schema.names, *found_rows(file)] == python_rows(text)


# ── quotes that are never closed ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("newlines", [True, False, "auto"])
def test_an_open_quote_is_refused(header: bool, newlines: bool | str) -> None:
    start = b"a,b\n" if header else b""
    for text in (start + b'1,"x\n2,y\n3,z\n', start + b'1,x\n2,"y'):
        with pytest.raises(FatalError, match=r"never closed|not closed"):
            Unit(text, schema=TWO, header=header, columns=None if header else ("a", "b"),
                 newlines_in_values=newlines).rows()  # fmt: skip


def test_an_open_quote_in_the_header_does_not_swallow_the_file() -> None:
    with pytest.raises(FatalError, match="in its first row, behind byte 0, is never closed"):
        Unit(b'"a,b\n1,2\n')


@pytest.mark.parametrize("newlines", [True, "auto"])
@pytest.mark.parametrize("start", [b'a,b\n1,"', b'"a,b\n', b"a,b\n1,"])
def test_what_never_ends_does_not_fill_the_memory(
    start: bytes, newlines: bool | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("window", "csv.borders", "csv.header"):
        monkeypatch.setattr(f"ferris_beam.formats.{module}.MAX_ROW", 1 << 20)
    lines = b"xxxxxxx\n" if b'"' in start else b"xxxxxxxx"
    data = start + lines * (4 << 20)
    tracemalloc.start()
    try:
        with pytest.raises(FatalError, match="within 1 MiB"):
            Unit(data, schema=TWO, newlines_in_values=newlines).rows()
        assert tracemalloc.get_traced_memory()[1] < 24 << 20
    finally:
        tracemalloc.stop()


# ── whatever ────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=300)
@given(
    st.binary(max_size=60) | st.text('a1,"\n\r\t;\\#é', max_size=60).map(str.encode),
    st.fixed_dictionaries(
        {},
        optional={
            "header": st.booleans(),
            "quote": st.sampled_from(["none", "'"]),
            "escape": st.just("\\"),
            "comment": st.just("#"),
            "skip_lines": st.integers(0, 2),
            "encoding": st.sampled_from(["latin-1", "utf-16", "shift_jis", "cp037"]),
            "sample_size": st.sampled_from(["all", 10]),
            "decimal": st.just(","),
            "newlines_in_values": st.booleans(),
        },
    ),
    st.integers(1, 40),
)
def test_any_bytes_are_read_or_refused_in_our_words(
    data: bytes, options: dict[str, Any], cell: int
) -> None:
    with grid_of(cell):
        try:
            file = Unit(data, format="csv", **options)
            file.pieces()
        except FerrisError as error:
            words = str(error)
            assert "data.csv" in words
