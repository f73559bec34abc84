"""Ordered endless units that need marks, borders and acknowledgement, like a replication slot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pytest

import ferris_beam as fb
from ferris_beam import registry
from ferris_beam.connectors import memory
from tests.transforms import journal_connector
from tests.transforms.journal_connector import JOURNAL, Journal
from tests.transforms.pipelines import run

Change = Callable[[pa.RecordBatch], pa.RecordBatch]


@pytest.fixture(autouse=True)
def journal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Journal]:
    monkeypatch.setattr("ferris_beam.transforms.read_endless.ACKNOWLEDGE_SECONDS", 0)
    monkeypatch.setattr("ferris_beam.transforms.write_fn._MOST_INTERVALS", 1)
    registry.register(journal_connector.CONNECTOR)
    memory.clear()
    JOURNAL.__init__()  # type: ignore[misc]
    yield JOURNAL
    memory.clear()
    registry.unregister(journal_connector.CONNECTOR)


def stop_at(x: int) -> Change:
    def change(records: pa.RecordBatch) -> pa.RecordBatch:
        if x in records["x"].to_pylist():
            raise RuntimeError("pulled the plug")
        return records

    return change


def to_two_sinks(cut: int, first: Change = lambda r: r, second: Change = lambda r: r) -> Any:
    def build(p: beam.Pipeline) -> None:
        numbers = p | fb.read(f"journal://numbers?cut={cut}")
        numbers | "first" >> fb.MapBatches(first) | "to first" >> fb.write("memory://first")
        numbers | "second" >> fb.MapBatches(second) | "to second" >> fb.write("memory://second")

    return build


@pytest.mark.parametrize("cuts", [(7, 5), (5, 7), (3, 50), (50, 3)])
@pytest.mark.parametrize("behind", ["first", "second"])
def test_two_sinks_apart_are_brought_together_whatever_the_borders(
    journal: Journal, cuts: tuple[int, int], behind: str
) -> None:
    journal.length = 100
    with pytest.raises(Exception, match="pulled the plug"):
        run(to_two_sinks(cuts[0], **{behind: stop_at(60)}), "--name=n", "--continue")
    journal.length, journal.closed = 120, True
    run(to_two_sinks(cuts[1]), "--name=n", "--continue")
    for name in ("first", "second"):
        assert memory.take(name)["x"].to_pylist() == list(range(120))


def test_a_lost_connection_goes_on_behind_the_last_chunk_with_its_mark(journal: Journal) -> None:
    journal.length, journal.closed, journal.lost_at = 40, True, 20
    run(to_two_sinks(7), "--name=n")
    assert journal.lost_at is None
    assert memory.take("first")["x"].to_pylist() == list(range(40))


def test_only_what_all_sinks_hold_is_acknowledged(journal: Journal) -> None:
    journal.length = 100
    with pytest.raises(Exception, match="pulled the plug"):
        run(to_two_sinks(10, second=stop_at(45)), "--name=n", "--continue")
    held = min(memory.take(name).num_rows for name in ("first", "second"))
    assert journal.acknowledged == sorted(journal.acknowledged)
    assert 0 < max(journal.acknowledged) <= held <= 40


def test_a_source_that_confirms_needs_sinks_that_count(journal: Journal) -> None:
    journal.length, journal.closed = 10, True
    with pytest.raises(Exception, match="drops the origin"):
        run(
            lambda p: (
                p
                | fb.read("journal://numbers")
                | beam.Map(lambda batch: batch)
                | fb.write("memory://out")
            )
        )
    with pytest.raises(Exception, match=r"no fb\.write takes its batches"):
        run(lambda p: p | fb.read("journal://numbers") | fb.MapBatches(lambda r: r))
