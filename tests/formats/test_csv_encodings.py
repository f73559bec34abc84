"""Files in UTF-16, in encodings of several bytes, and in those that are no superset of ASCII."""

from __future__ import annotations

import codecs

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferris_beam.errors import FatalError
from tests.formats.memory import Unit, grid_of, spans

ENCODINGS = (
    *("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "utf-7"),
    *("shift_jis", "gb18030", "big5", "euc_kr", "iso2022_jp", "cp037", "hz"),
)
LETTERS = {
    **dict.fromkeys(ENCODINGS, "日本語"),
    "cp037": "éß",
    "big5": "日本",
    "euc_kr": "한국",
    "hz": "中国",
    "utf-7": "é日~+",
}


@settings(max_examples=200)
@given(st.data(), st.sampled_from(ENCODINGS), st.integers(5, 60), st.integers(1, 20))
def test_text_of_any_encoding(data: st.DataObject, encoding: str, cell: int, step: int) -> None:
    value = st.text(st.sampled_from("ab" + LETTERS[encoding]), min_size=1, max_size=5)
    rows = data.draw(st.lists(st.tuples(st.integers(0, 99), value), max_size=12))
    text = "id,s\r\n" + "".join(f"{number},{word}\r\n" for number, word in rows)
    schema = pa.schema([("id", pa.int64()), ("s", pa.string())])
    with grid_of(cell, step):
        file = Unit(text.encode(encoding), schema=schema, encoding=encoding)
        cuts = data.draw(st.lists(st.integers(0, 1000), max_size=3))
        found = [
            tuple(row.values())
            for start, end in spans(cuts, file.extent.end)
            for piece in file.pieces(start, end)
            for row in piece.records.to_pylist()
        ]
    assert found == rows


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_a_byte_order_mark_says_the_encoding(encoding: str) -> None:
    file = Unit("größe;id\nklein;1\n".encode(encoding), delimiter=";")
    assert file.rows() == [{"größe": "klein", "id": 1}]
    assert Unit("größe;id\nklein;1\n".encode(encoding), "x.csv.gz", delimiter=";").rows()


def test_marks_of_big_endian_files() -> None:
    for mark, encoding in ((codecs.BOM_UTF16_BE, "utf-16-be"), (codecs.BOM_UTF32_BE, "utf-32-be")):
        text = "é,b\n1,2\n".encode(encoding)
        assert Unit(mark + text).rows() == [{"é": 1, "b": 2}]
        assert Unit(mark + text, encoding=encoding).rows() == [{"é": 1, "b": 2}]
        assert Unit(text, encoding=encoding).rows() == [{"é": 1, "b": 2}]


def test_utf_16_without_a_mark_is_refused_with_what_to_set() -> None:
    with pytest.raises(FatalError, match=r"set encoding=.* utf-16-le or utf-16-be"):
        Unit("a,b\n1,2\n".encode("utf-16-le"), encoding="utf-16")


def test_decoded_files_are_read_from_front_to_back() -> None:
    with grid_of(10):
        assert not Unit("a\n1\n".encode("utf-16")).extent.divisible
        assert not Unit("a\n1\n".encode("utf-16"), newlines_in_values=False).extent.divisible
        assert Unit(b"a\n1\n" * 9, encoding="cp1252").extent.divisible


def test_bytes_that_are_no_character_reject_their_row() -> None:
    broken = "s,n\né,1\n".encode("utf-16") + b"\x00\xd8" + "x,2\ny,3\n".encode("utf-16-le")
    file = Unit(broken)
    assert file.rows() == [{"s": "é", "n": 1}, {"s": "y", "n": 3}]
    assert file.reasons() == [r"s: b'\xffx' is not a string"]
    odd = Unit("s\né\n".encode("utf-16") + b"x")
    assert odd.rows() == [{"s": "é"}]
    assert len(odd.reasons()) == 1
    japanese = Unit("s,n\n日,1\n".encode("shift_jis") + b"\x82\xff,2\n", encoding="shift_jis")
    assert japanese.rows() == [{"s": "日", "n": 1}]
    assert len(japanese.reasons()) == 1


def test_values_may_hold_line_ends() -> None:
    text = 'a,b\n1,"x\ny"\n' * 3
    with grid_of(7):
        file = Unit(text[4:].join(["a,b\n", ""]).encode("utf-16"))
        assert [row["b"] for row in file.rows() if row["a"] == "1"] == ["x\ny"] * 3
