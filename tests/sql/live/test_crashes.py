"""A run that dies in the middle, again and again: what both sinks hold in the end is right."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

import ferris_beam as fb
from ferris_beam.connectors import memory
from ferris_beam.connectors.memory.store import store
from ferris_beam.runners import launch
from tests.sql.live.running import DECLARED, RUNNER, SECOND

WINDOWS = "SELECT window_start, k, sum(v) AS total, count(*) AS n FROM events GROUP BY"
_LEFT = [0]
"""How many batches may still pass before the run dies; at module level, since pickling copies."""


class Crash(Exception):
    pass


def _survive(records: pa.RecordBatch) -> pa.RecordBatch:
    _LEFT[0] -= 1
    if _LEFT[0] == 0:
        raise Crash
    return records


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    memory.clear()
    yield
    memory.clear()


def events(random: Random) -> pa.Table:
    """In an order of arrival that the declared delay of five seconds allows."""
    times = sorted(random.randrange(200 * SECOND) for _ in range(1_500))
    arrival = sorted(times, key=lambda time: time + random.randrange(5 * SECOND))
    return pa.table(
        {
            "at": pa.array(arrival, pa.timestamp("us")),
            "k": pa.array([random.randrange(5) for _ in arrival], pa.int64()),
            "v": pa.array([random.randrange(100) for _ in arrival], pa.int64()),
        }
    )


def run(window: str) -> None:
    def build(pipeline: beam.Pipeline) -> None:
        windows = pipeline | fb.sql(f"{DECLARED}{WINDOWS} {window}, k")
        windows | "Die before one" >> fb.MapBatches(_survive) | "one" >> fb.write("memory://one")
        windows | "Die before two" >> fb.MapBatches(_survive) | "two" >> fb.write("memory://two")

    flags = [RUNNER, "--name=n", "--delivery=exactly_once"]
    launch(build, PipelineOptions(flags), quiet=True)


@pytest.mark.parametrize(
    "window",
    [
        "TUMBLE(at, INTERVAL '7' SECOND)",
        "HOP(at, INTERVAL '5' SECOND, INTERVAL '15' SECOND)",
        "SESSION(at, INTERVAL '1' SECOND)",
    ],
)
def test_every_window_once_in_both_sinks(window: str) -> None:
    random = Random(window)
    table = events(random)
    stream = memory.stream("events", table.schema)
    crashes, start = 0, 0
    while start < table.num_rows:  # what is read at once grows, so that windows are open
        count = random.randint(100, 300)
        for part in range(start, min(start + count, table.num_rows), 20):
            stream.push(table.slice(part, min(20, table.num_rows - part, start + count - part)))
        start += count
        _LEFT[0] = random.randint(10, 40)
        with pytest.raises(Crash):
            run(window)
        crashes += 1
    stream.close()
    _LEFT[0] = 0
    run(window)
    expected = _bounded(table, window)
    assert crashes > 4
    for name in ("one", "two"):
        assert _sorted(memory.take(name)) == expected
        (ledger,) = store(name).ledgers.values()
        assert ledger.rows == len(expected)


def _bounded(table: pa.Table, window: str) -> list[dict[str, object]]:
    memory.put("whole", table)
    query = f"{WINDOWS} {window}, k".replace("FROM events", "FROM 'memory://whole'")
    launch(lambda p: p | fb.sql(query) | fb.write("memory://expected"), quiet=True)
    return _sorted(memory.take("expected"))


def _sorted(table: pa.Table) -> list[dict[str, object]]:
    return sorted(table.to_pylist(), key=repr)
