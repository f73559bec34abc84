"""The rules of a ledger, and that it survives its storage."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.errors import ConflictError, SourceChangedError, SupersededError
from ferris_beam.interval import Interval, IntervalSet, Origin
from ferris_beam.ledger import Entry, Identity, LedgerState

PATH = ("Read", "Map")


def origin(start, end, unit="u", path=PATH, identity="", ordered=False, parts=()):
    return Origin(path, Interval(unit, start, end), identity, ordered, parts)


def entry(start, end, rejects=b"", **details):
    return Entry(origin(start, end, **details), end - start, rejects)


def identity(run, plan="plan"):
    return Identity("orders", run, plan)


def claimed(run="one"):
    state = LedgerState()
    state.claim(identity(run), 1, 1)
    return state


# ── claims ──────────────────────────────────────────────────────────────────────────────────


def test_a_run_claims_once():
    state = LedgerState()
    assert state.check_claim(identity("one"), 1)
    state.claim(identity("one"), 1, 1)
    assert not state.check_claim(identity("one"), 1)
    state.check_epoch(identity("one"), 1)


def test_the_older_run_is_superseded():
    state = claimed("one")
    assert state.check_claim(identity("two"), 2)
    state.claim(identity("two"), 2, 1)
    with pytest.raises(SupersededError, match="run one of 'orders' was superseded by run two"):
        state.check_epoch(identity("one"), 1)
    with pytest.raises(SupersededError):
        state.check_claim(identity("one"), 3)
    state.check_epoch(identity("two"), 2)


def test_of_two_runs_that_claim_the_same_epoch_the_second_is_refused():
    state = claimed("one")
    with pytest.raises(SupersededError):
        state.check_claim(identity("two"), 1)


def test_a_higher_generation_forgets_progress_and_an_equal_one_keeps_it():
    state = claimed("one")
    state.commit([entry(0, 5, identity="v1", rejects=b"r")], 5)
    state.finish()
    state.claim(identity("two"), 2, 1)
    assert (state.rows, state.finished, state.generation) == (5, True, 1)
    assert state.is_masked(origin(0, 5))
    state.claim(identity("three"), 3, 2)
    assert (state.rows, state.finished, state.generation) == (0, False, 2)
    assert not state.is_masked(origin(0, 5))
    assert not state.outbox
    assert not state.identities
    state.check_unit("u", "v2")


# ── commits ─────────────────────────────────────────────────────────────────────────────────


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 8)), min_size=1, max_size=20))
def test_every_position_is_committed_once(spans):
    state, held = claimed(), set()
    for start, length in spans:
        wanted = set(range(start, start + length))
        one = [entry(start, start + length)]
        if wanted & held:
            with pytest.raises(ConflictError):
                state.check_entries(one)
            continue
        state.check_entries(one)
        state.commit(one, length)
        held |= wanted
    assert state.rows == len(held)
    for start in range(40):
        assert state.is_masked(origin(start, start + 1)) == (start in held)


def test_paths_are_counted_apart():
    state = claimed()
    state.commit([entry(0, 5)], 5)
    state.check_entries([entry(0, 5, path=("Read", "Other"))])
    assert state.missing(("Read", "Other"), Interval("u", 0, 5)) == [Interval("u", 0, 5)]
    assert state.missing(PATH, Interval("u", 0, 7)) == [Interval("u", 5, 7)]


def test_what_is_committed_in_part_is_neither_masked_nor_written():
    state = claimed()
    state.commit([entry(0, 5)], 5)
    with pytest.raises(ConflictError, match="in part"):
        state.is_masked(origin(3, 8))
    with pytest.raises(ConflictError):
        state.check_entries([entry(3, 8)])


def test_a_changed_source_is_refused():
    state = claimed()
    state.commit([entry(0, 5, identity="v1")], 5)
    state.check_entries([entry(5, 6, identity="v1"), entry(6, 7)])
    with pytest.raises(SourceChangedError, match="was v1, is v2"):
        state.check_entries([entry(5, 6, identity="v2")])
    with pytest.raises(SourceChangedError):
        state.check_unit("u", "v2")


def test_ordered_units_are_committed_without_gaps():
    state = claimed()
    state.check_entries([entry(10, 20, ordered=True)])
    state.commit([entry(10, 20, ordered=True)], 10)
    with pytest.raises(ConflictError, match="before the positions from 20 on"):
        state.check_entries([entry(21, 30, ordered=True)])
    state.check_entries([entry(20, 30, ordered=True)])


def test_a_commit_may_hold_several_intervals_of_an_ordered_unit():
    state = claimed()
    first = [entry(0, 5, ordered=True), entry(5, 9, ordered=True)]
    state.check_entries(first)
    state.commit(first, 9)
    state.check_entries([entry(9, 12, ordered=True), entry(12, 13, ordered=True)])
    with pytest.raises(ConflictError):
        state.check_entries([entry(9, 12, ordered=True), entry(13, 14, ordered=True)])
    with pytest.raises(ConflictError):
        claimed().check_entries([entry(0, 5, ordered=True), entry(6, 7, ordered=True)])


def test_the_parts_of_an_ordered_interval_are_committed_together():
    state = claimed()
    parts = [entry(0, 5, ordered=True, parts=((at, 2),)) for at in range(2)]
    state.check_entries([*parts, entry(5, 6, ordered=True)])


def test_rejected_rows_are_kept_for_repeats():
    state = claimed()
    state.commit([entry(0, 5, rejects=b"rows"), entry(5, 6)], 5)
    assert state.outbox == {(PATH, Interval("u", 0, 5)): b"rows"}


# ── storage ─────────────────────────────────────────────────────────────────────────────────

names = st.text(max_size=6)
paths = st.lists(names, min_size=1, max_size=3).map(tuple)
spans = st.builds(
    lambda unit, start, length: Interval(unit, start, start + length),
    names,
    st.integers(0, 2**100),
    st.integers(1, 2**70),
)
states = st.builds(
    LedgerState,
    run=names,
    epoch=st.integers(0),
    plan=names,
    past=st.lists(names, max_size=3).map(tuple),
    generation=st.integers(0),
    finished=st.booleans(),
    rows=st.integers(0),
    committed=st.dictionaries(paths, st.lists(spans, max_size=4).map(IntervalSet), max_size=3),
    identities=st.dictionaries(names, names, max_size=3),
    outbox=st.dictionaries(st.tuples(paths, spans), st.binary(max_size=9), max_size=3),
)
entries = st.builds(
    Entry,
    st.builds(Origin, paths, spans, names, st.booleans()),
    st.integers(0),
    st.binary(max_size=9),
)


@given(states)
def test_a_state_comes_back_from_json(state):
    assert LedgerState.from_json(json.loads(json.dumps(state.to_json()))) == state


@given(entries)
def test_an_entry_comes_back_from_json(found):
    assert Entry.from_json(json.loads(json.dumps(found.to_json()))) == found


@given(states, st.lists(entries, max_size=3))
def test_a_copy_is_not_reached_by_changes(state, more):
    before = json.dumps(state.to_json())
    twin = state.copy()
    twin.commit(more, 7)
    twin.finish()
    twin.claim(identity("later"), 9, state.generation + 1)
    assert json.dumps(state.to_json()) == before


@given(st.lists(entries, max_size=6), st.integers(0, 6))
def test_storing_in_the_middle_changes_nothing(found, at):
    through, beside = claimed(), claimed()
    for index, one in enumerate(found):
        if index == at:
            through = LedgerState.from_json(json.loads(json.dumps(through.to_json())))
        through.commit([one], one.rows)
        beside.commit([one], one.rows)
    assert through == beside
