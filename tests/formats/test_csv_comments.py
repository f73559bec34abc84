"""Comments are no rows, wherever cells begin."""

from __future__ import annotations

import csv
import io

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferris_beam.errors import FatalError, OptionError
from tests.formats.memory import Unit, csv_field, grid_of

FIELD = st.text(st.sampled_from('a#",\n '), max_size=5)
ROW = st.tuples(FIELD, FIELD).map(
    lambda row: ",".join(csv_field(value, "#" in value) for value in row)
)
COMMENT = st.text(st.sampled_from("a#\", '"), max_size=8).map(lambda text: "#" + text)


@settings(max_examples=300)
@given(
    st.lists(ROW | COMMENT | st.just(""), max_size=12),
    st.lists(COMMENT, max_size=2),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 40),
    st.sampled_from([True, False, "auto"]),
    st.booleans(),
)
def test_comments_are_left_out(
    lines: list[str],
    head: list[str],
    line_end: str,
    cell: int,
    newlines: bool | str,
    zipped: bool,
) -> None:
    text = line_end.join([*head, "x,y", *lines]) + line_end
    kept = line_end.join(line for line in lines if not line.startswith("#")) + line_end
    expected = [row for row in csv.reader(io.StringIO(kept, newline="")) if row]
    schema = pa.schema([("x", pa.string()), ("y", pa.string())])
    with grid_of(cell):
        try:
            file = Unit(
                text.encode(),
                "x.csv.gz" if zipped else "x.csv",
                schema,
                comment="hash",
                newlines_in_values=newlines,
                null_values=(),
            )
            pieces = file.pieces()
        except FatalError:
            assert newlines is not True
            assert any("\n" in value for row in expected for value in row)
            return
    assert [list(row.values()) for p in pieces for row in p.records.to_pylist()] == expected
    assert [row for piece in pieces for row in piece.bad_rows] == []


@given(
    st.lists(st.sampled_from(["1,a", "x,b", "#c", "#", "2", ""]), max_size=12), st.integers(4, 30)
)
def test_bad_rows_are_where_they_are(lines: list[str], cell: int) -> None:
    text = "id,s\n" + "".join(line + "\n" for line in lines)
    schema = pa.schema([("id", pa.int64()), ("s", pa.string())])
    with grid_of(cell):
        file = Unit(text.encode(), schema=schema, comment="#")
        bad = [row for piece in file.pieces() for row in piece.bad_rows]
    assert [row.payload.decode() for row in bad] == [line for line in lines if line in ("x,b", "2")]
    offsets = [int(row.place.split("byte ")[1].split(" ")[0].replace(",", "")) for row in bad]
    starts = [at for at in range(5, len(text)) if text[at - 1] == "\n"]
    assert offsets == [at for at in starts if text[at:].split("\n")[0] in ("x,b", "2")]


def test_types_and_lines_are_told_without_comments() -> None:
    file = Unit(b"# made by us\n#\na,b\n# 1\n1,x\n#2,y\nz,3\n", comment="hash", encoding="latin-1")
    assert file.schema.types == [pa.string(), pa.string()]
    file = Unit(b"# made by us\n#\na,b\n# 1\n1,x\n#2,y\nz,3\n", comment="hash", types="a:int64")
    assert file.rows() == [{"a": 1, "b": "x"}]
    (piece,) = file.pieces()
    assert piece.bad_rows[0].place.startswith("line 7 (byte 32 ")


def test_without_the_option_nothing_is_a_comment() -> None:
    assert Unit(b"a\n#1\n").rows() == [{"a": "#1"}]


def test_the_character_must_be_its_own() -> None:
    with pytest.raises(OptionError, match="comment is ','"):
        Unit(b"a\n", comment=",")
