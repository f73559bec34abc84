"""Types as users write them."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.errors import SchemaError
from ferris_beam.formats.types import data_type, parse_types, schema_of, with_types


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("int64", pa.int64()),
        (" Integer ", pa.int64()),
        ("text", pa.string()),
        ("date", pa.date32()),
        ("timestamp", pa.timestamp("us")),
        ("timestamptz", pa.timestamp("us", "UTC")),
        ("timestamp[ms]", pa.timestamp("ms")),
        ("decimal(10,2)", pa.decimal128(10, 2)),
        ("decimal( 5 )", pa.decimal128(5, 0)),
        ("list<int64>", pa.list_(pa.int64())),
        ("map<string,list<date>>", pa.map_(pa.string(), pa.list_(pa.date32()))),
        (
            "struct<Id: int64, price:decimal(10,2), x:struct<y:text>>",
            pa.struct(
                [
                    ("Id", pa.int64()),
                    ("price", pa.decimal128(10, 2)),
                    ("x", pa.struct([("y", pa.string())])),
                ]
            ),
        ),
    ],
)
def test_types_have_names(name: str, kind: pa.DataType) -> None:
    assert data_type(name) == kind


@pytest.mark.parametrize(
    "name", ["", "int65", "list<>", "list<int64", "map<string>", "struct<a>", "list<int64,int64>"]
)
def test_what_is_no_type_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"there is no type|a name is missing"):
        data_type(name)


def test_pairs_are_split_outside_of_brackets() -> None:
    text = "id:int64, a b:list<struct<x:int64,y:decimal(9,2)>>,t:timestamp[us],u::v:text"
    assert parse_types(text) == {
        "id": "int64",
        "a b": "list<struct<x:int64,y:decimal(9,2)>>",
        "t": "timestamp[us]",
        "u::v": "text",
    }
    for wrong in (":int64", "id", "id:", "id:int64,"):
        with pytest.raises(ValueError, match=r"name is missing|no type"):
            parse_types(wrong)


NAMES = st.text(st.characters(exclude_characters=",:()[]<>", codec="utf-8"), min_size=1)


@given(
    st.dictionaries(
        NAMES.map(str.strip).filter(bool),
        st.sampled_from(["int64", "decimal(10,2)", "list<struct<a:int8,b:map<text,date>>>"]),
        min_size=1,
    )
)
def test_what_is_shown_is_read_back(types: dict[str, str]) -> None:
    text = ",".join(f"{name}:{kind}" for name, kind in types.items())
    assert parse_types(text) == parse_types(types) == types
    assert schema_of(types).names == list(types)


def test_types_are_of_columns_that_are_there() -> None:
    schema = pa.schema([("a", pa.int64())])
    assert with_types(schema, {"a": "text"}, "x") == pa.schema([("a", pa.string())])
    with pytest.raises(SchemaError, match="types= names the column 'b', which is not there"):
        with_types(schema, {"b": "text"}, "x")
