"""Rows that don't fit are rejected one by one; all others read as if those were not there."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.formats.csv.parser import CsvParser
from ferris_beam.formats.csv.rows import Dialect
from ferris_beam.formats.window import Block
from tests.formats.memory import Unit, csv_field, grid_of

TYPES = {
    "int64": pa.int64(),
    "int8": pa.int8(),
    "uint32": pa.uint32(),
    "double": pa.float64(),
    "float": pa.float32(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "zoned": pa.timestamp("us", "UTC"),
    "seconds": pa.timestamp("s"),
    "time": pa.time64("us"),
    "string": pa.string(),
    "large": pa.large_string(),
    "binary": pa.binary(),
    "coded": pa.dictionary(pa.int32(), pa.string()),
}
WORDS = """
    1 -1 +1 007 0x1F 1.5 .5 5. 1e3 1e400 nan inf -0 128 4294967295 9223372036854775808 1_0 1,5
    true True TRUE tRue 0 yes t NULL é x
    2024-01-31 2024-02-30 2024-1-1 2024-01-01T10:00 10:00 10:00:00.5 2024-01-01T10:00:00Z
    2024-01-01T10:00:00.123456+0100 2024-01-01T10:00:00.1234567 1600-01-01 10000-01-01
"""
VALUES = st.one_of(
    st.sampled_from(WORDS.split()),
    st.text(st.sampled_from("0123456789-:.+eT Z\t"), max_size=12),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5),
    st.just(""),
)


def alone(row: bytes, kind: pa.DataType) -> Any:
    """What pyarrow's typed reader makes of a row on its own; the exception if nothing, or if it
    makes a number infinite that is only large."""
    try:
        table = pacsv.read_csv(
            pa.py_buffer(row),
            read_options=pacsv.ReadOptions(use_threads=False, column_names=["id", "v"]),
            convert_options=pacsv.ConvertOptions(
                column_types={"id": pa.string(), "v": kind},
                null_values=["", "NULL"],
                true_values=["true", "True", "TRUE", "1"],
                false_values=["false", "False", "FALSE", "0"],
                strings_can_be_null=True,
                quoted_strings_can_be_null=kind not in (pa.string(), pa.large_string(), pa.binary())
                and not pa.types.is_dictionary(kind),
            ),
        )
    except pa.ArrowInvalid as error:
        return error
    found = table["v"].combine_chunks()
    if pa.types.is_floating(kind) and pc.any(pc.is_inf(found)).as_py() and b"n" not in row.lower():
        return OverflowError(row)
    return found


@given(
    st.sampled_from(sorted(TYPES)),
    st.lists(st.tuples(VALUES, st.booleans()), max_size=8),
)
def test_rows_read_the_same_alone_and_among_bad_ones(
    name: str, values: list[tuple[str, bool]]
) -> None:
    kind = TYPES[name]
    rows = [f"{at},{csv_field(*value)}\n".encode() for at, value in enumerate(values)]
    schema = pa.schema([("id", pa.string()), ("v", kind)])
    parser = CsvParser(["id", "v"], schema, Dialect(null_values=("", "NULL")))
    found = parser.parse(Block.of(b"".join(rows)))

    oracle = [alone(row, kind) for row in rows]
    good = [at for at, value in enumerate(oracle) if not isinstance(value, Exception)]
    assert found.records["id"].to_pylist() == [str(at) for at in good]
    assert [line.payload + b"\n" for line in found.bad] == [
        row for at, row in enumerate(rows) if at not in good
    ]
    if good:
        expected = pa.concat_arrays([_plain(oracle[at]) for at in good])
        assert _plain(found.records["v"]).equals(expected) or _same(found.records["v"], expected)


def _plain(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _same(left: pa.Array, right: pa.Array) -> bool:
    """Equal with NaN equal to itself."""
    return str(left.cast(pa.string()).to_pylist()) == str(right.cast(pa.string()).to_pylist())


LINES = st.sampled_from(["1,a", "x,a", "2", "3,a,b", "", "4,\xe9", '6,"q\n"', '7,"\xff\n",c'])


@given(st.lists(LINES), st.integers(5, 60), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_every_row_is_read_or_rejected_where_it_is(
    lines: list[str], cell: int, line_end: str, last: bool
) -> None:
    text = line_end.join(lines) + (line_end if last and lines else "")
    schema = pa.schema([("id", pa.int64()), ("s", pa.string())])
    with grid_of(cell):
        file = Unit(b"id,s\n" + text.encode("latin1"), schema=schema, newlines_in_values=True)
        pieces = file.pieces()
    good = {"1,a", '6,"q\n"'}
    assert sum(p.records.num_rows for p in pieces) == sum(line in good for line in lines)
    bad = [row for piece in pieces for row in piece.bad_rows]
    assert [row.payload.decode("latin1") for row in bad] == [
        line for line in lines if line and line not in good
    ]
    for row in bad:
        offset = int(row.place.split("byte ")[1].split(" ")[0].replace(",", ""))
        assert file.source.data[offset:].startswith(row.payload)


def test_reasons_are_in_plain_words() -> None:
    schema = pa.schema(
        [("id", pa.int64()), ("amount", pa.float64()), ("day", pa.date32()), ("s", pa.string())]
    )
    file = Unit(
        b"id,amount,day,s\n"
        b"1,2.5,2024-01-01,a\n"
        b"x,abc,2024-02-30,b\n"
        b"2,1.5\n"
        b"3\n"
        b"4,1,2024-01-01,\xff\n"
        b"99999999999999999999,1,2024-01-01,c\n",
        schema=schema,
    )
    (piece,) = file.pieces()
    assert [(row.place, row.reason) for row in piece.bad_rows] == [
        (
            "line 3 (byte 35 of data.csv)",
            "id: 'x' is not an int64; amount: 'abc' is not a double; "
            "day: '2024-02-30' is not a date32[day]",
        ),
        ("line 4 (byte 54 of data.csv)", "2 columns where 4 were expected"),
        ("line 5 (byte 60 of data.csv)", "1 column where 4 were expected"),
        ("line 6 (byte 62 of data.csv)", "s: b'\\xff' is not a string"),
        ("line 7 (byte 79 of data.csv)", "id: '99999999999999999999' is not an int64"),
    ]
    assert {row.category for row in piece.bad_rows} == {"parsing"}
    assert {row.position for row in piece.bad_rows} == {0}


@pytest.mark.parametrize("digits", ["1234.5", "1.555", "x"])
def test_decimals_keep_to_their_precision(digits: str) -> None:
    """pyarrow's own reader takes 1234.5 for a decimal(5, 2)."""
    schema = pa.schema([("v", pa.decimal128(5, 2))])
    file = Unit(b"v\n 1.5\n" + digits.encode() + b"\n", schema=schema)
    assert [str(row["v"]) for row in file.rows()] == ["1.50"]
    assert file.reasons() == [f"v: '{digits}' is not a decimal128(5, 2)"]


def test_a_quoted_empty_number_is_null() -> None:
    schema = pa.schema([("a", pa.int64()), ("b", pa.string()), ("c", pa.timestamp("us"))])
    file = Unit(b'a,b,c\n"","",""\n,,\n1,x,2024-01-01\n', schema=schema)
    rows = file.rows()
    assert [row["a"] for row in rows] == [None, None, 1]
    assert [row["b"] for row in rows] == ["", None, "x"]
    assert [row["c"] is None for row in rows] == [True, True, False]


def test_many_bad_rows_are_found_in_little_time() -> None:
    lines = [b"%d,%s" % (at, b"x%d" % at if at % 10 == 0 else b"1") for at in range(50_000)]
    file = Unit(
        b"id,v\n" + b"\n".join(lines), schema=pa.schema([("id", pa.int64()), ("v", pa.int64())])
    )
    assert len(file.reasons()) == 5_000
    assert file.table().num_rows == 45_000
