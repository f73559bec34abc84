"""Casting between schemas: each row as pyarrow casts it alone, and bad ones told apart."""

from __future__ import annotations

import decimal
import math
import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferris_beam.batches.casting import cast_column, cast_records, spoken
from ferris_beam.errors import SchemaError

WORDS = """
    1 -1 007 1.5 1e3 nan x true false 300 99999999999999999999
    2024-01-31 2024-02-30 10:00 10:00:00.5 2024-01-31T10:00:00Z 2024-01-31T10:00:00
"""
TEXTS = st.sampled_from(WORDS.split()) | st.text(max_size=4)
GIVEN: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.string(): TEXTS,
    pa.large_string(): TEXTS,
    pa.binary(): st.binary(max_size=3) | TEXTS.map(str.encode),
    pa.dictionary(pa.int8(), pa.string()): TEXTS,
    pa.int64(): st.integers(-(2**63), 2**63 - 1) | st.integers(-300, 300),
    pa.uint64(): st.integers(0, 2**64 - 1) | st.integers(0, 300),
    pa.float64(): st.floats() | st.integers(-300, 300).map(float),
    pa.bool_(): st.booleans(),
    pa.decimal128(20, 3): st.decimals(-(10**16), 10**16, places=3),
    pa.timestamp("ns"): st.integers(-(2**62), 2**62),
    pa.timestamp("us", "UTC"): st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),
    pa.date32(): st.dates(),
    pa.list_(pa.int64()): st.lists(st.none() | st.integers(-300, 300), max_size=3),
    pa.list_(pa.string()): st.lists(st.none() | TEXTS, max_size=3),
    pa.struct([("a", pa.float64())]): st.fixed_dictionaries({"a": st.none() | st.floats()}),
    pa.null(): st.none(),
}
WANTED = [
    pa.int8(),
    pa.uint16(),
    pa.int64(),
    pa.float32(),
    pa.float64(),
    pa.bool_(),
    pa.string(),
    pa.large_string(),
    pa.decimal128(8, 2),
    pa.date32(),
    pa.timestamp("s"),
    pa.timestamp("us"),
    pa.timestamp("us", "Europe/Berlin"),
    pa.dictionary(pa.int32(), pa.string()),
    pa.list_(pa.int8()),
    pa.large_list(pa.int64()),
    pa.struct([("a", pa.int32())]),
]
CASES = st.sampled_from(list(GIVEN)).flatmap(
    lambda kind: st.tuples(st.just(kind), st.lists(st.none() | GIVEN[kind], max_size=12))
)


def alone(column: pa.Array, row: int, wanted: pa.DataType) -> Any:
    """The value of a row that is cast without the others, or the exception."""
    value = column.slice(row, 1)
    value = value.dictionary_decode() if pa.types.is_dictionary(value.type) else value
    value = pa.array(value.to_pylist(), value.type) if pa.types.is_nested(value.type) else value
    try:
        return value.cast(wanted)
    except pa.ArrowInvalid as error:
        return error


def shown(column: pa.Array) -> str:
    plain = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    return str(plain)


@settings(deadline=None)
@given(CASES, st.sampled_from(WANTED))
def test_rows_cast_as_they_do_alone(case: tuple[pa.DataType, list[Any]], wanted: Any) -> None:
    kind, values = case
    records = pa.RecordBatch.from_arrays(
        [pa.array(range(len(values)), pa.int64()), pa.array(values, kind)], names=["id", "v"]
    )
    schema = pa.schema([("v", wanted), ("id", pa.int64())])
    if not _is_castable(records["v"].type, wanted):
        words = f"column 'v': {spoken(_decoded(kind))} can't be cast to {spoken(wanted)}"
        with pytest.raises(SchemaError, match=re.escape(words)):
            cast_records(records, schema)
        return
    found = cast_records(records, schema)
    rows = [alone(records["v"], row, wanted) for row in range(len(values))]
    good = [row for row, value in enumerate(rows) if not isinstance(value, Exception)]
    if wanted == pa.float32():
        good = [row for row in good if not _overflows(values[row], rows[row])]
    assert found.records.schema.equals(schema)
    assert found.records["id"].to_pylist() == good
    assert [failure.row for failure in found.failures] == sorted(set(range(len(rows))) - set(good))
    assert (found.kept is None) == (len(good) == len(rows))
    for position, row in enumerate(good):
        assert shown(found.records["v"].slice(position, 1)) == shown(rows[row])


def _is_castable(kind: pa.DataType, wanted: pa.DataType) -> bool:
    try:
        pa.nulls(1, _decoded(kind)).cast(wanted)
    except pa.ArrowNotImplementedError:
        return False
    except pa.ArrowInvalid:
        return True
    return True


def _decoded(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _overflows(value: Any, found: pa.Array) -> bool:
    return isinstance(value, float) and math.isinf(found[0].as_py()) and not math.isinf(value)


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=300), st.integers(0, 5))
def test_bad_rows_are_found_wherever_they_are(pattern: list[bool], offset: int) -> None:
    texts = pa.array([f"{at}" if good else f"x{at}" for at, good in enumerate(pattern)])
    found = cast_column(texts.slice(min(offset, len(pattern) - 1)), pa.int64())
    expected = [None if not good else at for at, good in enumerate(pattern)]
    assert found.column.to_pylist() == expected[min(offset, len(pattern) - 1) :]
    assert np.array_equal(
        found.bad, np.flatnonzero([value is None for value in found.column.to_pylist()])
    )


def one(values: list[Any], given: pa.DataType, wanted: pa.DataType, **options: Any) -> Any:
    records = pa.RecordBatch.from_arrays([pa.array(values, given)], names=["v"])
    found = cast_records(records, pa.schema([("v", wanted)]), **options)
    return found.records["v"].to_pylist(), [failure.reason for failure in found.failures]


@pytest.mark.parametrize(
    ("values", "given", "wanted", "kept", "reasons"),
    [
        (["1", "x"], pa.string(), pa.int64(), [1], ["v: 'x' is not an int64"]),
        ([b"\xff", b"a"], pa.binary(), pa.string(), ["a"], ["v: b'\\xff' is not a string"]),
        ([1, 300], pa.int64(), pa.int8(), [1], ["v: 300 does not fit an int8"]),
        ([1.0, 2.5], pa.float64(), pa.int64(), [1], ["v: 2.5 does not fit an int64"]),
        ([1.0, 1e300], pa.float64(), pa.float32(), [1.0], ["v: 1e+300 does not fit a float"]),
        (["x" * 99], pa.string(), pa.int64(), [], [f"v: '{'x' * 58}… is not an int64"]),
        (
            ["10:00", "25:00", "1"],
            pa.string(),
            pa.time64("us"),
            [time(10)],
            ["v: '25:00' is not a time64[us]", "v: '1' is not a time64[us]"],
        ),
        (
            [Decimal("1.25")],
            pa.decimal128(5, 2),
            pa.decimal128(5, 1),
            [],
            ["v: 1.25 does not fit a decimal128(5, 1)"],
        ),
        (
            [1, 2**63 - 1],
            pa.timestamp("ns"),
            pa.timestamp("us"),
            [],
            [
                "v: 1970-01-01 00:00:00.000000001 does not fit a timestamp[us]",
                "v: 2262-04-11 23:47:16.854775807 does not fit a timestamp[us]",
            ],
        ),
    ],
)
def test_reasons(
    values: list[Any], given: Any, wanted: Any, kept: list[Any], reasons: list[str]
) -> None:
    assert one(values, given, wanted) == (kept, reasons)


def test_unsafe_lets_numbers_wrap_and_lose_their_fraction() -> None:
    assert one([2.5, 300.0], pa.float64(), pa.int64(), safe=False) == ([2, 300], [])
    assert one([300], pa.int64(), pa.uint8(), safe=False) == ([44], [])


def test_several_failures_of_a_row_are_all_told() -> None:
    records = pa.RecordBatch.from_pydict({"a": ["1", "x", "y"], "b": ["1", "2", "z"]})
    found = cast_records(records, pa.schema([("a", pa.int64()), ("b", pa.int64())]))
    assert found.records.to_pylist() == [{"a": 1, "b": 1}]
    assert found.kept is not None
    assert found.kept.tolist() == [0]
    assert [(failure.row, failure.column) for failure in found.failures] == [
        (1, "a"),
        (2, "a"),
        (2, "b"),
    ]


def test_null_where_a_value_is_required() -> None:
    schema = pa.schema([pa.field("v", pa.int64(), nullable=False)])
    for values in (["1", None, "x"], pa.array([1, None, 3])):
        records = pa.RecordBatch.from_pydict({"v": values})
        found = cast_records(records, schema)
        assert found.records.schema == schema
        assert found.records["v"].null_count == 0
        assert "v: null where a value is required" in [f.reason for f in found.failures]


def test_columns_are_ordered_dropped_and_added() -> None:
    records = pa.RecordBatch.from_pydict({"a": [1], "b": ["x"], "c": [2.5]})
    schema = pa.schema([("c", pa.float64()), ("n", pa.date32()), ("a", pa.string())])
    assert cast_records(records, schema).records.to_pylist() == [{"c": 2.5, "n": None, "a": "1"}]


def test_a_required_column_must_be_there() -> None:
    schema = pa.schema([pa.field("n", pa.int64(), nullable=False)])
    with pytest.raises(SchemaError, match="'n' is missing and must not be null; there are: a"):
        cast_records(pa.RecordBatch.from_pydict({"a": [1]}), schema)


def test_columns_of_one_name_are_refused() -> None:
    records = pa.RecordBatch.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    with pytest.raises(SchemaError, match="there are 2 columns named 'a'"):
        cast_records(records, pa.schema([("a", pa.int8())]))


def test_what_fits_is_not_copied() -> None:
    records = pa.RecordBatch.from_pydict({"a": [1], "b": ["x"]})
    assert cast_records(records, records.schema).records is records


def test_a_neighbour_in_a_list_does_no_harm() -> None:
    """Arrow casts the items of a whole array, also for a slice of it."""
    values = [[1], [300], None, [2]]
    assert one(values, pa.list_(pa.int64()), pa.list_(pa.int8()))[0] == [[1], None, [2]]


def test_durations_and_dates() -> None:
    assert one([timedelta(seconds=1)], pa.duration("us"), pa.duration("ms")) == (
        [timedelta(seconds=1)],
        [],
    )
    assert one([date(2024, 1, 31)], pa.date32(), pa.timestamp("us")) == (
        [datetime(2024, 1, 31)],
        [],
    )


# ── decimals ────────────────────────────────────────────────────────────────────────────────────

DECIMALS = [
    pa.decimal128(38, 0),
    pa.decimal128(20, 4),
    pa.decimal256(76, 0),
    pa.decimal256(76, 12),
    pa.decimal32(9, 2),
    pa.decimal64(18, 3),
]
EXACT = decimal.Context(prec=200)


@st.composite
def decimal_texts(draw: st.DrawFn) -> str:
    whole = draw(st.text("0123456789", min_size=1, max_size=90))
    fraction = draw(st.text("0123456789", max_size=6))
    exponent = draw(st.sampled_from(["", "", "", "e3", "E-2", "e25"]))
    return draw(st.sampled_from(["", "-", "+"])) + f"{whole}.{fraction}{exponent}"


@given(st.lists(decimal_texts(), min_size=1, max_size=5), st.sampled_from(DECIMALS))
def test_a_text_becomes_the_same_decimal_or_none(texts: list[str], wanted: pa.DataType) -> None:
    """Arrow alone lets what has too many digits wrap around."""
    cast = cast_column(pa.array(texts), wanted)
    for row, (text, found) in enumerate(zip(texts, cast.column.to_pylist(), strict=True)):
        assert (found is None) == (row in cast.bad)
        assert found is None or found == EXACT.create_decimal(text)


@given(st.data(), st.sampled_from(DECIMALS))
def test_a_text_of_a_fitting_decimal_is_taken(data: st.DataObject, wanted: pa.DataType) -> None:
    most = 10**wanted.precision - 1
    value = EXACT.scaleb(data.draw(st.integers(-most, most)), -wanted.scale)
    assert cast_column(pa.array([f"{value:f}"]), wanted).column.to_pylist() == [value]


@given(st.data(), st.sampled_from(DECIMALS), st.sampled_from(DECIMALS))
def test_decimals_of_fewer_bits_do_not_wrap(
    data: st.DataObject, given_type: pa.DataType, wanted: pa.DataType
) -> None:
    most = 10**given_type.precision - 1
    value = EXACT.scaleb(data.draw(st.integers(-most, most)), -given_type.scale)
    (found,) = cast_column(pa.array([value], given_type), wanted).column.to_pylist()
    assert found is None or found == value
