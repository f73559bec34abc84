"""Small commits of endless input become larger files: when they are due, and when it stops."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import apache_beam as beam
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest

import ferris_beam as fb
from ferris_beam.connectors import memory
from tests.transforms.pipelines import run

PUSHES = 12


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    memory.clear()
    yield
    memory.clear()


def rows(at: int) -> pa.RecordBatch:
    return pa.record_batch({"x": pa.array([2 * at, 2 * at + 1], pa.int64())})


def written(out: Path) -> list[list[int]]:
    """The rows of each file, in the order of their names."""
    return [pacsv.read_csv(path)["x"].to_pylist() for path in sorted(out.glob("*.csv"))]


def wait_for(condition: Callable[[], bool]) -> None:
    pause, deadline = threading.Event(), 3000
    while not condition():
        deadline -= 1
        assert deadline, "waited for half a minute"
        pause.wait(0.01)


def copy(out: Path, options: str, meanwhile: Callable[[memory.Stream], None]) -> None:
    """Copies a stream to which ``meanwhile`` pushes, in a thread, before it is closed."""
    stream = memory.stream("live")
    caught: list[BaseException] = []

    def push() -> None:
        try:
            meanwhile(stream)
        except BaseException as error:
            caught.append(error)
        finally:
            stream.close()

    pusher = threading.Thread(target=push)
    pusher.start()
    source, sink = "memory://live?unbounded=true", f"file://{out}/?format=csv&{options}"
    run(lambda p: p | fb.read(source) | fb.write(sink), "--name=n", "--delivery=exactly_once")
    pusher.join()
    assert caught == []


def committed(out: Path) -> int:
    return len(list((out / "_ferris" / "n" / "staged").glob("*")))


def test_quiet_input_is_shown_when_it_is_due(tmp_path: Path) -> None:
    """Bundles of a source that has nothing to say are enough."""

    def push(stream: memory.Stream) -> None:
        for at in range(PUSHES):
            stream.push(rows(at))
        wait_for(lambda: sum(map(len, written(tmp_path))) == 2 * PUSHES)

    copy(tmp_path, "roll_interval=200ms", push)
    assert sorted(x for file in written(tmp_path) for x in file) == list(range(2 * PUSHES))


def test_many_small_commits_are_one_file_when_it_stops(tmp_path: Path) -> None:
    def push(stream: memory.Stream) -> None:
        for at in range(PUSHES):
            stream.push(rows(at))
            wait_for(lambda at=at: committed(tmp_path) > at)  # type: ignore[misc]
        assert written(tmp_path) == []

    copy(tmp_path, "roll_interval=1h", push)
    assert written(tmp_path) == [list(range(2 * PUSHES))]
    assert committed(tmp_path) == 0


def test_endless_input_is_gathered_without_being_told(tmp_path: Path) -> None:
    def push(stream: memory.Stream) -> None:
        for at in range(PUSHES):
            stream.push(rows(at))
            wait_for(lambda at=at: committed(tmp_path) > at)  # type: ignore[misc]

    copy(tmp_path, "", push)
    assert written(tmp_path) == [list(range(2 * PUSHES))]


def test_what_a_run_that_failed_gathered_is_shown_once(tmp_path: Path) -> None:
    stream = memory.stream("live")
    for at in range(PUSHES):
        stream.push(rows(at))
    sink = f"file://{tmp_path}/?format=csv&batch_size=1&roll_interval=1h"

    def build(p: beam.Pipeline) -> None:
        live = p | fb.read("memory://live?unbounded=true")
        live | "map" >> fb.MapBatches(_fails_once) | fb.write(sink)

    _BROKEN.set()
    with pytest.raises(Exception, match="pulled the plug"):
        run(build, "--name=n")
    assert sum(map(len, written(tmp_path))) + 2 * committed(tmp_path) >= PUSHES
    _BROKEN.clear()
    stream.close()
    run(build, "--name=n")
    assert [x for file in written(tmp_path) for x in file] == list(range(2 * PUSHES))
    assert committed(tmp_path) == 0


_BROKEN = threading.Event()


def _fails_once(records: pa.RecordBatch) -> pa.RecordBatch:
    """At module level, since pickling copies what a closure refers to."""
    if _BROKEN.is_set() and records.num_rows and records["x"][0].as_py() >= PUSHES:
        raise RuntimeError("pulled the plug")
    return records


def test_bounded_input_is_gathered_until_files_are_full(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for at in range(PUSHES):
        pacsv.write_csv(pa.Table.from_batches([rows(at)]), source / f"{at:02}.csv")
    sink = f"file://{tmp_path}/out/?format=csv&batch_size=1&roll_rows=10"
    run(lambda p: p | fb.read(f"file://{source}/*.csv") | fb.write(sink), "--name=n")
    sizes = [len(file) for file in written(tmp_path / "out")]
    assert sum(sizes) == 2 * PUSHES
    assert sum(size < 10 for size in sizes) <= 1
