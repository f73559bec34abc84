"""A windowed aggregate over a join, killed with SIGKILL and started again: each result once."""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.chaos.harness import Copy, run_and_kill

FILES, ROWS, BAD_EVERY = 12, 15_000, 4_999
COUNTRIES = ("AT", "BR", "DE", "FR", "JP", "US")

JOB = """
CREATE STREAM revenue AS
SELECT window_start, c.name, count(*) AS orders, sum(o.amount) AS revenue,
       sum(12 / o.pieces) AS twelfths
FROM 'file://{input}/orders/' o JOIN 'file://{input}/countries.csv' c ON o.country = c.code
GROUP BY TUMBLE(o.ordered_at, INTERVAL '1' HOUR), c.name
INTO 'file://{output}/?format=parquet';
"""

EXPECTED = """
SELECT time_bucket(INTERVAL '1 hour', ordered_at) AS window_start, c.name, count(*) AS orders,
       sum(amount)::DOUBLE AS revenue, sum(12 // pieces)::BIGINT AS twelfths
FROM read_parquet('{input}/orders/*.parquet') o JOIN '{input}/countries.csv' c ON o.country = c.code
WHERE pieces <> 0 GROUP BY ALL
"""

BAD = "SELECT ordered_at FROM read_parquet('{input}/orders/*.parquet') WHERE pieces = 0"


def write_input(folder: Path) -> None:
    """Orders in files, some of zero pieces, by which the job divides; and countries."""
    (folder / "orders").mkdir(parents=True)
    chance, start = random.Random(5), datetime(1969, 12, 31, 12)
    for number in range(FILES):
        ids = range(number * ROWS, (number + 1) * ROWS)
        times = [start + timedelta(microseconds=chance.randrange(10**11)) for _ in ids]
        columns = {
            "id": ids,
            "country": [chance.choice(COUNTRIES) for _ in ids],
            "amount": [each % 997 / 4 for each in ids],
            "pieces": [0 if each % BAD_EVERY == 0 else each % 11 + 1 for each in ids],
            "ordered_at": pa.array(times, pa.timestamp("us")),
        }
        table = pa.table({name: pa.array(values) for name, values in columns.items()})
        pq.write_table(table, folder / "orders" / f"{number:02d}.parquet", row_group_size=5_000)
    lines = ["code,name", *(f"{code},country {code}" for code in COUNTRIES)]
    (folder / "countries.csv").write_text("\n".join(lines) + "\n")


@dataclass
class SqlJob(Copy):
    """The job as a user starts it; the harness kills and restarts it."""

    input: Path = Path()

    def command(self) -> list[str]:
        query = JOB.format(input=self.input, output=self.data)
        return [
            *(sys.executable, "-m", "pipelines.sql", "--name", self.name, "--quiet"),
            *("--query", query),
            *("--dead-letters", f"file://{self.rejected}/?format=jsonl"),
            *self.flags,
        ]


def results(job: Copy) -> Counter[tuple[object, ...]]:
    if not any(job.data.glob("*.parquet")):
        return Counter()
    query = f"""SELECT window_start, name, orders, revenue::DOUBLE, twelfths::BIGINT
                FROM '{job.data}/*.parquet'"""
    return Counter(duckdb.sql(query).fetchall())


def rejected_times(job: Copy) -> Counter[str]:
    """The dead letters, by the time of their orders."""
    lines = [line for file in job.rejected.glob("*.jsonl") for line in file.open()]
    payloads = [json.loads(json.loads(line)["payload"]) for line in lines]
    return Counter(payload["o.ordered_at"] for payload in payloads)


@pytest.mark.parametrize("seed", [1, 2])
def test_each_result_and_each_reject_once(tmp_path: Path, seed: int) -> None:
    folder = tmp_path / "in"
    write_input(folder)
    expected = Counter(duckdb.sql(EXPECTED.format(input=folder)).fetchall())
    bad = duckdb.sql(BAD.format(input=folder)).fetchall()
    job = SqlJob(None, tmp_path / "out", name="hourly", input=folder)  # type: ignore[arg-type]

    def only_whole_results(_: Copy) -> None:
        assert results(job) - expected == Counter(), "a wrong or doubled result is visible"

    kills = run_and_kill(job, 2, seed, only_whole_results, commits=(1, 2))
    assert kills >= 1
    assert results(job) == expected
    assert rejected_times(job) == Counter(str(time) for (time,) in bad)
