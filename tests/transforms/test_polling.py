"""Sources to which units are added while they are read: polled, stopped, started again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import apache_beam as beam
import pytest

import ferris_beam as fb
from ferris_beam import registry
from ferris_beam.connector import ENDED
from ferris_beam.connectors import memory
from ferris_beam.connectors.memory.store import store
from ferris_beam.errors import PlanError, SourceChangedError
from ferris_beam.transforms.context import PipelineContext
from ferris_beam.transforms.stopping import request_stop
from tests.transforms import growing_connector
from tests.transforms.growing_connector import WORLD, Unit
from tests.transforms.pipelines import options

_PATIENCE = 60.0


@pytest.fixture(autouse=True)
def world() -> Iterator[None]:
    registry.register(growing_connector.CONNECTOR)
    memory.clear()
    WORLD.__init__()  # type: ignore[misc]
    yield
    memory.clear()
    registry.unregister(growing_connector.CONNECTOR)


def copy_until(
    done: Callable[[], bool], *flags: str, then: Callable[[], None] = lambda: None, **read: Any
) -> fb.Report:
    """Copies to ``memory://out`` until a poll finds that it is ``done``; ``then`` comes first."""
    started: list[str] = []
    waited = threading.Event()

    def build(pipeline: beam.Pipeline) -> None:
        pipeline | fb.read("growing://source", **read) | fb.write("memory://out")
        started.append(PipelineContext.of(pipeline).run)

    def stop_when_done() -> None:
        then()
        polls = 0
        for _ in range(int(_PATIENCE / 0.01)):
            if done() and WORLD.polls > polls + 2:
                break
            polls = polls or WORLD.polls
            waited.wait(0.01)
        request_stop(started[0])

    watcher = threading.Timer(0.01, stop_when_done)
    watcher.start()
    try:
        return fb.launch(build, options(*flags), quiet=True)
    finally:
        waited.set()
        watcher.join()


def written() -> list[str]:
    return sorted(memory.take("out")["x"].to_pylist()) if memory.take("out").num_rows else []


def expected() -> list[str]:
    return sorted(
        f"{name}-{cell}" for name, unit in WORLD.units.items() for cell in range(unit.cells)
    )


def all_written() -> bool:
    return written() == expected()


def test_units_that_come_later_are_read_once_and_without_a_shuffle() -> None:
    WORLD.units["a"] = Unit(3)

    def more() -> None:
        wait_for(lambda: len(written()) == 3)
        WORLD.units["b"] = Unit(5)
        wait_for(lambda: len(written()) == 8)
        WORLD.units |= {f"c{number}": Unit(2) for number in range(20)}

    report = copy_until(all_written, "--name=n", "--delivery=exactly_once", then=more)
    assert report.status == "stopped"
    assert written() == expected()
    assert set(WORLD.read.values()) == {1}


def test_endless_units_grow_and_end() -> None:
    WORLD.units |= {"e": Unit(2, endless=True), "f": Unit(1, endless=True)}

    def more() -> None:
        wait_for(lambda: len(written()) == 3)
        WORLD.units["e"].cells = 7
        WORLD.units["g"] = Unit(4, endless=True)
        wait_for(lambda: len(written()) == 12)
        WORLD.units["e"].ended = True
        wait_for(lambda: ENDED in ends())

    copy_until(all_written, "--name=n", then=more)
    assert written() == expected()
    WORLD.units["e"].cells = 9  # nobody looks there any more
    WORLD.units["f"].cells = 2
    copy_until(lambda: len(written()) == 13, "--name=n")
    assert "e-8" not in written()


def ends() -> set[int]:
    found = set()
    for ledger in store("out").ledgers.values():
        for done in ledger.committed.values():
            found |= {interval.closed_end for interval in done}
    return found


def test_a_restart_reads_only_what_is_new() -> None:
    WORLD.units |= {"a": Unit(3), "e": Unit(2, endless=True)}
    copy_until(all_written, "--name=n")
    WORLD.units["b"] = Unit(1)
    WORLD.units["e"].cells = 3
    WORLD.read.clear()
    report = copy_until(all_written, "--name=n")
    assert written() == expected()
    assert dict(WORLD.read) == {("b", 0): 1, ("e", 2): 1}
    assert report.rows_read == 2


def test_a_unit_that_is_gone_does_not_hinder_a_restart() -> None:
    WORLD.units |= {"a": Unit(3), "b": Unit(1)}
    copy_until(all_written, "--name=n")
    del WORLD.units["a"]
    WORLD.units["c"] = Unit(1)
    copy_until(lambda: "c-0" in written(), "--name=n")
    assert written() == ["a-0", "a-1", "a-2", "b-0", "c-0"]


def test_a_unit_that_changed_is_refused_in_the_run_and_after_it() -> None:
    WORLD.units["a"] = Unit(3)

    def change() -> None:
        wait_for(all_written)
        WORLD.units["a"].identity = "2"

    with pytest.raises(SourceChangedError, match="a changed"):
        copy_until(lambda: False, "--name=n", then=change)
    with pytest.raises(SourceChangedError, match="a changed"):
        copy_until(lambda: False, "--name=n")


def test_a_limit_on_what_never_ends_is_refused() -> None:
    for uri in ("growing://source", "memory://x?unbounded=true"):
        with pytest.raises(PlanError, match="never ends"):
            beam.Pipeline(options=options()) | fb.read(uri, limit=3)


def test_columns_and_conditions_work() -> None:
    import pyarrow.compute as pc

    WORLD.units["a"] = Unit(3)
    copy_until(lambda: len(written()) == 2, predicate=pc.field("x") != "a-1", columns=["x"])
    assert written() == ["a-0", "a-2"]


def test_several_threads_lose_nothing() -> None:
    """FnApiRunner forgets deferred work where it has several: one is used."""
    WORLD.units |= {f"u{number}": Unit(3) for number in range(30)}
    copy_until(all_written, "--direct_num_workers=4")
    assert written() == expected()


def wait_for(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(int(_PATIENCE / 0.01)):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError("it did not happen")
