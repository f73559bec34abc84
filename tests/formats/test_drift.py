"""One schema of several units."""

from __future__ import annotations

import threading

import pyarrow as pa
import pytest

from ferris_beam.errors import SchemaError
from ferris_beam.formats.base import Discovery
from ferris_beam.formats.drift import check_types, common_schema
from ferris_beam.formats.options import ReadOptions

UNION = ReadOptions(schema_drift="union")
INT = pa.schema([("v", pa.int64())])
TEXT = pa.schema([("v", pa.string())])
LIST = pa.schema([("v", pa.list_(pa.int64()))])


def common(found: dict[str, Discovery], options: ReadOptions = UNION) -> pa.Schema:
    return common_schema(list(found), lambda name: found[name], options, "data/*")


def test_guesses_give_way_to_what_is_known() -> None:
    guess = Discovery(TEXT, certain=False)
    null = Discovery(TEXT, certain=True, unknown=frozenset({"v"}))
    known = Discovery(INT, certain=True)
    for units in ({"a": guess, "b": known}, {"a": known, "b": null}, {"a": null, "b": known}):
        assert common(units) == INT
    assert common({"a": guess, "b": null}) == TEXT


def test_types_that_were_given_are_known_without_rows() -> None:
    options = ReadOptions(schema_drift="union", types={"v": "int32"})
    typed = pa.schema([("v", pa.int32())])
    assert common({"a": Discovery(typed, certain=False)}, options) == typed


def test_units_that_have_nothing_in_common_are_both_named() -> None:
    units = {"a": Discovery(INT, True), "b": Discovery(INT, True), "c": Discovery(LIST, True)}
    with pytest.raises(SchemaError, match=r"^a and c can't be read together: v: int64 and list<.*"):
        common(units)


def test_an_error_of_one_unit_stops_the_others() -> None:
    looked_at: list[str] = []
    lock = threading.Lock()

    def discover(name: str) -> Discovery:
        with lock:
            looked_at.append(name)
        if name == "0":
            raise SchemaError("0: damaged")
        return Discovery(INT, certain=True)

    with pytest.raises(SchemaError, match="0: damaged"):
        common_schema([str(at) for at in range(100_000)], discover, UNION, "data/*")
    assert len(looked_at) < 100_000


def test_without_a_policy_the_first_certain_one_decides() -> None:
    def refuse(name: str) -> Discovery:
        if name == "c":
            raise AssertionError("nobody needs to look at it")
        return Discovery(TEXT, False) if name == "a" else Discovery(INT, True)

    assert common_schema(["a", "b", "c"], refuse, ReadOptions(), "data/*") == INT
    with pytest.raises(SchemaError, match=r"data/\*: has no columns"):
        common_schema([], refuse, ReadOptions(), "data/*")


def test_a_declared_schema_needs_no_look() -> None:
    def refuse(name: str) -> Discovery:
        raise AssertionError("nobody needs to look")

    options = ReadOptions(schema={"v": "list<int64>"})
    assert common_schema(["a"], refuse, options, "data/*") == LIST


@pytest.mark.parametrize(
    ("first", "other", "fits"),
    [
        (pa.int64(), pa.int32(), True),
        (pa.int32(), pa.int64(), False),
        (pa.float64(), pa.float32(), True),
        (pa.string(), pa.large_string(), True),
        (pa.large_string(), pa.string(), True),
        (pa.list_(pa.string()), pa.large_list(pa.string_view()), True),
        (pa.list_(pa.int8()), pa.list_(pa.string()), False),
        (pa.timestamp("us"), pa.date32(), True),
        (pa.string(), pa.dictionary(pa.int32(), pa.string()), True),
        (pa.int64(), pa.null(), True),
    ],
)
def test_what_the_first_files_type_holds_is_no_drift(
    first: pa.DataType, other: pa.DataType, fits: bool
) -> None:
    found = pa.schema([("v", other), ("another", pa.int64())])
    if fits:
        check_types("b", found, pa.schema([("v", first)]))
        return
    with pytest.raises(SchemaError, match=r"b: its column 'v' is .*, and .* in"):
        check_types("b", found, pa.schema([("v", first)]))
