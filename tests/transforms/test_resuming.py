"""Where an ordered unit is read on: the mark and the borders that ledgers give."""

from __future__ import annotations

from ferris_beam.connector import Split
from ferris_beam.interval import Interval, Origin
from ferris_beam.ledger import Entry, LedgerState, Path
from ferris_beam.transforms.progress import resumed

PATH: Path = ("Read",)


def ledger(end: int, mark: str) -> tuple[LedgerState, Path]:
    state = LedgerState()
    origin = Origin(PATH, Interval("u", 0, end), ordered=True, mark=mark)
    state.commit([Entry(origin, 1)], 1)
    return state, PATH


def split_at(start: int) -> Split:
    return Split(Interval("u", start, None), divisible=False, ordered=True)


def test_of_marks_at_one_position_the_reader_chooses() -> None:
    states = [ledger(5, "b"), ledger(5, "a"), ledger(9, "0")]
    found = resumed(split_at(5), states, min)
    assert (found.mark, found.borders) == ("a", (9,))
    assert resumed(split_at(5), states, max).mark == "b"


def test_a_sink_without_a_mark_counts_too() -> None:
    assert resumed(split_at(5), [ledger(5, "b"), ledger(5, "")], min).mark == ""


def test_at_the_start_there_is_no_mark() -> None:
    found = resumed(split_at(0), [ledger(5, "b"), (LedgerState(), PATH)], min)
    assert (found.mark, found.borders) == ("", (5,))
