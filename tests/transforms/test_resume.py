"""Identity and resume: what a restart reads, masks, refuses."""

from __future__ import annotations

from collections import Counter
from types import ModuleType
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pytest

import ferris_beam as fb
from ferris_beam.errors import SourceChangedError, find_in_text
from ferris_beam.interval import IntervalSet
from tests.transforms.pipelines import counter, run

SOURCE = "faulty://source?units=3&cells=5&rows=10"


class Stop(RuntimeError):
    """A fault in the middle of a run."""


def copy_that_stops_at(x: int | None, sink: str = "faulty://out?batch_rows=20") -> Any:
    def pass_or_stop(records: pa.RecordBatch) -> pa.RecordBatch:
        if (
            x is not None
            and records["unit"][0].as_py() == "unit-1"
            and x in records["x"].to_pylist()
        ):
            raise Stop("pulled the plug")
        return records

    def build(p: beam.Pipeline) -> None:
        source = SOURCE + "&reject_every=9"
        with fb.DeadLetters("faulty://dead?batch_rows=1") as dead:
            batches = p | fb.read(source, dead_letters=dead)
            batches | fb.MapBatches(pass_or_stop) | fb.write(sink, dead_letters=dead)

    return build


def all_once(numbers: ModuleType, sink: str = "out") -> bool:
    rows = Counter((row["unit"], row["x"]) for row in numbers.TABLES[sink].rows())
    return rows == Counter((f"unit-{n}", x) for n in range(3) for x in range(50) if x % 9)


def stopped(numbers: ModuleType, at: int = 33, **keywords: Any) -> None:
    with pytest.raises(Exception, match="pulled the plug"):
        run(copy_that_stops_at(at, **keywords), "--name=n", "--continue_changed")
    numbers.READ.clear()


@pytest.mark.parametrize("at", [1, 17, 33, 49])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_restart_reads_what_is_missing_and_writes_it_once(
    numbers: ModuleType, at: int, threads: int
) -> None:
    stopped(numbers, at)
    before = sum(done is not None for done in numbers.TABLES["out"].ledgers["n"].committed)
    run(copy_that_stops_at(None), "--name=n", "--continue_changed", threads=threads)
    assert all_once(numbers)
    assert len(numbers.TABLES["dead"].rows()) == 18
    assert before <= 1
    assert sum(map(len, numbers.READ.values())) <= 15


def test_a_restart_with_other_batch_sizes_goes_on(
    numbers: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ferris_beam.transforms.write_fn._MOST_INTERVALS", 1)
    stopped(numbers, 33, sink="faulty://out?batch_rows=10")
    committed = numbers.TABLES["out"].ledgers["n"].committed.values()
    held = sum(interval.closed_end - interval.start for done in committed for interval in done)
    assert held > 0
    run(copy_that_stops_at(None, "faulty://out?batch_rows=70"), "--name=n", "--continue_changed")
    assert all_once(numbers)
    assert sum(map(len, numbers.READ.values())) == 15 - held


def test_without_the_skip_at_the_source_the_sink_masks(
    numbers: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped(numbers, 33, sink="faulty://out?batch_rows=10")
    monkeypatch.setattr(
        "ferris_beam.transforms.split.SplitDoFn._missing",
        lambda self, run, claims, split: [split.interval],
    )
    result = run(copy_that_stops_at(None), "--name=n", "--continue_changed")
    assert all_once(numbers)
    assert len(numbers.TABLES["dead"].rows()) == 18
    assert counter(result, "data.masked_intervals") > 0


def test_rejected_rows_of_a_masked_interval_go_out_again(
    numbers: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sink committed, then the process died before the dead letters were written."""

    def build(p: beam.Pipeline) -> None:
        with fb.DeadLetters("faulty://dead") as dead:
            p | fb.read(SOURCE) | fb.write("faulty://out?refuse_every=7", dead_letters=dead)

    run(build, "--name=n")
    first = sorted(row["id"] for row in numbers.TABLES["dead"].rows())
    assert len(first) == 3 * 8
    del numbers.TABLES["dead"]
    run(build, "--name=n")
    assert sorted(row["id"] for row in numbers.TABLES["dead"].rows()) == first
    assert len(numbers.TABLES["out"].rows()) == 150 - 24


def test_a_finished_name_needs_rerun(numbers: ModuleType) -> None:
    build = copy_that_stops_at(None)
    run(build, "--name=n")
    with pytest.raises(Exception, match="'n' is finished") as caught:
        run(build, "--name=n")
    assert type(find_in_text(str(caught.value))).__name__ == "FinishedError"
    run(build, "--name=n", "--rerun")
    rows = Counter((row["unit"], row["x"]) for row in numbers.TABLES["out"].rows())
    assert set(rows.values()) == {2}


def test_a_rerun_that_was_stopped_goes_on_as_one(numbers: ModuleType) -> None:
    def build(stop: bool) -> Any:
        return copy_that_stops_at(33 if stop else None, "faulty://out?batch_rows=10")

    run(build(False), "--name=n")
    numbers.TABLES["out"].batches.clear()
    numbers.TABLES["dead"].batches.clear()
    with pytest.raises(Exception, match="pulled the plug"):
        run(build(True), "--name=n", "--rerun", "--continue_changed")
    run(build(False), "--name=n", "--rerun", "--continue_changed")
    assert all_once(numbers)
    assert len(numbers.TABLES["dead"].rows()) == 18


def test_a_changed_plan_is_refused_unless_told(numbers: ModuleType) -> None:
    stopped(numbers)

    def build(p: beam.Pipeline) -> None:
        with fb.DeadLetters("faulty://dead") as dead:
            batches = p | fb.read(SOURCE + "&reject_every=9", dead_letters=dead)
            batches | fb.write("faulty://out", dead_letters=dead)

    with pytest.raises(Exception, match=r"changed since.*--continue.*--reset"):
        run(build, "--name=n")
    numbers.TABLES["out"].batches.clear()
    numbers.TABLES["dead"].batches.clear()
    run(build, "--name=n", "--reset")
    assert all_once(numbers)


def test_a_changed_source_is_refused_by_name(numbers: ModuleType) -> None:
    stopped(numbers)

    def build(p: beam.Pipeline) -> None:
        batches = p | fb.read(SOURCE + "&reject_every=0&version=2")
        with fb.DeadLetters("faulty://dead") as dead:
            (
                batches
                | fb.MapBatches(lambda records: records, dead_letters=dead)
                | fb.write("faulty://out")
            )

    with pytest.raises(Exception, match="unit-0 changed since") as caught:
        run(build, "--name=n", "--continue_changed")
    assert isinstance(find_in_text(str(caught.value)), SourceChangedError)


def test_resume_by_the_id_of_a_run(numbers: ModuleType) -> None:
    with pytest.raises(Exception, match="pulled the plug"):
        run(copy_that_stops_at(33), "--continue_changed")
    (identifier,) = numbers.TABLES["out"].ledgers
    with pytest.raises(Exception, match="no run 'nonsense' to resume"):
        run(copy_that_stops_at(None), "--resume=nonsense")
    run(copy_that_stops_at(None), f"--resume={identifier}", "--continue_changed")
    assert all_once(numbers)


def test_a_run_without_name_is_its_own(numbers: ModuleType) -> None:
    for _ in range(2):
        run(lambda p: p | fb.read(SOURCE) | fb.write("faulty://out"))
    assert len(numbers.TABLES["out"].ledgers) == 2
    assert len(numbers.TABLES["out"].rows()) == 300


def test_a_superseded_run_writes_nothing_more(numbers: ModuleType) -> None:
    """A newer run claims the sink in the middle of this one."""
    from ferris_beam.ledger import Identity

    def usurp(records: pa.RecordBatch) -> pa.RecordBatch:
        table = numbers.TABLES["out"]
        if table.batches and table.ledgers["n"].run != "newer":
            table.ledgers["n"].claim(Identity("n", "newer"), 99, 1)
        return records

    def build(p: beam.Pipeline) -> None:
        p | fb.read(SOURCE) | fb.MapBatches(usurp) | fb.write("faulty://out?batch_rows=20")

    with pytest.raises(Exception, match="superseded by run newer"):
        run(build, "--name=n")
    assert 0 < len(numbers.TABLES["out"].rows()) < 150


def test_a_partly_committed_batch_is_never_written(numbers: ModuleType) -> None:
    from ferris_beam.interval import Interval
    from ferris_beam.ledger import LedgerState

    state = LedgerState(committed={("Read",): IntervalSet([Interval("u", 0, 2)])})
    from ferris_beam.errors import ConflictError
    from ferris_beam.interval import Origin

    assert state.is_masked(Origin(("Read",), Interval("u", 0, 2)))
    assert not state.is_masked(Origin(("Read",), Interval("u", 2, 4)))
    with pytest.raises(ConflictError, match="in part"):
        state.is_masked(Origin(("Read",), Interval("u", 1, 3)))
