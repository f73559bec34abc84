"""The tracker of intervals: whole claims, splits at the grain, checkpoints where it stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.connector import Split
from ferris_beam.interval import Interval
from ferris_beam.transforms.tracker import IntervalTracker, Restriction, SplitRestrictions


def test_claims_follow_one_another_and_end_at_the_end() -> None:
    tracker = IntervalTracker(Restriction(2, 6))
    assert tracker.try_claim((2, 3))
    assert tracker.try_claim((3, 6))
    assert not tracker.try_claim((6, 7))
    assert tracker.check_done()


def test_a_gap_or_a_chunk_across_the_end_is_an_error() -> None:
    tracker = IntervalTracker(Restriction(0, 4))
    with pytest.raises(ValueError, match="next position is 0"):
        tracker.try_claim((1, 2))
    with pytest.raises(ValueError, match="crosses the end"):
        tracker.try_claim((0, 5))
    with pytest.raises(ValueError, match="read only up to 0"):
        tracker.check_done()


@given(st.integers(0, 50), st.integers(1, 200), st.integers(1, 7), st.floats(0.01, 1), st.data())
def test_a_split_is_at_the_grain_and_loses_nothing(
    start: int, length: int, grain: int, fraction: float, data: st.DataObject
) -> None:
    whole = Restriction(start, start + length, grain=grain)
    tracker = IntervalTracker(whole)
    claimed = data.draw(st.integers(0, length))
    if claimed:
        assert tracker.try_claim((start, start + claimed))
    split = tracker.try_split(fraction)
    if split is None:
        assert tracker.current_restriction() == whole
        return
    primary, residual = split
    assert (primary.start, residual.end) == (whole.start, whole.end)
    assert primary.end == residual.start
    assert primary.end is not None
    assert primary.end % grain == 0
    assert start + claimed < primary.end < start + length
    assert tracker.current_restriction() == primary


@pytest.mark.parametrize("restriction", [Restriction(0, None), Restriction(0, 9, divisible=False)])
def test_ordered_and_endless_units_are_never_split_in_the_middle(restriction: Restriction) -> None:
    tracker = IntervalTracker(restriction)
    assert tracker.try_claim((0, 3))
    assert tracker.try_split(0.5) is None
    primary, residual = tracker.try_split(0) or (None, None)
    assert primary is not None
    assert residual is not None
    assert (primary.end, residual.start, residual.end) == (3, 3, restriction.end)
    assert tracker.check_done()


def test_a_checkpoint_before_the_first_claim_leaves_everything() -> None:
    tracker = IntervalTracker(Restriction(5, None))
    primary, residual = tracker.try_split(0) or (None, None)
    assert primary is not None
    assert primary.empty
    assert residual == Restriction(5, None)
    assert tracker.check_done()


def test_an_endless_unit_can_end() -> None:
    tracker = IntervalTracker(Restriction(0, None))
    assert not tracker.is_bounded()
    assert tracker.try_claim((0, 1))
    assert tracker.try_claim((1, None))
    assert tracker.try_split(0) is None
    assert tracker.check_done()


def test_restrictions_of_splits_and_their_sizes() -> None:
    provider = SplitRestrictions()
    split = Split(Interval("u", 0, 10), size=1000)
    whole = provider.initial_restriction(split)
    assert whole.divisible
    assert provider.restriction_size(split, Restriction(0, 5)) == 500
    assert provider.truncate(split, whole) == whole
    endless = Split(Interval("u", 0, None), ordered=True)
    assert not provider.initial_restriction(endless).divisible
    assert provider.restriction_size(endless, Restriction(0, None)) == 1
    assert provider.truncate(endless, Restriction(0, None)) is None
