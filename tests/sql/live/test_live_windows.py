"""Windows over a stream that never ends: they fire live, late rows are told, restarts go on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pyarrow as pa
import pytest

from ferris_beam.connectors import memory
from ferris_beam.connectors.memory.store import store
from ferris_beam.errors import PlanError, SqlError
from ferris_beam.sql.explain.lines import lines_of
from ferris_beam.sql.nodes import Aggregate, walk
from ferris_beam.sql.plan import Catalog, plan_program
from ferris_beam.sql.syntax import parse
from ferris_beam.sql.text import SqlText
from ferris_beam.transforms.meter import tally
from ferris_beam.transforms.stopping import request_stop
from tests.sql.live.running import DECLARED, Pusher, rows, run, wait_for


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    memory.clear()
    yield
    memory.clear()


def results() -> list[tuple[object, ...]]:
    """Rows of windows, which begin at so many seconds."""
    found = []
    for row in memory.take("out").to_pylist():
        start = row.pop("window_start") - datetime(1970, 1, 1)
        found.append((start.total_seconds(), *row.values()))
    return sorted(found)


SUMS = "SELECT window_start, sum(v) AS total FROM events GROUP BY"
INTO = "INTO 'memory://out'"


def test_a_window_fires_before_the_source_ends() -> None:
    stream = memory.stream("events")

    def push() -> None:
        stream.push(rows((1, 0, 1), (12, 0, 2), (3, 0, 4)))
        stream.push(rows((16, 0, 8)))
        wait_for(lambda: results() == [(0.0, 5)])
        stream.push(rows((31, 0, 16)))
        wait_for(lambda: results() == [(0.0, 5), (10.0, 10)])

    with Pusher(push):
        run(f"CREATE STREAM w AS {SUMS} TUMBLE(at, INTERVAL '10' SECOND) {INTO}")
    assert results() == [(0.0, 5), (10.0, 10), (30.0, 16)]


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ("TUMBLE(at, INTERVAL '10' SECOND)", [(0.0, 3), (10.0, 12)]),
        (
            "HOP(at, INTERVAL '5' SECOND, INTERVAL '10' SECOND)",
            [(-5.0, 1), (0.0, 3), (5.0, 6), (10.0, 12), (15.0, 8)],
        ),
        ("SESSION(at, INTERVAL '4' SECOND)", [(1.0, 1), (6.0, 2), (12.0, 12)]),
    ],
)
def test_each_kind_of_window(window: str, expected: list[tuple[object, ...]]) -> None:
    stream = memory.stream("events")
    stream.push(rows((1, 0, 1), (6, 0, 2)))
    stream.push(rows((15, 0, 8), (12, 0, 4)))
    stream.close()
    run(f"CREATE STREAM w AS {SUMS} {window} {INTO}")
    assert results() == expected


def test_a_window_over_a_stream_of_a_stream() -> None:
    stream = memory.stream("events")
    stream.push(rows((1, 0, 1), (6, 0, 2), (7, 1, 4)))
    stream.close()
    run(
        "CREATE STREAM even AS SELECT at AS seen, v FROM events WHERE k = 0;"
        "CREATE STREAM more AS SELECT seen, v * 10 AS v FROM even;"
        "CREATE STREAM w AS SELECT window_start, sum(v) AS total FROM more "
        f"GROUP BY TUMBLE(seen, INTERVAL '10' SECOND) {INTO}"
    )
    assert results() == [(0.0, 30)]


def test_explain_says_when_windows_fire() -> None:
    memory.stream("events", rows((1, 0, 1)).schema)
    text = SqlText(f"{DECLARED} {SUMS} TUMBLE(at, INTERVAL '10' SECOND)")
    program = plan_program(parse(text), text, Catalog())
    (node,) = (each for each in walk(program.outputs[-1].node) if isinstance(each, Aggregate))
    facts = "\n".join(lines_of(node))
    assert "fires: when the watermark, at - 5 seconds, has passed the window's end" in facts
    assert "late rows: counted, and are dropped" in facts
    refused = SqlText(
        f"{DECLARED} {SUMS} SESSION(at, 5s) EMIT CHANGES".replace("SELECT", "SELECT window_end,")
    )
    program = plan_program(parse(refused), refused, Catalog())
    (node,) = (each for each in walk(program.outputs[-1].node) if isinstance(each, Aggregate))
    assert "refused: EMIT CHANGES" in "\n".join(lines_of(node))


def test_late_rows_are_dropped_and_counted() -> None:
    stream = memory.stream("events")

    def push() -> None:
        stream.push(rows((1, 0, 1), (20, 0, 2)))
        wait_for(lambda: results() == [(0.0, 1)])
        stream.push(rows((2, 0, 4), (21, 0, 8), (3, 0, 16)))

    with Pusher(push):
        report = run(f"CREATE STREAM w AS {SUMS} TUMBLE(at, INTERVAL '10' SECOND) {INTO}")
    assert results() == [(0.0, 1), (20.0, 10)]
    assert tally(report.run)["data.rows_late"] == 2


def test_late_rows_become_dead_letters() -> None:
    stream = memory.stream("events")

    def push() -> None:
        stream.push(rows((1, 0, 1), (20, 0, 2)))
        wait_for(lambda: results() == [(0.0, 1)])
        stream.push(rows((2, 7, 4), (21, 0, 8)))
        stream.push(rows((40, 0, 1)))
        wait_for(lambda: memory.take("dead").num_rows == 1)

    with Pusher(push):
        run(
            f"CREATE STREAM w AS {SUMS} TUMBLE(at, INTERVAL '10' SECOND) {INTO} "
            "WITH (late = 'dead_letter')",
            letters="memory://dead",
        )
    (letter,) = memory.take("dead").to_pylist()
    assert letter["category"] == "late"
    assert '.v": 4' in letter["payload"]
    assert results() == [(0.0, 1), (20.0, 10), (40.0, 1)]


def test_allowed_lateness_keeps_windows_open() -> None:
    stream = memory.stream("events")

    def push() -> None:
        stream.push(rows((1, 0, 1), (24, 0, 2)))
        stream.push(rows((2, 0, 4)))
        stream.push(rows((26, 0, 8)))
        wait_for(lambda: results() == [(0.0, 5)])

    with Pusher(push):
        run(
            f"CREATE STREAM w AS {SUMS} TUMBLE(at, INTERVAL '10' SECOND) {INTO} "
            "WITH (allowed_lateness = INTERVAL '10' SECOND)"
        )
    assert results() == [(0.0, 5), (20.0, 10)]


def test_rows_without_a_time_are_rejected() -> None:
    stream = memory.stream("events")
    nothing = pa.array([None], pa.timestamp("us"))
    stream.push(rows((1, 0, 1)))
    stream.push(rows((2, 0, 1)).set_column(0, "at", nothing))
    stream.close()
    query = f"CREATE STREAM w AS {SUMS} TUMBLE(at, INTERVAL '10' SECOND) {INTO}"
    run(query, letters="memory://dead")
    assert results() == [(0.0, 1)]
    assert "NULL" in memory.take("dead")["reason"][0].as_py()


def test_a_restart_goes_on_with_open_windows() -> None:
    """The run is stopped while windows are open; what was put out is not put out again."""
    stream = memory.stream("events")
    query = f"CREATE STREAM w AS {SUMS} TUMBLE(at, INTERVAL '10' SECOND) {INTO}"
    stream.push(rows((1, 0, 1), (12, 0, 2), (8, 0, 4)))
    stream.push(rows((16, 0, 8)))
    stopping = _Stopped()
    with stopping:
        assert run(query).status == "stopped"
    assert results() == [(0.0, 5)]
    stream.push(rows((17, 0, 16), (26, 0, 32)))
    stream.close()
    report = run(query)
    assert results() == [(0.0, 5), (10.0, 26), (20.0, 32)]
    assert tally(report.run)["data.masked_intervals"] > 0


class _Stopped(Pusher):
    """Stops the run when the first window is out."""

    def __init__(self) -> None:
        super().__init__(lambda: None)

    def run(self) -> None:
        wait_for(lambda: len(results()) == 1)
        (ledger,) = store("out").ledgers.values()
        request_stop(ledger.run)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "SELECT window_start, window_end, sum(v) AS total FROM events "
            f"GROUP BY TUMBLE(at, INTERVAL '1' SECOND) EMIT CHANGES {INTO}",
            "say EMIT FINAL",
        ),
        (
            "SELECT window_start, count(*) AS n FROM 'memory://events?unbounded=true' "
            f"GROUP BY TUMBLE(at, INTERVAL '1' SECOND) {INTO}",
            "WATERMARK FOR",
        ),
        (
            f"SELECT window_start, sum(total) AS t FROM (SELECT window_start AS s, sum(v) AS total "
            "FROM events GROUP BY TUMBLE(at, INTERVAL '1' SECOND)) q "
            f"GROUP BY TUMBLE(s, INTERVAL '1' HOUR) {INTO}",
            "write those to a store first",
        ),
        (f"SELECT DISTINCT k FROM events {INTO}", "group by a window"),
        (f"SELECT a.k FROM events a JOIN events b ON a.k = b.k {INTO}", "read what is there now"),
        (
            f"{SUMS} TUMBLE(at, INTERVAL '1' SECOND) {INTO} WITH (late = 'dead_letter')",
            "where rejected rows go",
        ),
    ],
)
def test_what_is_refused_names_the_way_out(query: str, message: str) -> None:
    memory.stream("events").push(rows((1, 0, 1)))
    memory.stream("events").close()
    with pytest.raises(PlanError, match=message):
        run(f"CREATE STREAM w AS {query}")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("late = 'update'", "results are final"),
        ("late = 'never'", "'drop' or 'dead_letter'"),
        ("allowed_lateness = 'soon'", "fixed length"),
    ],
)
def test_options_are_checked(options: str, message: str) -> None:
    memory.stream("events").push(rows((1, 0, 1)))
    with pytest.raises(SqlError, match=message):
        run(f"CREATE STREAM w AS {SUMS} TUMBLE(at, INTERVAL '1' SECOND) {INTO} WITH ({options})")
    with pytest.raises(SqlError, match="groups by none"):
        run(f"CREATE STREAM w AS SELECT k FROM events {INTO} WITH (late = 'drop')")


def test_fn_api_runner_is_refused() -> None:
    memory.stream("events").push(rows((1, 0, 1)))
    memory.stream("events").close()
    with pytest.raises(PlanError, match="runner"):
        run(
            f"CREATE STREAM w AS {SUMS} TUMBLE(at, INTERVAL '1' SECOND) {INTO}",
            "--runner=FnApiRunner",
        )
