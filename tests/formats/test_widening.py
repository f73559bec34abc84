"""The type that holds the values of two: symmetric, idempotent, and no value is lost."""

from __future__ import annotations

from itertools import product

import pyarrow as pa
import pytest

from ferris_beam.formats.widening import widened, widened_type

VALUES: dict[pa.DataType, list[object]] = {
    pa.int32(): [-(2**31), 2**31 - 1],
    pa.int64(): [-(2**63), 2**63 - 1],
    pa.uint64(): [0, 2**64 - 1],
    pa.decimal128(10, 2): ["99999999.99"],
    pa.date32(): ["2024-02-29"],
    pa.timestamp("us"): ["1969-12-31T23:59:59.999999"],
    pa.timestamp("us", "UTC"): ["2024-02-29T12:00:00Z"],
    pa.bool_(): [True],
    pa.string(): ["x"],
    pa.time64("us"): [0, 86_399_999_999],
}


def array(kind: pa.DataType) -> pa.Array:
    values = VALUES[kind]
    if isinstance(values[0], str):
        return pa.array(values, pa.string()).cast(kind)
    return pa.array(values, kind)


@pytest.mark.parametrize(("left", "right"), list(product(VALUES, VALUES)), ids=str)
def test_no_value_is_lost_and_order_does_not_matter(left: pa.DataType, right: pa.DataType) -> None:
    both = widened_type(left, right)
    assert both == widened_type(right, left)
    assert widened_type(both, left) == both
    for kind in (left, right):
        values = array(kind)
        there = values.cast(both)
        if not (pa.types.is_string(both) and pa.types.is_time(kind)):  # Arrow can't parse times
            assert there.cast(kind) == values


def test_null_gives_way() -> None:
    for kind in VALUES:
        assert widened_type(pa.null(), kind) == widened_type(kind, pa.null()) == kind


def test_columns_are_united_by_name() -> None:
    left = pa.schema([("id", pa.int64()), ("a", pa.struct([("x", pa.int64())]))])
    right = pa.schema(
        [("a", pa.struct([("x", pa.float64()), ("y", pa.string())])), ("b", pa.int8())]
    )
    assert widened(left, right) == pa.schema(
        [
            ("id", pa.int64()),
            ("a", pa.struct([("x", pa.float64()), ("y", pa.string())])),
            ("b", pa.int8()),
        ]
    )


def test_a_column_of_one_side_may_be_null() -> None:
    left = pa.schema([pa.field("id", pa.int64(), nullable=False)])
    assert widened(left, left).field("id").nullable is False
    assert widened(left, pa.schema([])).field("id").nullable is True


def test_dictionaries_count_as_their_values() -> None:
    texts = pa.dictionary(pa.int32(), pa.string())
    assert widened_type(texts, pa.string()) == pa.string()


def test_layouts_of_texts_go_together() -> None:
    assert widened_type(pa.string(), pa.string_view()) == pa.string()
    assert widened_type(pa.string_view(), pa.int64()) == pa.string()
    assert widened_type(pa.string_view(), pa.string_view()) == pa.string_view()


def test_lists_widen_inside() -> None:
    assert widened_type(pa.list_(pa.int64()), pa.list_(pa.null())) == pa.list_(pa.int64())


def test_what_has_nothing_in_common_names_the_column() -> None:
    left = pa.schema([("a", pa.int64())])
    right = pa.schema([("a", pa.list_(pa.int64()))])
    with pytest.raises(TypeError, match=r"a: int64 and list<.*> have no type in common"):
        widened(left, right)
