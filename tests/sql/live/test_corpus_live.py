"""Batch is stream: the corpus' windowed queries over streams that never end, in shuffled arrival.

The rows of a table are pushed in an order that the watermark's delay allows, in batches of random
sizes, and the final results are DuckDB's over the whole table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

import apache_beam as beam
import duckdb
import pyarrow as pa
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from ferris_beam.connectors import memory
from ferris_beam.errors import PlanError
from tests.sql import tables
from tests.sql.comparing import assert_same
from tests.sql.corpus.case import Case, all_cases
from tests.sql.running import Result

DELAY = 3_600_000_000
TIMES = {"events": "seen_at", "orders": "ordered_at", "days": "moment", "empty": "seen_at"}
REFUSED = {"windows/window_of_windows", "windows/tumble_table_function"}
"""They group without a window: the results of others, or columns of a function of FROM."""
CASES = [case for case in all_cases() if case.feature == "windows"]
RUNNER = "ferris_beam.runners.local_streaming.LocalStreamingRunner"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("live")
    tables.write_tables(folder)
    return folder


@pytest.fixture(scope="module")
def oracle(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        tables.load_tables(connection, folder)
        yield connection


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    memory.clear()
    yield
    memory.clear()


def arrival(table: pa.Table, time: str, random: Random) -> pa.Table:
    """In an order that a watermark behind by the delay allows; rows without a time anywhere."""
    micros = table[time].cast(pa.timestamp("us", table[time].type.tz)).cast(pa.int64()).to_pylist()
    places = sorted(
        range(len(micros)),
        key=lambda row: (micros[row] or 0) + random.randrange(DELAY),
    )
    return table.take(pa.array(places, pa.int64()))


def push(name: str, table: pa.Table, random: Random) -> None:
    stream = memory.stream(name, table.schema)
    start = 0
    while start < table.num_rows:
        count = random.randint(1, 60)
        stream.push(table.slice(start, count))
        start += count
    stream.close()


def live(case: Case, folder: Path, oracle: duckdb.DuckDBPyConnection) -> str:
    """The query over a stream instead of the table; the stream is filled."""
    found = re.search(r"'\$\{DATA\}/(\w+)/'", case.text)
    assert found is not None
    name = found[1]
    time = "seen_utc" if "seen_utc" in case.text else TIMES[name]
    random = Random(case.name)
    push(name, arrival(oracle.table(name).to_arrow_table(), time, random), random)
    text = case.text.replace(found[0], f"{name}_live").replace("${DATA}", f"file://{folder}")
    return (
        f"CREATE STREAM {name}_live (WATERMARK FOR {time} AS {time} - INTERVAL '1' HOUR) "
        f"FROM 'memory://{name}?unbounded=true';\n{text}"
    )


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_same_as_duckdb(case: Case, folder: Path, oracle: duckdb.DuckDBPyConnection) -> None:
    text = live(case, folder, oracle)
    pipeline = beam.Pipeline(options=PipelineOptions([f"--runner={RUNNER}"]))
    if case.name in REFUSED:
        with pytest.raises(PlanError, match="group by a window"):
            Result(pipeline, "q", text)
        return
    result = Result(pipeline, "q", text)
    pipeline.run().wait_until_finish()
    assert_same(result.table(), oracle.sql(case.question).to_arrow_table())
