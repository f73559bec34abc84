"""JSON against Python's json and DuckDB."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferris_beam.errors import BadRecordError, SqlError
from ferris_beam.sql.functions.paths import steps, write
from ferris_beam.sql.functions.vectorised import documents
from tests.sql.functions.running import in_duckdb, select

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=5)
NUMBERS = st.integers(-(2**80), 2**80) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.lists(st.none() | VALUES.map(lambda value: (value,)), min_size=1, max_size=20)


def _texts(values: list[Any]) -> list[str | None]:
    return [None if value is None else json.dumps(value[0]) for value in values]


@given(DOCUMENTS)
@settings(deadline=None)
def test_documents_are_parsed_as_python_parses_them(values: list[Any]) -> None:
    texts = _texts(values)
    found = documents.parsed(pa.array(texts, pa.string()))
    for text, document in zip(texts, found, strict=True):
        if text is None:
            assert document is documents.MISSING
        else:
            assert _floats(document) == _floats(json.loads(text))


@given(DOCUMENTS)
@settings(deadline=None)
def test_documents_are_written_so_that_they_can_be_read_again(values: list[Any]) -> None:
    texts = _texts(values)
    for text, document in zip(texts, documents.parsed(pa.array(texts, pa.string())), strict=True):
        if text is not None:
            assert _floats(json.loads(documents.written(document))) == _floats(json.loads(text))


def _floats(value: Any) -> Any:
    """Decimals as doubles: those that were written are the shortest ones that are the same."""
    if isinstance(value, dict):
        return {key: _floats(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_floats(inner) for inner in value]
    return float(value) if isinstance(value, Decimal) else value


@given(st.lists(st.sampled_from(["{}", "[1", "2]", "1,2", '"a', '"', "", " ", "[", "]", "{", "}"])))
def test_texts_that_are_documents_only_together_are_refused(texts: list[str]) -> None:
    valid = all(_is_json(text) for text in texts)
    array = pa.array(texts, pa.string())
    if valid:
        assert documents.parsed(array) == [json.loads(text) for text in texts]
    else:
        with pytest.raises(ValueError, match="is no JSON"):
            documents.parsed(array)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def test_what_was_parsed_last_is_not_taken_for_another_array() -> None:
    for number in range(50):
        assert documents.parsed(pa.array([f"[{number}]"])) == [[number]]


def test_digits_of_numbers_are_kept() -> None:
    text = '{"a": 12345678901234567890.123456789, "b": 123456789012345678901234567890, "c": 1e400}'
    values = pa.array([text, '{"a": 0.5}'])
    assert select("j ->> 'a'", j=values).to_pylist() == ["12345678901234567890.123456789", "0.5"]
    assert select("j ->> 'b'", j=values)[0].as_py() == "123456789012345678901234567890"
    assert Decimal(select("json_extract(j, '$.c')", j=values)[0].as_py()) == Decimal("1e400")


KEYS = st.sampled_from(["a", "b", "long key", 'quo"te', "0"])
STEPS = st.lists(KEYS | st.integers(0, 2), max_size=3).map(tuple)


@given(STEPS)
def test_a_path_that_is_written_is_read_back(path: tuple[str | int, ...]) -> None:
    assert steps(write(path)) == path


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", ()),
        ("$.a.b", ("a", "b")),
        ("$['a b'][0]", ("a b", 0)),
        ('$."a.b"[-1]', ("a.b", -1)),
        ("plain", ("plain",)),
    ],
)
def test_paths(path: str, expected: tuple[str | int, ...]) -> None:
    assert steps(path) == expected


@pytest.mark.parametrize("path", ["$a", "$.", "$[", "$[x]", "$.*", "$..a"])
def test_a_path_that_is_none_says_where(path: str) -> None:
    with pytest.raises(ValueError, match=r"is not understood at character \d"):
        steps(path)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**50), 2**50) | st.text("abc", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3)
    ),
    max_leaves=8,
)
FUNCTIONS = [
    "j -> '$.a'",
    "j ->> '$.a'",
    "j ->> '$.a[0].b'",
    "json_extract_string(j, '$.b')",
    "json_array_length(j)",
    "json_array_length(j, '$.a')",
    "json_type(j)",
    "json_type(j, '$.a')",
    "json_exists(j, '$.a')",
    "json_keys(j)",
    "json_valid(j)",
]


@given(st.lists(PLAIN, min_size=1, max_size=8))
@settings(deadline=None, max_examples=25)
def test_functions_of_documents_are_those_of_duckdb(values: list[Any]) -> None:
    texts = pa.table({"j": [json.dumps(value, separators=(",", ":")) for value in values]})
    for function in FUNCTIONS:
        wanted = in_duckdb(texts, function)
        ours = select(function, j=texts["j"].combine_chunks()).to_pylist()
        if function == "json_keys(j)":  # NULL here, an empty list there for what is no object
            ours = [keys or [] for keys in ours]
        assert ours == wanted, function


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "number": st.none() | st.integers(-(2**63), 2**63 - 1),
                "text": st.none() | TEXT,
                "flag": st.none() | st.booleans(),
                "items": st.none() | st.lists(st.none() | TEXT, max_size=3),
                "inner": st.none() | st.fixed_dictionaries({"x": st.none() | st.integers(0, 9)}),
            }
        ),
        min_size=1,
        max_size=6,
    )
)
@settings(deadline=None, max_examples=25)
def test_to_json_of_nested_values_is_what_python_reads_back(rows: list[dict[str, Any]]) -> None:
    kind = pa.struct(
        {
            "number": pa.int64(),
            "text": pa.string(),
            "flag": pa.bool_(),
            "items": pa.list_(pa.string()),
            "inner": pa.struct({"x": pa.int64()}),
        }
    )
    written = select("to_json(value)", value=pa.array(rows, kind))
    assert [json.loads(text) for text in written.to_pylist()] == rows


def test_to_json_of_maps_decimals_times_and_doubles() -> None:
    maps = pa.array([[("a", 1), ("b", None)], None], pa.map_(pa.string(), pa.int64()))
    assert select("to_json(m)", m=maps).to_pylist() == ['{"a":1,"b":null}', "null"]
    assert select("json_array(1.10, 1e0, DATE '2026-01-31', NULL)")[0].as_py() == (
        '[1.10,1.0,"2026-01-31",null]'
    )
    doubles = pa.array([float("nan"), float("inf"), 0.5])
    assert select("to_json(x)", x=doubles).to_pylist() == ["null", "null", "0.5"]


def test_a_text_that_is_no_json_is_the_fault_of_its_row() -> None:
    with pytest.raises(BadRecordError, match=r"'\{oops' is no JSON"):
        select("j ->> 'a'", j=pa.array(['{"a": 1}', "{oops"]))


def test_a_key_without_value_is_refused() -> None:
    with pytest.raises(SqlError, match="a key lacks its value"):
        select("json_build_object('a', 1, 'b')")


def test_operators_of_postgresql() -> None:
    documents_ = pa.array(['{"a": [{"b": "x"}]}'])
    assert select("j #>> '{a,0,b}'", j=documents_).to_pylist() == ["x"]
    assert select("j -> 'a' -> 0 ->> 'b'", j=documents_).to_pylist() == ["x"]
