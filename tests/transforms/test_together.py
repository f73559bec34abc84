"""Sinks of a source that can't be read twice end together; sources that get more rows go on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pytest

import ferris_beam as fb
from ferris_beam.connectors import memory
from ferris_beam.connectors.file.writer import FileWriter
from ferris_beam.connectors.memory.writer import MemoryWriter
from ferris_beam.errors import FatalError, PlanError
from ferris_beam.runners import launch
from tests.transforms.pipelines import options

ONCE = "faulty://source?units=2&cells=4&rows=10&replayable=false&reject_every=9"
GOOD = 2 * sum(1 for x in range(40) if x % 9)
BAD = 2 * 40 - GOOD


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    memory.clear()
    yield
    memory.clear()


def copy(folder: Path, source: str = ONCE, sink: str = "out/", stop_at: int | None = None) -> Any:
    """Into a folder, rejected rows into a file beside it; fails at a number, where one is given."""

    def pass_or_stop(records: pa.RecordBatch) -> pa.RecordBatch:
        if stop_at is not None and stop_at in records["x"].to_pylist():
            raise FatalError("pulled the plug")
        return records

    def build(p: beam.Pipeline) -> None:
        with fb.DeadLetters(f"file:{folder}/dead.jsonl") as dead:
            batches = p | fb.read(source, dead_letters=dead)
            kept = batches | fb.MapBatches(pass_or_stop, dead_letters=dead)
            kept | fb.write(
                f"file:{folder}/{sink}", format="jsonl", batch_size=10, dead_letters=dead
            )

    return build


def run(build: Any, *flags: str) -> Any:
    return launch(build, options("--name=n", *flags), quiet=True)


def shown(folder: Path, name: str = "out") -> int:
    """Rows that anybody sees."""
    place = folder / name
    files = [place] if place.is_file() else place.glob("*.jsonl")
    return sum(len(file.read_text().splitlines()) for file in files)


def test_all_rows_appear_when_all_are_written(numbers: ModuleType, tmp_path: Path) -> None:
    report = run(copy(tmp_path))
    assert report.delivery == "all_or_nothing"
    assert (shown(tmp_path), shown(tmp_path, "dead.jsonl")) == (GOOD, BAD)


@pytest.mark.parametrize("sink", ["out/", "out.jsonl", "out.jsonl.gz", "out/?roll_rows=5"])
def test_a_run_that_fails_shows_nothing_and_the_next_one_starts_from_zero(
    numbers: ModuleType, tmp_path: Path, sink: str
) -> None:
    with pytest.raises(FatalError, match="pulled the plug"):
        run(copy(tmp_path, sink=sink, stop_at=38))
    assert not [path for path in tmp_path.rglob("*.jsonl*") if "_ferris" not in path.parts]
    assert run(copy(tmp_path, ONCE.replace("units=2", "units=1"), sink), "--continue_changed")
    place = tmp_path / sink.split("?")[0]
    found = memory_of(f"file:{place}/" if sink.startswith("out/") else f"file:{place}")
    assert found.num_rows == GOOD // 2
    assert len(set(found["x"].to_pylist())) == GOOD // 2
    assert shown(tmp_path, "dead.jsonl") == BAD // 2


def memory_of(uri: str) -> pa.Table:
    """All rows of a source."""
    memory.clear()
    launch(lambda p: p | fb.read(uri) | fb.write("memory://copy"), options(), quiet=True)
    return memory.take("copy")


def test_the_first_sink_that_shows_its_rows_decides_for_all(
    numbers: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between two finishes: the restart only finishes, and reads nothing."""
    finish, calls = FileWriter.finish, []

    def fails_at_the_second(writer: FileWriter, epoch: int) -> None:
        calls.append(writer.place)
        if len(calls) > 1:
            raise FatalError("the machine is gone")
        finish(writer, epoch)

    monkeypatch.setattr(FileWriter, "finish", fails_at_the_second)
    with pytest.raises(FatalError, match="the machine is gone"):
        run(copy(tmp_path))
    assert sorted((shown(tmp_path), shown(tmp_path, "dead.jsonl"))) in ([0, BAD], [0, GOOD])
    monkeypatch.setattr(FileWriter, "finish", finish)
    numbers.READ.clear()
    assert run(copy(tmp_path)).status == "done"
    assert not numbers.READ
    assert (shown(tmp_path), shown(tmp_path, "dead.jsonl")) == (GOOD, BAD)
    assert run(copy(tmp_path)).status == "already finished"


def test_a_sink_of_another_source_waits_with_them(numbers: ModuleType, tmp_path: Path) -> None:
    """A restart of the pipeline starts from zero, so nothing of it may be there."""

    def build(p: beam.Pipeline) -> None:
        again = p | "again" >> fb.read("faulty://source?units=2&cells=4&rows=10")
        again | "beside" >> fb.write(f"file:{tmp_path}/beside/?format=jsonl")
        once = p | "once" >> fb.read("faulty://source?units=1&replayable=false&fatal_at=3")
        once | "once too" >> fb.write(f"file:{tmp_path}/out/?format=jsonl")

    with pytest.raises(FatalError):
        run(build)
    assert shown(tmp_path, "beside") == 0


def test_a_sink_with_a_key_shows_rows_at_once(
    numbers: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoryWriter, "keyed", True)

    def build(p: beam.Pipeline) -> None:
        p | fb.read(ONCE.replace("&reject_every=9", "")) | fb.write("memory://out")

    report = run(build)
    assert report.delivery == "effectively_once"
    assert memory.take("out").num_rows == 80
    with pytest.raises(PlanError, match=r"exactly_once was asked for.*only be effectively once"):
        run(build, "--delivery=exactly_once", "--rerun")


def test_all_or_nothing_is_as_good_as_exactly_once(numbers: ModuleType, tmp_path: Path) -> None:
    assert run(copy(tmp_path), "--delivery=exactly_once").delivery == "all_or_nothing"


def test_a_sink_that_can_not_wait_is_at_least_once(
    numbers: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbers.FaultyWriter, "can_wait", False)

    def build(p: beam.Pipeline) -> None:
        p | fb.read(ONCE.replace("&reject_every=9", "")) | fb.write("faulty://out")

    assert run(build).delivery == "at_least_once"
    assert len(numbers.TABLES["out"].rows()) == 80
    with pytest.raises(PlanError, match=r"exactly_once was asked for.*can't be read again"):
        run(build, "--delivery=exactly_once", "--rerun")


# ── sources that get more rows later ────────────────────────────────────────────────────────────


@pytest.mark.parametrize("sink", ["out/", "out.jsonl", "out.jsonl.gz"])
def test_a_finished_run_of_an_incremental_source_goes_on(
    numbers: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sink: str
) -> None:
    monkeypatch.setattr(numbers.FaultyReader, "incremental", True)
    source = "faulty://source?units=1&cells={}&rows=10"

    def build(cells: int) -> Any:
        def copied(p: beam.Pipeline) -> None:
            p | fb.read(source.format(cells)) | fb.write(f"file:{tmp_path}/{sink}", format="jsonl")

        return copied

    for cells in (2, 2, 5):
        numbers.READ.clear()
        assert run(build(cells), "--continue_changed").status == "done"
    assert sorted(numbers.READ["unit-0"]) == [2, 3, 4]
    found = memory_of(f"file:{tmp_path}/{sink}")
    assert sorted(found["x"].to_pylist()) == list(range(50))


def test_another_plan_for_an_incremental_source_must_be_meant(
    numbers: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbers.FaultyReader, "incremental", True)

    def build(cells: int) -> Any:
        return lambda p: p | fb.read(f"faulty://source?cells={cells}") | fb.write("memory://out")

    assert run(build(2)).status == "done"
    with pytest.raises(fb.errors.IdentityError, match="is to go on with what came since"):
        run(build(3))
