"""A ledger in rows of a table: against the same history in memory, and when transactions fail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferris_beam.commitlog.table import FOLD_EVERY, TableLedger
from ferris_beam.errors import (
    ConflictError,
    FatalError,
    SourceChangedError,
    SupersededError,
)
from ferris_beam.interval import Interval, Origin
from ferris_beam.ledger import Entry, Identity, LedgerState

ME = Identity("orders", "run-1", "plan")


class Rows:
    """A table in memory, with transactions."""

    def __init__(self) -> None:
        self.rows: dict[int, bytes] = {}

    def read(self, start: int) -> Iterable[tuple[int, bytes]]:
        return [(number, self.rows[number]) for number in sorted(self.rows) if number >= start]

    def append(self, number: int, record: bytes) -> None:
        assert number not in self.rows
        self.rows[number] = record

    def delete(self, below: int) -> None:
        self.rows = {number: row for number, row in self.rows.items() if number >= below}

    @contextmanager
    def failing(self) -> Iterator[None]:
        """A transaction that is rolled back."""
        before = dict(self.rows)
        yield
        self.rows = before


def entry(start: int, end: int | None = None, *, identity: str = "", rejects: bytes = b"") -> Entry:
    interval = Interval("unit", start, start + 1 if end is None else end)
    return Entry(Origin(("Read",), interval, identity), 10, rejects)


def claimed(rows: Rows) -> TableLedger:
    ledger = TableLedger(ME)
    assert ledger.claim(rows, 1, 1)
    return ledger


steps = st.lists(
    st.tuples(
        st.sampled_from(["commit", "prepare", "finish", "claim", "rerun", "forget"]),
        st.integers(0, 3),
        st.booleans(),
    ),
    max_size=200,
)


@given(steps)
def test_it_is_the_same_as_a_state_in_memory(history: list[tuple[str, int, bool]]) -> None:
    """Several writers take turns, and some transactions fail."""
    rows, model = Rows(), LedgerState()
    names = [Identity("orders", f"run-{number}", "plan") for number in range(4)]
    ledgers = [TableLedger(name) for name in names]
    for position, (kind, who, fails) in enumerate(history):
        trial = model.copy()
        outcomes = [
            _step(kind, position, names[who], trial),
            _in_rows(kind, position, ledgers[who], rows, fails),
        ]
        assert outcomes[0] == outcomes[1]
        model = model if fails else trial
        assert ledgers[-1].state(rows).to_json() == model.to_json()


def _step(kind: str, position: int, who: Identity, state: LedgerState) -> str:
    """One step of the history, as the contract says it for a state that one holds oneself."""
    try:
        if kind in ("claim", "rerun"):
            if state.check_claim(who, position):
                state.claim(who, position, state.generation + (kind == "rerun"))
        elif kind == "forget":
            state.forget()
        else:
            state.check_epoch(who, state.epoch)
            if kind == "prepare":
                state.prepare()
            elif kind == "finish":
                state.finish()
            else:
                state.check_entries([entry(position)])
                state.commit([entry(position)], 10)
    except FatalError as error:
        return type(error).__name__
    return "done"


def _in_rows(kind: str, position: int, ledger: TableLedger, rows: Rows, fails: bool) -> str:
    before = dict(rows.rows)
    try:
        state = ledger.state(rows)
        if kind in ("claim", "rerun"):
            ledger.claim(rows, position, state.generation + (kind == "rerun"))
        elif kind == "forget":
            ledger.forget(rows)
        elif kind == "prepare":
            ledger.prepare(rows, state.epoch)
        elif kind == "finish":
            ledger.finish(rows, state.epoch)
        else:
            ledger.commit(rows, state.epoch, f"token {position}", [entry(position)], 10)
    except FatalError as error:
        return type(error).__name__
    finally:
        if fails:
            rows.rows = before
    return "done"


def test_rows_are_folded_and_stay_few() -> None:
    rows = Rows()
    ledger = claimed(rows)
    for number in range(10 * FOLD_EVERY):
        assert ledger.commit(rows, 1, f"token {number}", [entry(number)], 10)
        assert len(rows.rows) <= FOLD_EVERY + 1
    fresh = TableLedger(ME).state(rows)
    assert fresh.rows == 10 * 10 * FOLD_EVERY
    assert not fresh.missing(("Read",), Interval("unit", 0, 10 * FOLD_EVERY))


def test_one_that_slept_while_others_folded_catches_up() -> None:
    rows = Rows()
    ledger, sleeper = claimed(rows), TableLedger(ME)
    sleeper.state(rows)
    for number in range(3 * FOLD_EVERY):
        ledger.commit(rows, 1, f"token {number}", [entry(number)], 10)
    assert sleeper.state(rows).to_json() == ledger.state(rows).to_json()
    assert sleeper.commit(rows, 1, "late", [entry(3 * FOLD_EVERY)], 10)


def test_a_lost_answer_is_known_also_behind_a_fold() -> None:
    rows = Rows()
    ledger = claimed(rows)
    assert ledger.commit(rows, 1, "mine", [entry(0)], 10)
    for number in range(1, 2 * FOLD_EVERY):
        ledger.commit(rows, 1, f"token {number}", [entry(number)], 10)
    assert not ledger.commit(rows, 1, "mine", [entry(0)], 10)
    assert not TableLedger(ME).commit(rows, 1, "mine", [entry(0)], 10)


def test_a_transaction_that_fails_has_not_happened() -> None:
    rows = Rows()
    ledger = claimed(rows)
    for number in range(2 * FOLD_EVERY):
        with rows.failing():
            assert ledger.commit(rows, 1, f"token {number}", [entry(number)], 10)
        assert ledger.commit(rows, 1, f"token {number}", [entry(number)], 10)
    assert TableLedger(ME).state(rows).rows == 10 * 2 * FOLD_EVERY


def test_preparing_is_remembered_and_may_be_repeated() -> None:
    rows = Rows()
    ledger = claimed(rows)
    ledger.commit(rows, 1, "a", [entry(0)], 10)
    ledger.prepare(rows, 1)
    before = dict(rows.rows)
    ledger.prepare(rows, 1)
    assert rows.rows == before
    found = TableLedger(ME).state(rows)
    assert (found.prepared, found.finished) == (True, False)
    assert TableLedger(Identity("orders", "run-2")).claim(rows, 2, 2)
    assert not TableLedger(ME).state(rows).prepared


def test_it_refuses_what_the_ledger_refuses() -> None:
    rows = Rows()
    ledger = claimed(rows)
    ledger.commit(rows, 1, "a", [entry(0, identity="v1", rejects=b"\xff")], 10)
    before = dict(rows.rows)
    with pytest.raises(ConflictError):
        ledger.commit(rows, 1, "b", [entry(0, 2, identity="v1")], 10)
    with pytest.raises(SourceChangedError):
        ledger.commit(rows, 1, "c", [entry(1, identity="v2")], 10)
    with pytest.raises(SupersededError):
        ledger.commit(rows, 2, "d", [entry(1)], 10)
    assert rows.rows == before
    assert TableLedger(Identity("orders", "run-2")).claim(rows, 2, 1)
    with pytest.raises(SupersededError):
        ledger.prepare(rows, 1)
    with pytest.raises(SupersededError):
        ledger.finish(rows, 1)


def test_a_row_that_is_gone_or_of_another_version_is_told() -> None:
    rows = Rows()
    ledger = claimed(rows)
    ledger.commit(rows, 1, "a", [entry(0)], 10)
    ledger.commit(rows, 1, "b", [entry(1)], 10)
    del rows.rows[1]
    with pytest.raises(FatalError, match="row 1 is missing"):
        TableLedger(ME).state(rows)
    rows.rows = {0: b'{"version":7,"kind":"claim"}'}
    with pytest.raises(FatalError, match="version 7"):
        TableLedger(ME).state(rows)
