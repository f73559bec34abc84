"""Entries and checkpoints come back from their storage as they were."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from ferris_beam.commitlog import (
    Claim,
    Commit,
    Finish,
    Forget,
    Gathered,
    Placement,
    Removal,
    Roll,
    SinkState,
)
from ferris_beam.commitlog.records import record_from_json
from ferris_beam.interval import Interval, Origin
from ferris_beam.ledger import Entry

names = st.text(max_size=8)
placements = st.builds(
    Placement, names, names, st.integers(0), st.none() | st.integers(0), st.binary(max_size=8)
)
origins = st.builds(
    Origin,
    st.lists(names, max_size=3).map(tuple),
    st.integers(0).map(lambda start: Interval("unit", start, start + 2**64)),
    names,
    st.booleans(),
    st.lists(st.tuples(st.integers(0), st.integers(2)), max_size=2).map(tuple),
)
entries = st.builds(Entry, origins, st.integers(0), st.binary(max_size=8))
parts = st.builds(
    Gathered,
    names,
    names,
    names,
    names,
    st.integers(0),
    st.integers(0),
    st.floats(allow_nan=False, allow_infinity=False),
    st.binary(max_size=8),
)
any_record = st.one_of(
    st.builds(
        Claim,
        names,
        names,
        st.integers(1),
        names,
        st.integers(1),
        st.booleans(),
        st.booleans(),
        st.integers(0),
        keeps=st.booleans(),
    ),
    st.builds(
        Commit,
        names,
        st.integers(1),
        st.integers(0),
        st.lists(entries, max_size=3).map(tuple),
        st.lists(placements, max_size=3).map(tuple),
        st.booleans(),
        st.lists(parts, max_size=3).map(tuple),
    ),
    st.builds(
        Roll,
        names,
        st.integers(1),
        st.lists(placements, max_size=3).map(tuple),
        st.lists(names, max_size=3).map(tuple),
    ),
    st.builds(Forget, names),
    st.builds(
        Finish,
        names,
        st.integers(1),
        st.lists(placements, max_size=3).map(tuple),
        st.lists(st.builds(Removal, names, names), max_size=3).map(tuple),
    ),
)


@given(any_record)
def test_records_come_back_as_they_were(record):
    value = json.loads(json.dumps(record.to_json()))
    assert record_from_json(value) == record


@settings(deadline=None)
@given(st.lists(any_record, max_size=12), st.integers(0, 12))
def test_a_checkpoint_anywhere_changes_nothing_that_is_read_from_it(found, at):
    through, beside = SinkState(), SinkState()
    for index, record in enumerate(found):
        if index == at:
            beside.forget_published(index)
            through.forget_published(index)
            through = SinkState.from_json(json.loads(json.dumps(through.to_json())))
        through.fold("orders", record)
        beside.fold("orders", record)
    assert through == beside
