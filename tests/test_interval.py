"""IntervalSet against a set of integers."""

from __future__ import annotations

import itertools
import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.interval import Interval, IntervalSet, Origin

UNITS = ("a", "b")

intervals = st.builds(
    lambda unit, start, length: Interval(unit, start, start + length),
    st.sampled_from(UNITS),
    st.integers(0, 40),
    st.integers(1, 12),
)
interval_lists = st.lists(intervals, max_size=25)


def points(found):
    return {(one.unit, at) for one in found for at in range(one.start, one.closed_end)}


@given(interval_lists)
def test_a_set_holds_the_positions_added(added):
    assert points(IntervalSet(added)) == points(added)


@given(interval_lists)
def test_spans_are_disjoint_rising_and_never_touch(added):
    spans = IntervalSet(added).to_json()
    for unit in spans.values():
        assert unit
        assert all(start < end for start, end in unit)
        assert all(before[1] < after[0] for before, after in itertools.pairwise(unit))


@given(interval_lists, intervals)
def test_what_is_missing_is_what_the_integers_say(added, asked):
    found = IntervalSet(added).missing(asked)
    assert points(found) == points([asked]) - points(added)
    assert found == sorted(found)
    assert IntervalSet(found).to_json().get(asked.unit, []) == [[i.start, i.end] for i in found]


@given(interval_lists, st.sampled_from(UNITS), st.integers(0, 60))
def test_of_an_endless_interval_the_end_is_always_missing(added, unit, start):
    found = IntervalSet(added).missing(Interval(unit, start, None))
    assert found[-1].end is None
    horizon = 100
    cut = [Interval(unit, one.start, one.end or horizon) for one in found]
    assert points(cut) == {(unit, at) for at in range(start, horizon)} - points(added)


@given(interval_lists, intervals)
def test_covers_and_touches_are_what_the_integers_say(added, asked):
    held = IntervalSet(added)
    assert held.covers(asked) == (points([asked]) <= points(added))
    assert held.touches(asked) == bool(points([asked]) & points(added))
    assert not held.covers(Interval(asked.unit, asked.start, None))


@given(interval_lists)
def test_the_end_is_one_behind_the_last_position(added):
    held = IntervalSet(added)
    for unit in UNITS:
        positions = [at for name, at in points(added) if name == unit]
        assert held.end_of(unit) == (max(positions) + 1 if positions else None)
    assert set(held.units()) == {one.unit for one in added}
    assert bool(held) == bool(added)


@given(interval_lists, interval_lists, st.sampled_from(UNITS))
def test_union_copy_and_forgetting(first, second, unit):
    union = IntervalSet(first)
    untouched = union.copy()
    union.update(IntervalSet(second))
    assert points(union) == points(first) | points(second)
    assert untouched == IntervalSet(first)
    union.forget(unit)
    assert points(union) == {at for at in points(first) | points(second) if at[0] != unit}


@given(interval_lists)
def test_the_order_of_adding_does_not_matter(added):
    assert IntervalSet(added) == IntervalSet(reversed(added))


@given(interval_lists, st.integers(0, 2**130))
def test_json_keeps_positions_of_any_size(added, offset):
    moved = [Interval(one.unit, one.start + offset, one.closed_end + offset) for one in added]
    held = IntervalSet(moved)
    assert IntervalSet.from_json(json.loads(json.dumps(held.to_json()))) == held


def test_an_interval_holds_a_position():
    with pytest.raises(ValueError, match="at least one position"):
        Interval("a", 3, 3)
    with pytest.raises(ValueError, match="never ends"):
        IntervalSet([Interval("a", 3, None)])


origins = st.builds(
    Origin,
    st.lists(st.text(max_size=5), max_size=3).map(tuple),
    intervals,
    st.text(max_size=5),
    st.booleans(),
    st.lists(st.tuples(st.integers(0, 4), st.integers(5, 9)), max_size=2).map(tuple),
)


@given(origins)
def test_origins_come_back_from_json(origin):
    assert Origin.from_json(json.loads(json.dumps(origin.to_json()))) == origin


@given(origins, st.lists(st.integers(1, 5), max_size=3))
def test_the_parts_of_parts_add_up_to_the_whole(origin, counts):
    pieces = [origin]
    for count in counts:
        pieces = [piece.part(at, count) for piece in pieces for at in range(count)]
    assert sum((piece.share for piece in pieces), Fraction(0)) == origin.share
    assert {piece.interval for piece in pieces} == {origin.interval}


def test_operators_add_their_labels():
    origin = Origin(("Read",), Interval("a", 0, 1)).through("Map").through("Filter")
    assert origin.path == ("Read", "Map", "Filter")
