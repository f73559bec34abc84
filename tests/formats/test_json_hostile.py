"""Hostile JSON: nothing crashes, nothing is lost without a word, nothing is changed."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ferris_beam.errors import FatalError, FerrisError
from tests.formats.memory import Unit, grid_of

INT = pa.schema([("a", pa.int64())])
DOUBLE = pa.schema([("a", pa.float64())])
STRING = pa.schema([("a", pa.string())])
MIXED = pa.schema(
    [
        ("a", pa.int64()),
        ("b", pa.float64()),
        ("c", pa.string()),
        ("d", pa.list_(pa.float64())),
        ("e", pa.struct([("x", pa.int64())])),
        ("f", pa.map_(pa.string(), pa.bool_())),
        ("g", pa.timestamp("us")),
        ("h", pa.decimal128(20, 2)),
    ]
)
PIECES = st.sampled_from(
    [
        *(bytes([byte]) for byte in b'{}[]",:\\ \t0123456789.-+eEnultrfs'),
        *(b'"a"', b'"b":', b"null", b"true", b"1e400", b"\\u0000", b"\\ud800", b"\0", b"\xff"),
        *(b'{"a":1}', b'{"c":"', b'"d":[1,', b'"e":{"x":1}', b"NaN", b"\xef\xbb\xbf", b"\xc3\xa9"),
    ]
)
LINE = st.lists(PIECES, max_size=14).map(b"".join) | st.binary(max_size=20).map(
    lambda text: text.replace(b"\n", b"")
)


def read(data: bytes, schema: pa.Schema | None = None, **options: Any) -> tuple[Any, list[str]]:
    unit = Unit(data, "x.jsonl", schema, **options)
    return unit.rows(), unit.reasons()


@given(st.lists(LINE, max_size=8), st.integers(5, 80), st.sampled_from(["reject", "ignore"]))
@example([b'{"a":1}\0'], 80, "reject")
@example([b'{"a":"\\u0000"}'], 80, "reject")
@example([b'{"a":"\\u0000"}\0'], 80, "reject")
def test_every_line_is_a_row_or_a_bad_row(lines: list[bytes], cell: int, extra: str) -> None:
    data = b"\n".join([b"{}", *lines])
    expected = [line for line in data.split(b"\n") if line.strip(b" \t\r")]
    with grid_of(cell):
        pieces = Unit(data, "x.jsonl", MIXED, extra_keys=extra).pieces()
    bad = [row for piece in pieces for row in piece.bad_rows]
    assert sum(piece.records.num_rows for piece in pieces) + len(bad) == len(expected)
    for row in bad:
        row.reason.encode()


@given(st.lists(LINE, max_size=8))
def test_inference_never_crashes(lines: list[bytes]) -> None:
    try:
        Unit(b"\n".join(lines), "x.jsonl").pieces()
    except FerrisError as error:
        str(error).encode()


@given(st.lists(LINE, max_size=8).map(b"\n".join), st.integers(5, 80))
def test_documents_never_crash(data: bytes, cell: int) -> None:
    with grid_of(cell):
        try:
            Unit(data, "x.json", MIXED).pieces()
        except FatalError as error:
            str(error).encode()


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.lists(st.dictionaries(st.sampled_from('ab\0é"\\'), VALUES, max_size=4), max_size=6),
    st.booleans(),
    st.sampled_from([(",", ":"), (", ", " : ")]),
)
def test_any_objects_are_read_as_python_reads_them_or_rejected(
    rows: list[dict[str, Any]], ascii_only: bool, separators: tuple[str, str]
) -> None:
    """Whatever the columns turn out to be: a value that is no null is read or rejected."""
    lines = [json.dumps(row, ensure_ascii=ascii_only, separators=separators) for row in rows]
    try:
        unit = Unit("\n".join(lines).encode(), "x.jsonl")
    except FerrisError:
        assert not any(name.replace("\0", "") for row in rows for name in row)
        return
    (piece,) = unit.pieces()
    rejected = {row.payload.decode() for row in piece.bad_rows}
    kept = [row for row, line in zip(rows, lines, strict=True) if line not in rejected]
    assert len(kept) == piece.records.num_rows
    for found, row in zip(piece.records.to_pylist(), kept, strict=True):
        assert_same(found, row)


def assert_same(found: Any, value: Any) -> None:
    """``found`` holds every value of ``value`` that isn't null; what it has besides is null."""
    if isinstance(value, dict):
        found = dict(found)
        assert value.keys() - found.keys() <= {k for k in value if is_nothing(value[k])}
        for key, inner in found.items():
            assert_same(inner, value.get(key))
    elif isinstance(value, list):
        assert len(found) == len(value)
        for one, other in zip(found, value, strict=True):
            assert_same(one, other)
    elif isinstance(value, str) and not isinstance(found, str):
        assert str(found)[:10] == value[:10]  # dates and times
    elif isinstance(value, int) and isinstance(found, float):
        assert found == float(value)
    else:
        assert found == (Decimal(value) if isinstance(found, Decimal) else value)


def is_nothing(value: Any) -> bool:
    return value is None


# ── numbers ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "integer", "double"),
    [
        ("-0", 0, -0.0),
        ("1E+2", 100, 100.0),
        ("1e-400", 0, 0.0),
        ("9223372036854775807", 2**63 - 1, 2.0**63),
        ("9223372036854775808", None, 2.0**63),
        ("123456789012345678901234567890", None, 1.2345678901234568e29),
        ("1e400", None, None),
        ("-1e400", None, None),
        ("1e999999999999", None, None),
        ("9" * 5000, None, None),
        ("0." + "1" * 5000, None, 0.1111111111111111),
        ("NaN", None, None),
        ("-Infinity", None, None),
        ("+1", None, None),
        (".5", None, None),
        ("1e", None, None),
        ("0x1F", None, None),
        ("1_000", None, None),
        ("--1", None, None),
        ("true", None, None),
    ],
)
def test_numbers(text: str, integer: int | None, double: float | None) -> None:
    line = f'{{"a":{text}}}\n{{"a":7}}'.encode()
    for schema, expected in ((INT, integer), (DOUBLE, double)):
        rows, reasons = read(line, schema)
        values = [row["a"] for row in rows]
        assert values == ([7] if expected is None else [expected, 7])
        assert len(reasons) == (expected is None)
        if expected == 0 and expected is not None and schema == DOUBLE:
            assert math.copysign(1, values[0]) == math.copysign(1, expected)


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.float64()), pa.struct([("x", pa.float32())]), pa.map_("string", "double")]
)
def test_numbers_beyond_the_doubles_within_others(kind: pa.DataType) -> None:
    value = "[1e400]" if pa.types.is_list(kind) else '{"x":1e400}'
    rows, reasons = read(f'{{"a":{value}}}\n{{"a":null}}'.encode(), pa.schema([("a", kind)]))
    assert rows == [{"a": None}]
    assert "1e400" in reasons[0]


def test_infinity_in_quotes_is_meant() -> None:
    rows, reasons = read(b'{"a":"Infinity"}\n{"a":"NaN"}\n{"a":1e400}', DOUBLE)
    assert rows[0] == {"a": math.inf}
    assert math.isnan(rows[1]["a"])
    assert reasons == ["a: 1e400 is not a double"]


def test_integers_beyond_int64_keep_all_digits() -> None:
    rows, reasons = read(b'{"a":18446744073709551615}\n{"a":1}\n{"a":null}')
    assert [row["a"] for row in rows] == [Decimal(2**64 - 1), Decimal(1), None]
    assert not reasons
    for kind, value in (("decimal(20,0)", Decimal(2**64)), ("double", 2.0**64)):
        assert read(b'{"a":18446744073709551616}', types=f"a:{kind}") == ([{"a": value}], [])


# ── texts ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (rb"\ud83d", "half of a character"),
        (rb"\udc00x", "half of a character"),
        (rb"\ud83d\u0041", "half of a character"),
        (b"\xed\xa0\x80", "not UTF-8: byte 7 is 0xed"),
        (b"\xc0\x80", "not UTF-8: byte 7 is 0xc0"),
        (b"\xff", "not UTF-8: byte 7 is 0xff"),
        (rb"\q", "not JSON: Invalid \\escape"),
        (rb"\u12", "not JSON: Invalid \\uXXXX escape"),
        (b"\0", "not JSON: Invalid control character"),
    ],
)
def test_texts_that_are_none(text: bytes, reason: str) -> None:
    for line in (b'{"a":"' + text + b'"}', b'{"a":"x","' + text + b'":1}'):
        rows, reasons = read(line + b'\n{"a":"good"}', STRING, extra_keys="ignore")
        assert rows == [{"a": "good"}]
        assert reason.split(": byte")[0] in reasons[0]
        reasons[0].encode()


@pytest.mark.parametrize("text", ["\0", "\\u0000", "a\0b", "\x7f", "/", "\u2028", "𠮷\0"])
def test_texts_that_are_some(text: str) -> None:
    for line in (json.dumps({"a": text}), json.dumps({"a": text}, ensure_ascii=False)):
        assert read(line.encode(), STRING) == ([{"a": text}], [])


def test_an_escaped_nul_where_none_is_expected_rejects_its_line() -> None:
    """arro3 aborts the process where an error names the character."""
    lines = b'{"a":1}\n{"a":"\\u0000"}\n{"a":2,"\\u0000":1}\n{"a":"1\\u0000"}\n{"a":3}'
    rows, reasons = read(lines, INT, extra_keys="ignore")
    assert [row["a"] for row in rows] == [1, 2, 3]
    assert len(reasons) == 2


def test_nul_bytes_anywhere_reject_their_line() -> None:
    rows, reasons = read(b'{"a":1}\n\0\n{"a":2}\0\n\0{"a":2}\n{"a":\0 3}\n{"a":4}\n', INT)
    assert [row["a"] for row in rows] == [1, 4]
    assert len(reasons) == 4


def test_a_mark_is_skipped_and_other_encodings_are_refused() -> None:
    text = '{"a":1}\n'
    assert read(text.encode("utf-8-sig"), INT) == ([{"a": 1}], [])
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"):
        for name in ("x.jsonl", "x.json"):
            with pytest.raises(FatalError, match="UTF-16 or UTF-32 does; JSON is UTF-8"):
                Unit(text.encode(encoding), name, INT).pieces()


def test_mixed_line_ends() -> None:
    rows, reasons = read(b'{"a":1}\r\n{"a":2}\n\r\n{"a":3}\r{"a":4}\n\n{"a":5}\r', INT)
    assert [row["a"] for row in rows] == [1, 2, 5]
    assert reasons == ["not JSON: Extra data at character 9"]


@given(
    st.lists(
        st.lists(st.sampled_from([" ", "\t", "\r", "\v", "\f", "{}", "  " * 20]), max_size=4),
        max_size=6,
    )
)
def test_only_blanks_make_a_blank_line(lines: list[list[str]]) -> None:
    texts = ["".join(line) for line in lines]
    rows, reasons = read("\n".join(texts).encode(), INT)
    assert len(rows) + len(reasons) == sum(bool(text.strip(" \t\r")) for text in texts)
    assert len(rows) == sum(text.strip(" \t\r") == "{}" for text in texts)


# ── shapes ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("depth", [100, 2_000, 100_000])
@pytest.mark.parametrize("brackets", [(b"[", b"]"), (b'{"a":', b"}")])
@pytest.mark.parametrize("name", ["x.jsonl", "x.json"])
def test_deep_nesting(depth: int, brackets: tuple[bytes, bytes], name: str) -> None:
    opening, closing = brackets
    deep = opening * depth + b"1" + closing * depth
    data = b'{"a":1}\n{"a":' + deep + b'}\n{"a":2}'
    unit = Unit(data, name)
    assert [row["a"] for row in unit.rows()] == [1, 2]
    assert len(unit.reasons()) == 1


def test_only_deep_nesting_is_no_column() -> None:
    with pytest.raises(FerrisError, match="has no columns"):
        Unit(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "x.jsonl")


def test_unclosed_brackets() -> None:
    rows, reasons = read(b'{"a":' + b"[" * 100_000 + b'\n{"a":1}', INT)
    assert rows == [{"a": 1}]
    assert reasons == ["not JSON that can be read: nested too deeply"]


def test_large_fields_and_many_keys() -> None:
    text = "xé" * 5_000_000
    many = {f"k{at}": at for at in range(5_000)}
    data = "\n".join(map(json.dumps, ({"k0": 1}, many, {"k0": 2, "text": text}))).encode()
    unit = Unit(data, "x.jsonl", types="text:string")
    rows = unit.rows()
    assert rows[2]["text"] == text
    assert {name: rows[1][name] for name in many} == many
    assert not unit.reasons()


@pytest.mark.parametrize("line", ["5", "null", '"x"', "[]", '[{"a":1}]', "true", "-", "{}{}"])
def test_lines_that_are_no_objects(line: str) -> None:
    rows, reasons = read(f'{line}\n{{"a":1}}\n{line}\n'.encode(), INT, format="jsonl")
    assert rows == [{"a": 1}]
    assert len(reasons) == 2


def test_empty_objects_are_rows_of_nulls() -> None:
    assert read(b'{}\n{"a":1}\n{ }', INT) == ([{"a": None}, {"a": 1}, {"a": None}], [])


# ── keys ────────────────────────────────────────────────────────────────────────────────────────


def test_of_duplicate_keys_the_last_one_counts_as_in_python() -> None:
    line = b'{"a":1,"a":2,"e":{"x":1,"x":3},"a":4}'
    rows, reasons = read(line, MIXED)
    assert (rows[0]["a"], rows[0]["e"], reasons) == (4, {"x": 3}, [])
    assert json.loads(line) == {"a": 4, "e": {"x": 3}}


KEYS = st.sampled_from(["a", "b", "s", "x", "null", ":", '":', "é"])
STRINGS = st.sampled_from(["", ":", '":', '":null', ":null", "null", '"x":1', "\\", '\\":', " :"])
INNER = st.fixed_dictionaries({}, optional={"x": st.none() | STRINGS, "y": st.none() | STRINGS})
KNOWN = pa.schema(
    [
        ("a", pa.string()),
        ("s", pa.struct([("x", pa.string())])),
        ("m", pa.map_(pa.string(), pa.string())),
        ("l", pa.list_(pa.struct([("x", pa.string())]))),
    ]
)
KEYED = st.fixed_dictionaries(
    {},
    optional={
        "a": st.none() | STRINGS,
        "s": st.none() | INNER,
        "m": st.none() | st.dictionaries(KEYS, st.none() | STRINGS, max_size=2),
        "l": st.none() | st.lists(st.none() | INNER, max_size=2),
        "extra": st.none() | STRINGS,
        '":': STRINGS,
    },
)


def has_extra_keys(row: dict[str, Any]) -> bool:
    inner = [row.get("s"), *(row.get("l") or [])]
    return (
        row.get("extra") is not None
        or '":' in row
        or any(value is not None and value.get("y") is not None for value in inner)
    )


@given(
    st.lists(KEYED, min_size=1, max_size=6),
    st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : "), (",", "  :  "), (",", "\t:")]),
    st.booleans(),
)
def test_values_of_unknown_keys_are_never_lost(
    rows: list[dict[str, Any]], separators: tuple[str, str], ascii_only: bool
) -> None:
    lines = [json.dumps(row, separators=separators, ensure_ascii=ascii_only) for row in rows]
    (piece,) = Unit("\n".join(lines).encode(), "x.jsonl", KNOWN).pieces()
    bad = [line for row, line in zip(rows, lines, strict=True) if has_extra_keys(row)]
    assert [row.payload.decode() for row in piece.bad_rows] == bad
    assert piece.records.num_rows == len(rows) - len(bad)


def test_what_is_said_of_unknown_keys() -> None:
    lines = b'{"a":"x"}\n{"a":"x","n":1,"s":{"y":2}}\n{"b":"\\u00e9"}\n'
    _, reasons = read(lines, KNOWN)
    advice = ": raise sample_size, name it in types=, or set extra_keys=ignore"
    assert reasons == [f"'n', 's.y' are no columns{advice}", f"'b' is no column{advice}"]
    assert read(lines, KNOWN, extra_keys="ignore")[1] == []


def test_unknown_keys_do_not_matter_to_who_says_what_to_read() -> None:
    unit = Unit(b'{"a":"x","n":1}\n', "x.jsonl", KNOWN)
    assert unit.rows(columns=["a"]) == [{"a": "x"}]
    declared = Unit(b'{"a":"x","n":1}\n', "x.jsonl", STRING, declared_schema={"a": "string"})
    assert declared.rows() == [{"a": "x"}]


# ── types that disagree ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("values", "kind", "kept"),
    [
        (["1", '"x"'], pa.string(), ["x"]),
        (['"x"'] + ["1"] * 99, pa.int64(), [1] * 99),
        (['"x"', "1", '{"b":1}'], pa.string(), ["x"]),
        (['{"b":1}', '"x"', '{"b":2}'], pa.string(), ["x"]),
        (['[1,"x"]', '"t"'], pa.string(), ["t"]),
        (["{}", '{"b":1}'], pa.struct([("b", pa.int64())]), [{"b": None}, {"b": 1}]),
        (["[]", "[{}]"], pa.list_(pa.map_("string", "string")), [[], [[]]]),
        (["null", "null"], pa.string(), [None, None]),
        (["[null]", "[]"], pa.list_(pa.string()), [[None], []]),
    ],
)
def test_columns_of_mixed_types(values: list[str], kind: pa.DataType, kept: list[Any]) -> None:
    data = "\n".join(f'{{"a":{value}}}' for value in values).encode()
    unit = Unit(data, "x.jsonl")
    assert unit.schema.field("a").type == kind
    assert [row["a"] for row in unit.rows()] == kept
    assert len(unit.reasons()) == len(values) - len(kept)


def test_samples_that_disagree() -> None:
    """The first sample's type stays where two have none in common."""
    data = b'{"a":{"b":1}}\n{"a":"x"}\n'
    with grid_of(8):
        unit = Unit(data, "x.jsonl", sample_size="all")
    assert unit.schema.field("a").type == pa.struct([("b", pa.int64())])
    assert len(unit.reasons()) == 1


def test_nulls_give_way_to_values_of_later_samples() -> None:
    data = b'{"a":null,"b":[]}\n{"a":1,"b":[2]}\n{"c":null}\n'
    with grid_of(8):
        unit = Unit(data, "x.jsonl", sample_size="all")
    kinds = [("a", pa.int64()), ("b", pa.list_(pa.int64())), ("c", pa.string())]
    assert unit.schema == pa.schema(kinds)
