"""Stages behind a shuffle: results of all rows, once, whatever is repeated."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from types import ModuleType
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import ferris_beam as fb
from ferris_beam.errors import BadRecordError, PlanError, SourceChangedError, find_in_text
from ferris_beam.interval import Interval, Origin
from ferris_beam.transforms import spool
from ferris_beam.transforms.partitioned import Partitioned, in_parts
from ferris_beam.transforms.stage import Completion, Preparation
from tests.transforms.pipelines import run

SOURCE = "faulty://source?units=3&cells=5&rows=10"


class Gather(Preparation):
    """Holds rows back until the end of the bundle; refuses multiples of nine where asked."""

    def __init__(self, key: str = "x", refuse: bool = False) -> None:
        self.key_columns = (key,)
        self.refuse = refuse
        self.held: list[pa.RecordBatch] = []

    def add(self, records: pa.RecordBatch, origin: Origin | None) -> Iterable[pa.RecordBatch]:
        if self.refuse and any(x % 9 == 0 for x in records["x"].to_pylist()):
            raise BadRecordError("a multiple of nine")
        self.held.append(records)
        return ()

    def flush(self) -> Iterable[pa.RecordBatch]:
        held, self.held = self.held, []
        return held


class CountRows(Completion):
    """How often each x occurred in each input; stops at partition ``stop_at``."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.stop_at = stop_at

    def results(
        self, partition: int, inputs: Sequence[Iterable[pa.RecordBatch]]
    ) -> Iterator[pa.RecordBatch]:
        if partition == self.stop_at:
            raise RuntimeError("pulled the plug")
        counts = [Counter(x for part in rows for x in part["x"].to_pylist()) for rows in inputs]
        for x in sorted(set().union(*counts)):
            yield pa.record_batch({"x": [x], "counts": [[found[x] for found in counts]]})


def count(sink: str = "faulty://out?batch_rows=1", **keywords: Any) -> Any:
    def build(p: beam.Pipeline) -> None:
        rows = p | fb.read(SOURCE)
        ((rows,),) | Partitioned([Gather()], CountRows(**keywords)) | fb.write(sink)

    return build


def counted(numbers: ModuleType, sink: str = "out") -> dict[int, list[int]]:
    rows = numbers.TABLES[sink].rows()
    found = {row["x"]: row["counts"] for row in rows}
    assert len(found) == len(rows)
    return found


@pytest.mark.parametrize("threads", [1, 2])
def test_every_row_is_counted_once(numbers: ModuleType, threads: int) -> None:
    run(count(), threads=threads)
    assert counted(numbers) == {x: [3] for x in range(50)}


@pytest.mark.parametrize("at", range(8))
def test_a_restart_reads_all_again_and_writes_only_what_is_missing(
    numbers: ModuleType, at: int
) -> None:
    with pytest.raises(Exception, match="pulled the plug"):
        run(count(stop_at=at), "--name=n")
    run(count(), "--name=n")
    assert counted(numbers) == {x: [3] for x in range(50)}
    (done,) = numbers.TABLES["out"].ledgers["n"].committed.values()
    assert [interval.closed_end for interval in done] == [8]


def test_a_restart_behind_another_sink_of_the_same_source(numbers: ModuleType) -> None:
    """The other sink holds all of the source; the stage needs all of it nevertheless."""

    def build(stop_at: int | None) -> Any:
        def with_copy(p: beam.Pipeline) -> None:
            rows = p | fb.read(SOURCE)
            rows | "Copy" >> fb.write("faulty://copy?batch_rows=1")
            counts = ((rows,),) | Partitioned([Gather()], CountRows(stop_at))
            counts | fb.write("faulty://out?batch_rows=1")

        return with_copy

    with pytest.raises(Exception, match="pulled the plug"):
        run(build(5), "--name=n")
    run(build(None), "--name=n")
    assert counted(numbers) == {x: [3] for x in range(50)}
    assert len(numbers.TABLES["copy"].rows()) == 150


def test_nothing_is_read_when_all_results_are_there(numbers: ModuleType) -> None:
    def build(stop: bool) -> Any:
        def stop_late(records: pa.RecordBatch) -> pa.RecordBatch:
            if stop:
                raise RuntimeError("pulled the plug")
            return records

        def both(p: beam.Pipeline) -> None:
            rows = p | fb.read(SOURCE)
            ((rows,),) | Partitioned([Gather()], CountRows()) | fb.write("faulty://out")
            other = p | "Other" >> fb.read("faulty://other?units=1&cells=2&rows=5")
            other | fb.MapBatches(stop_late) | "WriteOther" >> fb.write("faulty://second")

        return both

    flags = ("--name=n", "--continue_changed")
    with pytest.raises(Exception, match="pulled the plug"):
        run(build(True), *flags)
    if not numbers.TABLES["out"].ledgers["n"].committed:
        run(count("faulty://out"), *flags)
    numbers.READ.clear()
    run(build(False), *flags)
    assert counted(numbers) == {x: [3] for x in range(50)}
    assert len(numbers.TABLES["second"].rows()) == 10


def test_rows_that_a_preparation_refuses_are_dead_letters(numbers: ModuleType) -> None:
    def build(p: beam.Pipeline) -> None:
        with fb.DeadLetters("faulty://dead") as dead:
            rows = p | fb.read(SOURCE, dead_letters=dead)
            stage = Partitioned([Gather(refuse=True)], CountRows(), dead_letters=dead)
            ((rows,),) | stage | fb.write("faulty://out", dead_letters=dead)

    run(build)
    assert counted(numbers) == {x: [3] for x in range(50) if x % 9}
    assert len(numbers.TABLES["dead"].rows()) == 18


def test_without_dead_letters_the_first_refused_row_stops_the_job(numbers: ModuleType) -> None:
    def build(p: beam.Pipeline) -> None:
        rows = p | fb.read(SOURCE)
        ((rows,),) | Partitioned([Gather(refuse=True)], CountRows()) | fb.write("faulty://out")

    with pytest.raises(Exception, match="a multiple of nine"):
        run(build)


def test_two_inputs_of_several_branches_meet_by_key(numbers: ModuleType) -> None:
    def build(p: beam.Pipeline) -> None:
        left = p | "L" >> fb.read(SOURCE)
        more = p | "M" >> fb.read("faulty://more?units=1&cells=5&rows=10")
        right = p | "R" >> fb.read("faulty://right?units=2&cells=3&rows=10")
        stage = Partitioned([Gather(), Gather()], CountRows())
        ((left, more), (right, left)) | stage | fb.write("faulty://out")

    run(build)
    assert counted(numbers) == {x: [4, 5 if x < 30 else 3] for x in range(50)}


def test_a_stage_behind_a_stage(numbers: ModuleType) -> None:
    def build(stop_at: int | None) -> Any:
        def twice(p: beam.Pipeline) -> None:
            rows = p | fb.read(SOURCE)
            once = ((rows,),) | "One" >> Partitioned([Gather()], CountRows())
            again = ((once,),) | "Two" >> Partitioned([Gather()], CountRows(stop_at))
            again | fb.write("faulty://out?batch_rows=1")

        return twice

    with pytest.raises(Exception, match="pulled the plug"):
        run(build(3), "--name=n")
    run(build(None), "--name=n")
    assert counted(numbers) == {x: [1] for x in range(50)}


def test_a_source_that_changed_in_between_is_refused(numbers: ModuleType, tmp_path: Any) -> None:
    source = tmp_path / "in.csv"
    source.write_text("x\n" + "\n".join(map(str, range(50))) + "\n")

    def build(stop_at: int | None) -> Any:
        def files(p: beam.Pipeline) -> None:
            rows = p | fb.read(source.as_uri())
            stage = Partitioned([Gather()], CountRows(stop_at))
            ((rows,),) | stage | fb.write("faulty://out?batch_rows=1")

        return files

    with pytest.raises(Exception, match="pulled the plug"):
        run(build(5), "--name=n")
    assert numbers.TABLES["out"].ledgers["n"].committed
    source.write_text("x\n1\n2\n3\n")
    with pytest.raises(RuntimeError, match="changed since a part of it was committed") as caught:
        run(build(None), "--name=n")
    assert isinstance(find_in_text(str(caught.value)), SourceChangedError)


def test_no_rows_still_commit_every_partition(numbers: ModuleType) -> None:
    def build(p: beam.Pipeline) -> None:
        rows = p | fb.read(SOURCE, predicate=pc.field("x") < 0)
        ((rows,),) | Partitioned([Gather()], CountRows()) | fb.write("faulty://out")

    run(build, "--name=n")
    assert counted(numbers) == {}
    (done,) = numbers.TABLES["out"].ledgers["n"].committed.values()
    assert [interval.closed_end for interval in done] == [8]


def test_endless_input_is_refused(tmp_path: Any) -> None:
    def build(p: beam.Pipeline) -> None:
        rows = p | fb.read(f"{tmp_path.as_uri()}/*.csv?watch=true")
        ((rows,),) | Partitioned([Gather()], CountRows()) | fb.write("faulty://out")

    with pytest.raises(PlanError, match="never ends"):
        run(build)


@pytest.mark.parametrize("count", [0, 1, 2, 5, 100])
def test_parts_of_an_unknown_number_add_up_to_the_whole(count: int) -> None:
    origin = Origin(("stage",), Interval("partition 0", 0, 1))
    batches = [pa.record_batch({"n": [n]}) for n in range(count)]
    parts = list(in_parts(batches, origin))
    assert sum((part.origin.share for part in parts if part.origin), Fraction(0)) == 1
    assert [n for part in parts if part.num_rows for n in part["n"].to_pylist()] == list(
        range(count)
    )
    first = [part for part in parts if part.origin and not any(i for i, _ in part.origin.parts)]
    assert len(first) == 1


@pytest.mark.parametrize("megabytes", [0, 512])
def test_rows_wait_in_files_beyond_the_memory_they_may_take(
    numbers: ModuleType, monkeypatch: pytest.MonkeyPatch, megabytes: int
) -> None:
    files: list[Any] = []
    create = tempfile.TemporaryFile

    def temporary_file() -> Any:
        files.append(create())
        return files[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", temporary_file)
    run(count(), f"--state_memory={megabytes}", threads=2)
    assert counted(numbers) == {x: [3] for x in range(50)}
    assert len(files) == (megabytes == 0)
    assert all(file.closed for file in files)
    assert not spool._spools
    assert not spool._budgets


def test_a_full_temporary_folder_is_a_clear_error(
    numbers: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open("/dev/full", "wb", buffering=0) as full:
        monkeypatch.setattr(tempfile, "TemporaryFile", lambda: full)
        with pytest.raises(RuntimeError, match=r"No space left on device; set TMPDIR"):
            run(count(), "--state_memory=0")
