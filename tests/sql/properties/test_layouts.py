"""A result depends on the rows, not on how they lie in files or on how many threads run.

Each example runs a set of representative queries over drawn rows twice, through the whole system:
from one file with one thread, and from a drawn layout (number of files, empty ones too, their
format, row groups, cells, dictionaries) with one thread or two.
"""

from __future__ import annotations

import random
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.sql.comparing import assert_same
from tests.sql.properties.layouts import Layout, layouts
from tests.sql.running import run_together

QUERIES = {
    "filter": "SELECT id, word || '!' AS loud, number * 2 AS twice FROM {rows} WHERE number > 0",
    "global": "SELECT count(*) AS n, sum(whole) AS s, min(word) AS w, avg(number) AS a FROM {rows}",
    "groups": "SELECT word, count(*) AS n, sum(number) AS s, stddev(number) AS d, count(DISTINCT "
    "whole) AS w FROM {rows} GROUP BY word",
    "nulls": "SELECT nothing, count(nothing) AS n, max(nothing) AS m FROM {rows} GROUP BY nothing",
    "listed": "SELECT word, array_agg(id ORDER BY at DESC, id) AS ids FROM {rows} GROUP BY word",
    "tumble": "SELECT window_start, word, count(*) AS n, max(whole) AS m FROM {rows} "
    "GROUP BY TUMBLE(at, INTERVAL '5' MINUTE), word",
    "hop": "SELECT window_start, sum(whole) AS s FROM {rows} "
    "GROUP BY HOP(at, INTERVAL '5' MINUTE, INTERVAL '15' MINUTE)",
    "session": "SELECT word, window_start, window_end, count(*) AS n FROM {rows} "
    "GROUP BY SESSION(at, INTERVAL '2' MINUTE), word",
    "join": "SELECT a.id, b.id AS other FROM {rows} a JOIN {rows} b "
    "ON a.word = b.word AND a.whole < b.whole WHERE a.id < 40",
    "left": "SELECT a.id, b.id AS other FROM {rows} a LEFT JOIN {rows} b "
    "ON a.whole = b.id AND b.number > 0",
    "full": "SELECT a.id, b.id AS other FROM {rows} a FULL JOIN {rows} b ON a.whole = b.id",
    "anti": "SELECT id FROM {rows} WHERE id NOT IN "
    "(SELECT whole FROM {rows} WHERE whole IS NOT NULL)",
    "over": "SELECT id, row_number() OVER (PARTITION BY word ORDER BY at, id) AS place, "
    "sum(whole) OVER (PARTITION BY word ORDER BY at, id ROWS 3 PRECEDING) AS near FROM {rows}",
    "top": "SELECT id, number FROM {rows} ORDER BY number DESC, id LIMIT 9",
    "distinct": "SELECT DISTINCT word, whole FROM {rows}",
    "union": "SELECT id FROM {rows} WHERE whole < 9 UNION SELECT whole FROM {rows}",
}
ORDERED = {"top"}


def rows_of(seed: int, count: int) -> pa.Table:
    chance = random.Random(seed)
    start = datetime(1969, 12, 31, 23, 30)

    def or_null(value: object) -> object:
        return None if chance.random() < 0.1 else value

    def micros() -> int:
        spread = chance.randint(0, 7_200_000_000)
        return spread - spread % 300_000_000 if chance.random() < 0.2 else spread

    return pa.table(
        {
            "id": pa.array(range(count), pa.int64()),
            "word": pa.array([or_null(chance.choice("abcd")) for _ in range(count)], pa.string()),
            "whole": pa.array([or_null(chance.randint(0, 90)) for _ in range(count)], pa.int64()),
            "number": pa.array(
                [or_null(chance.uniform(-9, 9)) for _ in range(count)], pa.float64()
            ),
            "at": pa.array(
                [start + timedelta(microseconds=micros()) for _ in range(count)], pa.timestamp("us")
            ),
            "nothing": pa.array([None] * count, pa.string()),
        }
    )


def results(folder: Path, table: pa.Table, layout: Layout) -> dict[str, pa.Table]:
    uri = f"'file://{folder}/{layout.write(folder, table)}'"
    texts = {name: query.replace("{rows}", uri) for name, query in QUERIES.items()}
    with layout.cells():
        outcomes = run_together(texts, threads=layout.threads)
    for name, outcome in outcomes.items():
        assert not isinstance(outcome, Exception), f"{name}: {outcome}"
    return outcomes  # type: ignore[return-value]


@settings(
    max_examples=2,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 160), layout=layouts())
@example(seed=1, count=0, layout=Layout(cuts=(0.0, 1.0)))
@example(seed=2, count=150, layout=Layout(cuts=(0.2, 0.2, 0.9), rows=1, dictionaries=True))
@example(seed=3, count=150, layout=Layout("csv", cuts=(0.5,), cell=300, threads=2))
@example(seed=4, count=150, layout=Layout("jsonl", cuts=(0.1, 0.7), cell=300, threads=2))
def test_results_depend_on_the_rows_only(seed: int, count: int, layout: Layout) -> None:
    table = rows_of(seed, count)
    with tempfile.TemporaryDirectory() as folder:
        one = results(Path(folder) / "one", table, Layout())
        other = results(Path(folder) / "other", table, layout)
    for name in QUERIES:
        assert_same(other[name], one[name], ordered=name in ORDERED)
