"""Rows of CSV text: what this package says about offsets is what pyarrow's parser does."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.csv as pacsv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.formats.csv.rows import (
    Dialect,
    ends_inside_quotes,
    line_starts,
    row_end,
    row_starts,
)
from ferris_beam.formats.window import Block

TEXT = st.text(st.sampled_from('a,"\n\r\\;'), max_size=40)
DIALECTS = st.sampled_from(
    [
        Dialect(),
        Dialect(escape="\\"),
        Dialect(quote=None),
        Dialect(delimiter=";"),
        Dialect(quote=None, escape="\\"),
    ]
)


def parsed(text: str, dialect: Dialect) -> list[tuple[int, str]]:
    """pyarrow's rows: number and text of each, by refusing all of them."""
    rows: list[tuple[int, str]] = []

    def note(row: pacsv.InvalidRow) -> str:
        rows.append((row.number, row.text))
        return "skip"

    # No row of the texts has 60 columns.
    pacsv.read_csv(
        pa.py_buffer(text.encode()),
        read_options=pacsv.ReadOptions(
            use_threads=False,
            block_size=len(text) + 1,
            column_names=[str(at) for at in range(60)],
        ),
        parse_options=pacsv.ParseOptions(
            delimiter=dialect.delimiter,
            quote_char=dialect.quote or False,
            escape_char=dialect.escape or False,
            invalid_row_handler=note,
        ),
    )
    return rows


@given(TEXT, DIALECTS)
def test_row_starts_are_those_of_the_parser(text: str, dialect: Dialect) -> None:
    if not text:
        return
    rows = parsed(text, dialect)
    starts = row_starts(Block.of(text.encode()), dialect, len(rows))
    assert len(starts) == len(rows)
    for start, (_, row) in zip(starts, rows, strict=True):
        assert text[start:].startswith(row)


@given(TEXT, DIALECTS)
def test_the_state_at_the_end_is_that_of_the_parser(text: str, dialect: Dialect) -> None:
    """Behind an open quote a line end is text: no row is added by what follows it."""
    rows = len(parsed(text, dialect)) if text else 0
    continued = len(parsed(text + "\na\n", dialect))
    inside = ends_inside_quotes(Block.of(text.encode()), dialect)
    escaped = dialect.escape is not None and text.endswith("\\")
    if not escaped:
        assert inside == (continued <= rows)


@given(TEXT, DIALECTS, st.integers(1, 40))
def test_row_ends_agree_with_row_starts(text: str, dialect: Dialect, minimum: int) -> None:
    block = Block.of(text.encode())
    end = row_end(block, dialect, minimum)
    if end is None:
        return
    assert end >= minimum
    before, after = block.part(0, end), block.part(end, len(block))
    if len(before) and len(after):
        whole = len(parsed(text, dialect))
        assert len(parsed(text[:end], dialect)) + len(parsed(text[end:], dialect)) == whole


def test_an_end_is_found_where_there_is_one() -> None:
    block = Block.of(b'a,"x\ny"\nb,c\r\nd,"z')
    assert row_end(block, Dialect(), 1) == 8
    assert row_end(block, Dialect(), 8) == 8
    assert row_end(block, Dialect(), 9) == 13
    assert row_end(block, Dialect(), 14) is None
    stray = Block.of(b'a,x"\nb,"\n"\nc')
    assert row_end(stray, Dialect(), 6) == 11


@pytest.mark.parametrize("escape", [None, "\\"])
def test_long_values_need_no_recursion(escape: str | None) -> None:
    value = b'"' + b'x""\n' * 500_000 + b'"'
    block = Block.of(b"a," + value + b"\nb," + value + b'\nc"d,"')
    dialect = Dialect(escape=escape)
    assert list(row_starts(block, dialect, 3)) == [0, len(value) + 3, 2 * (len(value) + 3)]
    assert ends_inside_quotes(block, dialect)


def test_blank_lines_are_no_rows() -> None:
    assert list(line_starts(Block.of(b"\n\na\r\n\r\nb\rc\n\r"))) == [2, 7, 9]
