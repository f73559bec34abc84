"""What of a split is still to be read, given the ledgers of all its sinks."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ferris_beam.connector import ENDED, Split
from ferris_beam.interval import Interval, Origin
from ferris_beam.ledger import Entry, Identity, LedgerState
from ferris_beam.transforms.split import missing_of

PATH = ("read",)


def ledger(*done: tuple[int, int]) -> LedgerState:
    state = LedgerState()
    state.claim(Identity("tail", "run"), 1, 1)
    for start, end in done:
        origin = Origin(PATH, Interval("log", start, end), "id", ordered=True)
        state.commit([Entry(origin, rows=1)], rows=1)
    return state


def missing(
    end: int | None, *ledgers: LedgerState, stages: dict[str, bool] | None = None
) -> list[Interval]:
    """``stages``: the stages that the Read feeds, and whether anybody knows what they lack."""
    sinks = [SimpleNamespace(label=str(number)) for number in range(len(ledgers))]
    run: Any = SimpleNamespace(
        sinks_of=lambda label: [(sink, [PATH]) for sink in sinks if label == "read"],
        stages_of=lambda label: (SimpleNamespace(label=each) for each in stages or ()),
        is_watched=lambda stage: (stages or {})[stage.label],
        held=frozenset(),
        live_of=lambda label: (),
    )
    states = {sink.label: state for sink, state in zip(sinks, ledgers, strict=True)}
    split = Split(Interval("log", 0, end), "id", ordered=True)
    return missing_of(run, "read", states, split)


@pytest.mark.parametrize("turned", [False, True])
def test_an_endless_unit_is_read_from_what_the_slowest_sink_misses(turned: bool) -> None:
    ledgers = [ledger((0, 42)), ledger((0, 10))]
    assert missing(None, *(ledgers[::-1] if turned else ledgers)) == [Interval("log", 10, None)]


@pytest.mark.parametrize("turned", [False, True])
def test_an_endless_unit_that_only_one_sink_has_ended_is_read(turned: bool) -> None:
    ledgers = [ledger((0, ENDED)), ledger((0, 10))]
    assert missing(None, *(ledgers[::-1] if turned else ledgers)) == [Interval("log", 10, None)]
    assert missing(None, ledger((0, ENDED)), ledger((0, ENDED))) == []


def test_of_a_bounded_unit_only_the_gaps_are_read() -> None:
    assert missing(50, ledger((0, 20), (20, 40)), ledger((0, 10))) == [Interval("log", 10, 50)]
    assert missing(50, ledger((0, 50))) == []


def test_results_that_nobody_keeps_are_made_of_all_rows_again() -> None:
    done = ledger((0, 50))
    assert missing(50, done, stages={"kept": True}) == []
    assert missing(50, done, stages={"kept": True, "shown": False}) == [Interval("log", 0, 50)]
