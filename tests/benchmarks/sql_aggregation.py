"""GROUP BY in SQL, from Parquet to Parquet: ours, DuckDB's and Polars', at one thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.events import Events
from tests.benchmarks.model import (
    Case,
    Contender,
    Paths,
    Results,
    Target,
    seconds_of,
    times_as_fast,
)

_CONTENDERS = "tests.benchmarks.contenders"
_FEWER = 50
"""Beam's own combiner gets so many times fewer rows."""


@dataclass(frozen=True)
class _Query:
    """``ours`` and ``duckdb`` say the same over ``{source}``; ``polars`` names a function."""

    name: str
    title: str
    ours: str
    duckdb: str
    polars: str
    at_least: float


_SUMS = "COUNT(*) AS n, SUM(value) AS total"
_MINUTE = "INTERVAL '1' MINUTE"
_BUCKET = f"time_bucket({_MINUTE}, happened_at)"
_PANES = f"SELECT {_BUCKET} AS pane, key, {_SUMS} FROM '{{source}}' GROUP BY 1, 2"
_SESSIONS = """
    SELECT *, sum(begins) OVER (PARTITION BY key ORDER BY happened_at ROWS UNBOUNDED PRECEDING)
        AS session
    FROM (SELECT *, CASE WHEN happened_at - lag(happened_at) OVER
            (PARTITION BY key ORDER BY happened_at) < INTERVAL '5' SECOND
            THEN 0 ELSE 1 END AS begins
          FROM '{source}')
"""

QUERIES = (
    _Query(
        "tumble",
        "TUMBLE of a minute, 1,000 keys: COUNT, SUM, AVG",
        f"SELECT window_start, key, {_SUMS}, AVG(value) AS mean FROM '{{source}}' "
        f"GROUP BY TUMBLE(happened_at, {_MINUTE}), key",
        f"SELECT {_BUCKET} AS window_start, key, {_SUMS}, AVG(value) AS mean FROM '{{source}}' "
        "GROUP BY 1, 2",
        "tumble",
        0.8,
    ),
    _Query(
        "hop",
        "HOP of 5 minutes each minute, 1,000 keys: COUNT, SUM",
        f"SELECT window_start, key, {_SUMS} FROM '{{source}}' "
        f"GROUP BY HOP(happened_at, {_MINUTE}, INTERVAL '5' MINUTE), key",
        f"SELECT pane - back * {_MINUTE} AS window_start, key, sum(n)::BIGINT AS n, "
        f"sum(total) AS total FROM ({_PANES}), (SELECT unnest(range(5)) AS back) GROUP BY 1, 2",
        "hop",
        0.4,
    ),
    _Query(
        "session",
        "SESSION with a gap of 5 seconds, 1,000 keys: COUNT, SUM",
        f"SELECT window_start, key, {_SUMS} FROM '{{source}}' "
        "GROUP BY SESSION(happened_at, INTERVAL '5' SECOND), key",
        f"SELECT min(happened_at) AS window_start, key, {_SUMS} FROM ({_SESSIONS}) "
        "GROUP BY key, session",
        "session",
        0.4,
    ),
    _Query(
        "count-distinct",
        "COUNT(DISTINCT user), a million users, 1,000 keys",
        "SELECT key, COUNT(DISTINCT user_id) AS n FROM '{source}' GROUP BY key",
        "SELECT key, COUNT(DISTINCT user_id) AS n FROM '{source}' GROUP BY key",
        "count_distinct",
        0.4,
    ),
    _Query(
        "many-keys",
        "GROUP BY of a million keys: COUNT, SUM",
        f"SELECT user_id, {_SUMS} FROM '{{source}}' GROUP BY user_id",
        f"SELECT user_id, {_SUMS} FROM '{{source}}' GROUP BY user_id",
        "many_keys",
        0.4,
    ),
)


def cases(rows: int | None = None) -> tuple[Case, ...]:
    return tuple(_case(query, rows or 20_000_000) for query in QUERIES)


def _case(query: _Query, rows: int) -> Case:
    events = Events("parquet", rows)
    contenders = [
        Contender("ours-1", f"{_CONTENDERS}.sql_ours:query", rows, _ours(query, events), None,
                  ".parquet"),
        Contender("duckdb-1", f"{_CONTENDERS}.with_duckdb:query", rows, _duckdb(query, events),
                  "ours-1", ".parquet"),
        Contender("polars-1", f"{_CONTENDERS}.sql_polars:{query.polars}", rows, _files(events),
                  "ours-1", ".parquet", {"POLARS_MAX_THREADS": "1"}),
    ]  # fmt: skip
    targets = [
        times_as_fast("ours-1", "duckdb-1", at_least=query.at_least),
        times_as_fast("ours-1", "polars-1"),
    ]
    datasets = [events]
    if query.name == "tumble":
        few = Events("parquet", max(1, rows // _FEWER))
        datasets.append(few)
        contenders.append(
            Contender("beam, dicts", f"{_CONTENDERS}.sql_rows:tumble", few.rows, _files(few),
                      "ours-1", ".parquet")
        )  # fmt: skip
        targets.append(_rate_against("ours-1", rows, "beam, dicts", few.rows, at_least=100))
    title = f"{rows:,} rows of Parquet, {query.title}"
    return Case(f"sql-{query.name}", title, tuple(contenders), targets, datasets)


def _rate_against(ours: str, rows: int, peer: str, peers_rows: int, at_least: float) -> Target:
    """Our rows a second against theirs."""

    def values(results: Results) -> list[float]:
        both = zip(seconds_of(results, ours), seconds_of(results, peer), strict=True)
        return [(rows / own) / (peers_rows / other) for own, other in both]

    return Target(f"rows/s of {ours} against {peer}", values, at_least=at_least, unit="×")


def _ours(query: _Query, events: Events) -> Any:
    def arguments(paths: Paths) -> Mapping[str, Any]:
        source = f"file://{paths.of(events)}"
        sink = f"file://{paths.folder}?format=parquet&compression=snappy"
        text = f"{query.ours.format(source=source)} INTO '{sink}'"
        return {"text": text, "threads": 1}

    return arguments


def _duckdb(query: _Query, events: Events) -> Any:
    def arguments(paths: Paths) -> Mapping[str, Any]:
        text = query.duckdb.format(source=paths.of(events))
        return {"text": text, "target": f"{paths.folder}all.parquet", "threads": 1}

    return arguments


def _files(events: Events) -> Any:
    def arguments(paths: Paths) -> Mapping[str, Any]:
        return {"source": paths.of(events), "target": f"{paths.folder}all.parquet"}

    return arguments
