"""A restart is told from a changed plan by a fingerprint: the same in every process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import ferris_beam as fb
from ferris_beam.transforms.context import PipelineContext

QUERIES = {
    "aggregates": "SELECT b, COUNT(*), AVG(a), STDDEV(a), MEDIAN(a), ARRAY_AGG(a ORDER BY a), "
    "STRING_AGG(b, ','), APPROX_COUNT_DISTINCT(a) FROM {t} t GROUP BY b HAVING COUNT(*) > 1",
    "distinct": "SELECT DISTINCT b FROM {t} t ORDER BY 1 LIMIT 3",
    "join": "SELECT l.a, r.b FROM {t} l LEFT JOIN {t} r ON l.a = r.a AND l.b <> r.b",
    "full join": "SELECT l.a, r.b FROM {t} l FULL JOIN {t} r ON l.a = r.a",
    "subqueries": "SELECT a, (SELECT MAX(b) FROM {t} u WHERE u.a = t.a) FROM {t} t "
    "WHERE a NOT IN (SELECT a FROM {t} v WHERE b = 'x')",
    "over": "SELECT a, ROW_NUMBER() OVER (PARTITION BY b ORDER BY a) AS n FROM {t} t QUALIFY n < 3",
    "union": "SELECT a FROM {t} t UNION SELECT a + 1 FROM {t} u",
    "hop": "SELECT window_start, COUNT(*) FROM {t} t "
    "GROUP BY HOP(time, INTERVAL '1' HOUR, INTERVAL '1' DAY)",
    "session": "SELECT window_end, b, SUM(a) FROM {t} t "
    "GROUP BY SESSION(time, INTERVAL '1' HOUR), b",
    "unnest": "SELECT UNNEST([a, 1]) AS item FROM {t} t",
    "chance": "SELECT RANDOM() AS r, a FROM {t} t LIMIT 2",
    "own": "SELECT twice(a) AS d, total(a) AS s FROM {t} t GROUP BY 1",
}


@fb.function(returns=pa.int64(), arguments=[pa.int64()])
def twice(values: pa.Array) -> pa.Array:
    return pc.multiply(values, 2)


@fb.function(kind="aggregate", returns=pa.int64(), arguments=[pa.int64()])
def total(values: pa.Array) -> pa.Scalar:
    return pc.sum(values)


def plans(folder: Path) -> dict[str, str]:
    """The fingerprint of each query's pipeline."""
    (folder / "t.csv").write_text("a,b,time\n1,x,2026-01-01T00:00:00\n2,y,1969-12-31T23:59:59\n")
    os.utime(folder / "t.csv", (1, 1))
    found = {}
    for name, query in QUERIES.items():
        pipeline = beam.Pipeline()
        source = f"'{folder.as_uri()}/t.csv'"
        sink = f"INSERT INTO '{folder.as_uri()}/out/?format=parquet' "
        _ = pipeline | fb.sql(sink + query.format(t=source), functions=[twice, total])
        found[name] = PipelineContext.of(pipeline).plan
    return found


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The fingerprints that another process finds, in which sets have another order."""
    folder = tmp_path_factory.mktemp("identity")
    code = f"from {__name__} import *; print(*plans(Path({str(folder)!r})).values(), sep='\\n')"
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        cwd=Path(__file__).parents[3],
    )
    return folder, done.stdout.split()


def test_the_fingerprint_is_the_same_in_every_process(elsewhere: tuple[Path, list[str]]) -> None:
    folder, there = elsewhere
    assert plans(folder) == dict(zip(QUERIES, there, strict=True))


def test_every_query_has_another_one(elsewhere: tuple[Path, list[str]]) -> None:
    assert len(set(elsewhere[1])) == len(QUERIES)
