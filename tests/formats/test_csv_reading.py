"""Reading CSV: the rows that Python's csv module and DuckDB find, whatever the cells."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.errors import ConfigurationError, FatalError, SchemaError
from tests.formats.memory import Unit, csv_field, grid_of, spans

FIELD = st.text(st.sampled_from("ab \",;\n\r'é\\"), max_size=8)
TABLE = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(FIELD, min_size=width, max_size=width), max_size=12)
)


def written(rows: list[list[str]], line_end: str, quote_all: bool, last: bool) -> str:
    lines = [
        ",".join(csv_field(value, quote_all or len(row) == 1) for value in row) for row in rows
    ]
    return line_end.join(lines) + (line_end if last and lines else "")


@given(
    TABLE,
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.booleans(),
    st.integers(1, 60),
    st.lists(st.integers(0, 1000), max_size=3),
    st.sampled_from(["x.csv", "x.csv.gz"]),
)
def test_what_python_writes_is_read_back(
    rows: list[list[str]],
    line_end: str,
    quote_all: bool,
    last: bool,
    cell: int,
    cuts: list[int],
    name: str,
) -> None:
    names = [f"c{at}" for at in range(len(rows[0]) if rows else 1)]
    text = ",".join(names) + line_end + written(rows, line_end, quote_all, last)
    schema = pa.schema([(name, pa.string()) for name in names])
    with grid_of(cell):
        file = Unit(text.encode(), name, schema, newlines_in_values=True, null_values=())
        found = [
            tuple(row.values())
            for start, end in spans(cuts, file.extent.end)
            for piece in file.pieces(start, end)
            for row in piece.records.to_pylist()
        ]
    assert found == [tuple(row) for row in rows]


@given(TABLE, st.booleans(), st.integers(4, 60))
def test_without_the_option_line_ends_in_values_are_read_or_refused(
    rows: list[list[str]], quote_all: bool, cell: int
) -> None:
    """Cells are read apart from each other; what one of them gets wrong makes one of them fail."""
    width = len(rows[0]) if rows else 1
    names = [f"c{at}" for at in range(width)]
    schema = pa.schema([(name, pa.string()) for name in names])
    text = ",".join(names) + "\n" + written(rows, "\n", quote_all, True)
    with grid_of(cell):
        file = Unit(text.encode(), "x.csv", schema, null_values=())
        with suppress(_Refused), _refusing():
            assert file.reasons() == []
            assert [tuple(row.values()) for row in file.rows()] == [tuple(row) for row in rows]


class _Refused(Exception):
    """The file was refused with the advice that helps."""


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except FatalError as error:
        if "set newlines_in_values=true" in str(error):
            raise _Refused from error
        raise


def test_the_same_types_and_rows_as_duckdb(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    duckdb.sql(
        f"""COPY (SELECT i AS id, i / 7 AS ratio, 'name ' || i AS name, i % 3 = 0 AS flag,
            DATE '2024-01-01' + i::INT AS day, TIMESTAMP '2024-01-01' + INTERVAL (i) SECOND AS at,
            CASE WHEN i % 5 = 0 THEN NULL ELSE i END AS gaps
            FROM range(120_000) t(i)) TO '{path}'"""
    )
    file = Unit(path.read_bytes())
    expected = duckdb.sql(f"FROM read_csv('{path}')").to_arrow_table()
    assert file.schema.types == expected.schema.types
    assert file.extent.end > 1
    assert file.table().equals(expected.cast(file.schema))


# ── heads ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("a,b\n1,x\n", {}, [{"a": 1, "b": "x"}]),
        ("\ufeffa,b\n1,x\n", {}, [{"a": 1, "b": "x"}]),
        ("\n\na,b\n\n1,x\n\n", {}, [{"a": 1, "b": "x"}]),
        ("# made by\n# us\na,b\n1,x", {"skip_lines": 2}, [{"a": 1, "b": "x"}]),
        ("1,x\n", {"header": False}, [{"column1": 1, "column2": "x"}]),
        ("1,x\n", {"header": False, "columns": ("i", "s")}, [{"i": 1, "s": "x"}]),
        ("a;b\n1;'x;y'\n", {"delimiter": ";", "quote": "'"}, [{"a": 1, "b": "x;y"}]),
        ("a\tb\n1\tx\n", {"delimiter": "tab"}, [{"a": 1, "b": "x"}]),
        ('a,b\n1,x" y\n', {"quote": "none"}, [{"a": 1, "b": 'x" y'}]),
        ("a,b\n1,x\\,y\n", {"escape": "\\"}, [{"a": 1, "b": "x,y"}]),
        ("a,b\n-,NULL\n", {"null_values": ("NULL", "-")}, [{"a": None, "b": None}]),
        ('"a\nb",c\n1,2\n', {"newlines_in_values": True}, [{"a\nb": 1, "c": 2}]),
        ("a,a,,b\n1,2,3,4\n", {}, [{"a": 1, "a_1": 2, "column3": 3, "b": 4}]),
        ("a,b\r1,x\r2,y\r", {}, [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]),
        ("a,b", {}, []),
        ("a,b\n", {}, []),
    ],
)
def test_heads(text: str, options: dict[str, object], expected: list[dict[str, object]]) -> None:
    assert Unit(text.encode(), **options).rows() == expected


def test_one_character_has_one_meaning() -> None:
    assert Unit(b'a\n"x ""y"""\n', escape='"').rows() == [{"a": 'x "y"'}]
    with pytest.raises(ConfigurationError, match="delimiter and quote or escape are both ';'"):
        Unit(b"a;b\n", delimiter=";", quote=";")


def test_a_tsv_is_separated_by_tabs() -> None:
    assert Unit(b"a\tb,c\n1\t2\n", "x.TSV").rows() == [{"a": 1, "b,c": 2}]


def test_a_head_longer_than_cells() -> None:
    with grid_of(4, 2):
        file = Unit(b"# " + b"-" * 50 + b"\n" + b"alpha,beta\n1,2\n3,4\n", skip_lines=1)
        assert file.rows() == [{"alpha": 1, "beta": 2}, {"alpha": 3, "beta": 4}]


def test_an_empty_file_has_no_columns() -> None:
    with pytest.raises(SchemaError, match=r"data\.csv: has no columns"):
        Unit(b"")


def test_too_few_lines_to_skip() -> None:
    with pytest.raises(FatalError, match="ends before the 3 lines"):
        Unit(b"a\n", skip_lines=3)


def test_columns_are_found_by_name() -> None:
    schema = pa.schema([("a", pa.int64()), ("b", pa.string())])
    assert Unit(b"b,a\nx,1\n", schema=schema).rows() == [{"a": 1, "b": "x"}]
    with pytest.raises(SchemaError, match="it lacks 'b' and has 'c', 'd' besides"):
        Unit(b"c,a,d\nx,1,2\n", schema=schema).open()


def test_columns_and_rows_are_picked() -> None:
    file = Unit(
        b"a,b,c\n1,x,2.5\n2,y,bad\n3,z,\n",
        schema=pa.schema([("a", pa.int64()), ("b", pa.string()), ("c", pa.float64())]),
    )
    assert file.rows(columns=["b"]) == [{"b": "x"}, {"b": "y"}, {"b": "z"}]
    assert file.rows(columns=["c", "a"]) == [{"c": 2.5, "a": 1}, {"c": None, "a": 3}]
    assert file.rows(columns=["b"], predicate=pc.field("a") >= 2) == [{"b": "y"}, {"b": "z"}]
    assert [len(row) for row in file.rows(columns=[])] == [1, 1, 1]
    with pytest.raises(SchemaError, match="no column 'z'; there are: a, b, c"):
        file.open(columns=["z"])


# ── line ends in values ─────────────────────────────────────────────────────────────────────────


def test_a_quoted_line_end_at_a_border_is_refused_by_name() -> None:
    text = b"a,b\n" + b'1,"x\ny"\n' * 10
    schema = pa.schema([("a", pa.int64()), ("b", pa.string())])
    with grid_of(20), pytest.raises(FatalError) as raised:
        Unit(text, "orders.csv", schema, newlines_in_values=False).rows()
    assert "orders.csv: a quoted value holds a line end where the file is cut" in str(raised.value)
    assert "set newlines_in_values=true" in str(raised.value)


def test_quotes_within_plain_fields_are_text() -> None:
    text = b"a,b\n" + b'1,5" pipe\n2,x\n' * 20
    with grid_of(30):
        assert Unit(text).table().num_rows == 40


def test_an_open_quote_at_the_end_is_refused() -> None:
    schema = pa.schema([("a", pa.int64()), ("b", pa.string())])
    for newlines in (False, True):
        with pytest.raises(FatalError, match=r"never closed|not closed"):
            Unit(b'a,b\n1,"x\n2,y\n', schema=schema, newlines_in_values=newlines).rows()


def test_a_file_of_values_with_line_ends_is_read_in_one_piece() -> None:
    assert not Unit(b"a\n1\n", newlines_in_values=True).extent.divisible
    assert Unit(b"a\n1\n").extent.divisible


# ── types ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "-2", ""], pa.int64()),
        (["1", "2.5"], pa.float64()),
        (["1", "99999999999999999999"], pa.decimal128(38, 0)),
        (["1", "99999999999999999999", "0.5"], pa.float64()),
        (["1", "9" * 39], pa.string()),
        (["true", "False"], pa.bool_()),
        (["2024-01-31"], pa.date32()),
        (["2024-01-31 10:00:00", "2024-01-31"], pa.timestamp("us")),
        (["2024-01-31T10:00:00.123456"], pa.timestamp("us")),
        (["2024-01-31T10:00:00.123456789"], pa.timestamp("ns")),
        (["2024-01-31T10:00:00Z", "2024-01-31T10:00:00+01:00"], pa.timestamp("us", "UTC")),
        (["10:00:00"], pa.string()),
        (["007"], pa.string()),
        (["0x1F"], pa.string()),
        (["0", "10"], pa.int64()),
        (["", ""], pa.string()),
        (["x"], pa.string()),
        (["\xff"], pa.string()),
        (["1", "x"], pa.string()),
    ],
)
def test_types(values: list[str], expected: pa.DataType) -> None:
    text = "id,v\n" + "".join(f"{at},{value}\n" for at, value in enumerate(values))
    assert Unit(text.encode("latin1")).schema.field("v").type == expected


def test_ragged_rows_do_not_hinder_the_types() -> None:
    file = Unit(b"a,b\n1,2\n3\n4,5,\xff\n6,7\n")
    assert file.schema.types == [pa.int64(), pa.int64()]
    assert file.reasons() == ["1 column where 2 were expected", "3 columns where 2 were expected"]


# ── types and encodings that are given ──────────────────────────────────────────────────────────


def test_types_may_be_given() -> None:
    text = b"id,zip,price,at\n1,07,1.10,2024-01-31T10:00:00Z\n2,99,x,\n"
    file = Unit(text, types="zip:string,price:decimal(10,2),at:timestamptz")
    assert file.schema.types == [
        pa.int64(),
        pa.string(),
        pa.decimal128(10, 2),
        pa.timestamp("us", "UTC"),
    ]
    assert [str(row["price"]) for row in file.rows()] == ["1.10"]
    assert file.reasons() == ["price: 'x' is not a decimal128(10, 2)"]
    assert Unit(text, types={"id": "double", "zip": pa.int8()}).schema.types[:2] == [
        pa.float64(),
        pa.int8(),
    ]
    with pytest.raises(SchemaError, match="'nope', which is not there; there are: id, zip"):
        Unit(text, types="nope:string")


@pytest.mark.parametrize("types", ["id", "id:nothing", ":int64", "id:decimal(99,2)", "id:int64,,"])
def test_types_that_make_no_sense_are_refused(types: str) -> None:
    with pytest.raises(ValueError, match="types"):
        Unit(b"id\n1\n", types=types)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.text("aéß€", max_size=4), st.booleans()), max_size=9),
    st.integers(10, 60),
)
def test_other_encodings(rows: list[tuple[int, str, bool]], cell: int) -> None:
    schema = pa.schema([("größe", pa.int64()), ("s", pa.string())])
    lines = [f"{'x' if bad else number},{text}" for number, text, bad in rows]
    text = "größe,s\n" + "".join(line + "\n" for line in lines)
    with grid_of(cell):
        file = Unit(text.encode("cp1252"), schema=schema, encoding="windows-1252")
        pieces = file.pieces()
    assert [tuple(row.values()) for p in pieces for row in p.records.to_pylist()] == [
        (number, text or None) for number, text, bad in rows if not bad
    ]
    for row in (row for piece in pieces for row in piece.bad_rows):
        offset = int(row.place.split("byte ")[1].split(" ")[0].replace(",", ""))
        assert file.source.data[offset:].startswith(row.payload + b"\n")
        assert row.payload.startswith(b"x,")


def test_encodings_are_inferred_from_and_checked() -> None:
    file = Unit("name;n\nGrün;1\n".encode("latin-1"), encoding="latin-1", delimiter=";")
    assert file.rows() == [{"name": "Grün", "n": 1}]
    bad = Unit(b"a,b\n\x81,1\nx,2\n", encoding="cp1252")
    assert bad.rows() == [{"a": "x", "b": 2}]
    with pytest.raises(FatalError, match="its header is not utf-8"):
        Unit("größe\n".encode("latin-1"))
    for encoding in ("klingon", "base64", "punycode"):
        with pytest.raises(ValueError, match="encoding"):
            Unit(b"a\n", encoding=encoding)
