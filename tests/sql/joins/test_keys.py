"""Keys as words: equal values have equal hashes, different ones are told apart."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferris_beam.batches.words import mix
from ferris_beam.sql.joins.common import cast_key, common_type
from ferris_beam.sql.joins.index import DenseIndex, HashIndex, Index
from ferris_beam.sql.joins.keys import Keys, is_key_type

STRINGS = st.text(alphabet="ab\0é", max_size=40) | st.sampled_from(
    ["x" * 255, "x" * 256, "x" * 999]
)
VALUES: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3),
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.float64(): st.floats() | st.sampled_from([0.0, -0.0, math.nan]),
    pa.string(): STRINGS,
    pa.decimal128(38, 3): st.decimals(-(10**34), 10**34, allow_nan=False, places=3),
    pa.bool_(): st.booleans(),
}


def same(one: Any, other: Any) -> bool:
    if isinstance(one, float):
        return one == other or (math.isnan(one) and math.isnan(other))
    return one == other


@pytest.mark.parametrize("type_", VALUES, ids=str)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_hashes_and_comparison(type_: pa.DataType, data: st.DataObject) -> None:
    lists = st.lists(VALUES[type_], min_size=1, max_size=8)
    left, right = data.draw(lists), data.draw(lists)
    right += left[:1]
    one, other = (Keys.of([pa.array(each, type_)], len(each)) for each in (left, right))
    hashes, others = one.hashes(), other.hashes()
    places = [(i, j) for i in range(len(left)) for j in range(len(right))]
    rows, other_rows = (np.array(each) for each in zip(*places, strict=True))
    equal = one.equal(rows, other, other_rows)
    for (i, j), found in zip(places, equal, strict=True):
        assert found == same(left[i], right[j])
        assert not found or hashes[i] == others[j]


@settings(max_examples=60, deadline=None)
@given(st.lists(STRINGS | st.none(), max_size=12), st.integers(0, 12), st.booleans())
def test_a_slice_has_the_hashes_of_its_rows(
    values: list[str | None], start: int, large: bool
) -> None:
    type_ = pa.large_string() if large else pa.string()
    whole = Keys.of([pa.array(values, type_)], len(values), nulls_equal=True).hashes()
    part = pa.array(values, type_).slice(start)
    found = Keys.of([part], len(part), nulls_equal=True).hashes()
    assert found.tolist() == whole[start:].tolist()


def test_strings_at_the_very_end_of_their_buffer() -> None:
    data = pa.py_buffer(b"abcdef")
    offsets = pa.py_buffer(np.array([0, 3, 6], np.int32).tobytes())
    column = pa.Array.from_buffers(pa.string(), 2, [None, offsets, data])
    found = Keys.of([column], 2).hashes()
    assert found.tolist() == Keys.of([pa.array(["abc", "def"])], 2).hashes().tolist()


def test_hashes_never_change() -> None:
    """Partitions are remembered by ledgers: a hash must be the same in every version."""
    columns = [pa.array([1, 2]), pa.array(["a", "a longer text"]), pa.array([1.5, None])]
    found = Keys.of(columns, 2, nulls_equal=True).hashes()
    assert [hex(each) for each in found.tolist()] == ["0x16e2672fa2c559f0", "0xdfccbaaa527084df"]
    assert hex(int(mix(np.array([1], np.uint64))[0])) == "0x5692161d100b05e5"


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_the_index_finds_what_a_dictionary_finds(data: st.DataObject) -> None:
    near, far = st.integers(-20, 20), st.integers(-(2**63), 2**63 - 1)
    values = st.lists(data.draw(st.sampled_from([near, far, near | far])) | st.none(), max_size=40)
    table = data.draw(values)
    asked = data.draw(values) + table[:5]
    index = Index.of(Keys.of([pa.array(table, pa.int64())], len(table)))
    keys = Keys.of([pa.array(asked, pa.int64())], len(asked))
    wanted = [
        (place, row)
        for place, key in enumerate(asked)
        for row, value in enumerate(table)
        if key is not None and key == value
    ]
    if index.unique:
        found = [(place, int(row)) for place, row in enumerate(index.find_one(keys)) if row >= 0]
        assert found == wanted
    limit = data.draw(st.integers(1, 7))
    if not index.unique:
        parts = list(index.find(keys).pairs(limit))
        assert all(len(rows) <= limit for rows, _ in parts)
        pairs = [pair for part in parts for pair in zip(*map(np.ndarray.tolist, part), strict=True)]
        assert sorted(pairs) == wanted
        assert [place for place, _ in pairs] == [place for place, _ in wanted]


def test_which_index() -> None:
    dense, sparse = pa.array([10, 12, 11]), pa.array([0, 1 << 40])
    assert isinstance(Index.of(Keys.of([dense], 3)), DenseIndex)
    assert isinstance(Index.of(Keys.of([sparse], 2)), HashIndex)
    ends = pa.array([-(1 << 63), (1 << 63) - 1])
    assert Index.of(Keys.of([ends], 2)).find_one(Keys.of([ends], 2)).tolist() == [0, 1]


def test_colliding_hashes_lie_behind_each_other() -> None:
    """Hashes that all want the same slot, up to the end of the table and beyond it."""
    hashes = np.sort(np.random.default_rng(1).integers(2**64 - 99, 2**64 - 1, 60, np.uint64))
    hashes = np.unique(hashes)

    class Given(Keys):
        def hashes(self) -> np.ndarray:
            return hashes

    index = HashIndex(hashes, np.arange(len(hashes)), exact=True)
    keys = Given((hashes,), None, len(hashes))
    assert index.find_one(keys).tolist() == list(range(len(hashes)))


@pytest.mark.parametrize(
    ("left", "right", "wanted"),
    [
        (pa.int8(), pa.int32(), pa.int64()),
        (pa.uint64(), pa.int64(), pa.decimal128(20, 0)),
        (pa.int64(), pa.decimal128(10, 2), pa.decimal128(22, 2)),
        (pa.decimal128(38, 0), pa.decimal128(38, 38), pa.decimal256(76, 38)),
        (pa.decimal128(10, 2), pa.float32(), pa.float64()),
        (pa.date32(), pa.timestamp("us", "UTC"), pa.timestamp("us", "UTC")),
        (pa.timestamp("ms"), pa.timestamp("ns"), pa.timestamp("ns")),
        (pa.null(), pa.string(), pa.string()),
        (pa.dictionary(pa.int8(), pa.string()), pa.string_view(), pa.large_string()),
        (pa.string(), pa.int64(), None),
        (pa.bool_(), pa.int64(), None),
        (pa.list_(pa.int64()), pa.list_(pa.int64()), None),
    ],
)
def test_common_types(left: pa.DataType, right: pa.DataType, wanted: pa.DataType | None) -> None:
    assert common_type(left, right) == wanted == common_type(right, left)


def test_an_instant_beyond_the_common_type_equals_nothing() -> None:
    column = pa.array([0, 253402300799000000, -62135596800000000], pa.timestamp("us"))
    found = cast_key(column, pa.timestamp("ns"))
    assert found.is_valid().to_pylist() == [True, False, False]


def test_nested_values_are_no_keys() -> None:
    assert not is_key_type(pa.struct([("a", pa.int64())]))
    assert is_key_type(pa.string_view())


def test_hashes_spread() -> None:
    """Numbers in a row, and texts that differ in one place, fill partitions evenly."""
    count = 8000
    numbers = pa.array(np.arange(count) * 1024)
    texts = pa.array([f"customer {number:08}" for number in range(count)])
    ends = pa.array([f"{random.Random(1).random()}{'x' * 20}{number}" for number in range(count)])
    for column in (numbers, texts, ends):
        sizes = np.bincount(Keys.of([column], count).hashes() % np.uint64(8), minlength=8)
        assert sizes.min() > 850
        assert sizes.max() < 1150
