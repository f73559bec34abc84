"""Every window once and right, whatever the order of arrival, the borders of batches and kills."""

from __future__ import annotations

from random import Random

import pyarrow as pa
import pytest

from ferris_beam.interval import Interval
from ferris_beam.sql.aggregation import plan_aggregate
from ferris_beam.sql.aggregation.live import LiveAggregation
from ferris_beam.sql.nodes import Aggregate, walk
from ferris_beam.sql.plan import Catalog, Source, plan_program
from ferris_beam.sql.syntax import parse
from ferris_beam.sql.text import SqlText
from ferris_beam.transforms.endpoint import Endpoint
from ferris_beam.transforms.event_time import EventTime
from ferris_beam.transforms.live_progress import UnitProgress
from tests.sql.aggregation.live_simulation import Attempt, Killed, Store

SECOND = 1_000_000
DELAY = 20 * SECOND
SCHEMA = pa.schema([("at", pa.timestamp("us")), ("k", pa.int64()), ("v", pa.int64())])
COLUMNS = ["source.at", "source.k", "source.v"]
WINDOWS = {
    "tumble": "TUMBLE(at, INTERVAL '10' SECOND)",
    "tumble of microseconds": "TUMBLE(at, INTERVAL '4000003' MICROSECOND)",
    "hop": "HOP(at, INTERVAL '5' SECOND, INTERVAL '20' SECOND)",
    "hop with gaps": "HOP(at, INTERVAL '20' SECOND, INTERVAL '7' SECOND)",
    "hop, no multiple": "HOP(at, INTERVAL '10' SECOND, INTERVAL '25' SECOND)",
    "session": "SESSION(at, INTERVAL '3' SECOND)",
    "months": "TUMBLE(at, INTERVAL '1' MONTH)",
}


def work_of(window: str, keys: str = ", k") -> LiveAggregation:
    select = f"SELECT window_start{keys}, count(*), sum(v), max(at) FROM 'memory://x'"
    text = SqlText(f"{select} GROUP BY {window}{keys}")

    def discover(endpoint: Endpoint) -> Source:
        return Source(endpoint, SCHEMA)

    program = plan_program(parse(text), text, Catalog(discover=discover))
    (node,) = (each for each in walk(program.outputs[0].node) if isinstance(each, Aggregate))
    assert node.input.schema.names == COLUMNS
    preparation = plan_aggregate(node).preparation
    work = LiveAggregation(preparation.inputs, preparation.aggregation)
    work.open()
    return work


def unit(random: Random, count: int) -> pa.RecordBatch:
    """Rows in an order of arrival that the delay of the watermark allows."""
    times = sorted(random.randrange(0, 100 * SECOND) for _ in range(count))
    arrival = sorted(times, key=lambda time: time + random.randrange(DELAY))
    columns = [
        pa.array(arrival, pa.timestamp("us")),
        pa.array([random.randrange(4) for _ in arrival], pa.int64()),
        pa.array([random.randrange(100) for _ in arrival], pa.int64()),
    ]
    return pa.record_batch(columns, names=COLUMNS)


def bounded(work: LiveAggregation, units: list[pa.RecordBatch]) -> list[dict]:
    whole = pa.Table.from_batches(units).combine_chunks().to_batches()[0]
    aggregation = work.aggregation
    state = aggregation.merge([aggregation.partial(work._evaluation.run(whole))])
    return aggregation.sorted(aggregation.finish(state)).to_pylist()


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("seed", range(6))
def test_exactly_once_over_kills(window: str, seed: int) -> None:
    random = Random(f"{window} {seed}")
    work = work_of(WINDOWS[window], random.choice((", k", "")))
    units = {name: unit(random, random.randint(0, 60)) for name in ("a", "b", "c")}
    stores = [Store("one"), Store("two")]
    event_time = EventTime(COLUMNS[0], DELAY)
    kills = random.randint(0, 6)
    for _ in range(kills):
        try:
            Attempt(work, event_time, units, stores, random).go(random.randint(1, 400))
        except Killed:
            continue
    last = Attempt(work, event_time, units, stores, random)
    last.go(None)
    assert last.late == 0
    expected = bounded(work, list(units.values()))
    for store in stores:
        found = [row for rows in store.rows for row in rows.to_pylist()]
        assert sorted(found, key=repr) == sorted(expected, key=repr)


def _is_right(seed: int) -> bool:
    """Whether TUMBLE comes out right after a kill in the middle."""
    random = Random(seed)
    work = work_of(WINDOWS["tumble"])
    units = {name: unit(random, 40) for name in ("a", "b")}
    stores = [Store("one"), Store("two")]
    event_time = EventTime(COLUMNS[0], DELAY)
    for steps in (random.randint(100, 400), None):
        try:
            Attempt(work, event_time, units, stores, random).go(steps)
        except Killed:
            continue
    expected = sorted(bounded(work, list(units.values())), key=repr)
    found = [[row for rows in store.rows for row in rows.to_pylist()] for store in stores]
    return all(sorted(rows, key=repr) == expected for rows in found)


def test_without_what_marks_say_of_states_rows_are_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(_is_right(seed) for seed in range(8))

    def reached(progress: UnitProgress, unit: str) -> int:
        return progress.received.missing(Interval(unit, progress.began, None))[0].start

    monkeypatch.setattr(UnitProgress, "needed", reached)
    assert not all(_is_right(seed) for seed in range(8))
