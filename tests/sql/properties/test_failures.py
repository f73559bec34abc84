"""What can't be computed is never a wrong number: the row is a dead letter, or the job fails."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import apache_beam as beam
import pytest

import ferris_beam as fb
from ferris_beam.connectors import memory
from tests.sql import tables
from tests.sql.running import Result, run_one
from tests.transforms.pipelines import options

RANGE = "overflow|range|fit|too large"
EXTREMES, TEXTS, NUMBERS = "'${DATA}/extremes/'", "'${DATA}/texts/'", "'${DATA}/numerics/'"


@dataclass(frozen=True)
class Fault:
    """``query`` can't be computed for the rows ``bad`` of those that it selects."""

    name: str
    query: str
    bad: tuple[int, ...]
    reason: str

    def text(self, folder: Path) -> str:
        return self.query.replace("${DATA}", f"file://{folder}")


FAULTS = (
    Fault("plus", f"SELECT id, big + 1 AS x FROM {EXTREMES}", (2,), RANGE),
    Fault("minus", f"SELECT id, big - 1 AS x FROM {EXTREMES}", (1,), RANGE),
    Fault("times", f"SELECT id, big * 2 AS x FROM {EXTREMES}", (1, 2), RANGE),
    Fault("negative", f"SELECT id, -big AS x FROM {EXTREMES}", (1,), RANGE),
    Fault("abs", f"SELECT id, abs(big) AS x FROM {EXTREMES}", (1,), RANGE),
    Fault("int", f"SELECT id, whole + whole AS x FROM {EXTREMES}", (1, 2), RANGE),
    Fault("float", f"SELECT id, precise * 2e0 AS x FROM {EXTREMES}", (1, 2), RANGE),
    Fault("by_zero", f"SELECT id, 7 / (id - 2) AS x FROM {EXTREMES}", (2,), "zero"),
    Fault("rest_of_zero", f"SELECT id, 7 % (id - 2) AS x FROM {EXTREMES}", (2,), "zero"),
    Fault("float_by_zero", f"SELECT id, 7e0 / (id - 2) AS x FROM {EXTREMES}", (2,), "zero"),
    Fault("exact_by_zero", f"SELECT id, 7.5 / exact AS x FROM {EXTREMES}", (3,), "zero"),
    Fault(
        "least_by_minus_one",
        f"SELECT id, big / -1 AS x FROM {EXTREMES}",
        (1,),
        RANGE,
    ),
    Fault("cast", f"SELECT id, CAST(text AS INT) AS x FROM {TEXTS} WHERE id IN (4, 21)", (4,), ""),
    Fault("date", f"SELECT id, CAST(text AS DATE) AS x FROM {TEXTS} WHERE id IN (4, 20)", (4,), ""),
    Fault("narrow", f"SELECT id, CAST(whole AS TINYINT) AS x FROM {EXTREMES}", (1, 2), ""),
    Fault("of_float", f"SELECT id, CAST(precise AS BIGINT) AS x FROM {EXTREMES}", (1, 2, 3), ""),
    Fault("digits", f"SELECT id, CAST(exact AS DECIMAL(9, 4)) AS x FROM {EXTREMES}", (1, 2), ""),
    Fault("condition", f"SELECT id FROM {EXTREMES} WHERE big + 1 > 0", (2,), RANGE),
    Fault(
        "group_key",
        f"SELECT big + 1 AS x, min(id) AS id FROM {EXTREMES} GROUP BY big + 1",
        (2,),
        RANGE,
    ),
    Fault(
        "argument",
        f"SELECT id, max(big + 1) AS x FROM {EXTREMES} GROUP BY id",
        (2,),
        RANGE,
    ),
    Fault(
        "join_key",
        f"SELECT a.id FROM {EXTREMES} a JOIN {NUMBERS} b ON a.big + 1 = b.id",
        (2,),
        RANGE,
    ),
    Fault(
        "order",
        f"SELECT id FROM {EXTREMES} ORDER BY big + 1, id",
        (2,),
        RANGE,
    ),
    Fault(
        "partition",
        f"SELECT id, count(*) OVER (PARTITION BY big + 1) AS n FROM {EXTREMES}",
        (2,),
        RANGE,
    ),
)

TOTALS = {
    "sum": "SELECT sum(big) AS x FROM (SELECT big FROM {0} UNION ALL SELECT big FROM {0}) t "
    "WHERE big > 0",
    "sum_by_key": "SELECT big, sum(big) AS x FROM (SELECT big FROM {0} UNION ALL "
    "SELECT big FROM {0}) t GROUP BY big",
    "sum_of_floats": "SELECT sum(precise) AS x FROM (SELECT precise FROM {0} UNION ALL "
    "SELECT precise FROM {0}) t WHERE precise > 0 AND precise < 2e308",
    "running_sum": "SELECT sum(big) OVER (ORDER BY big) AS x FROM (SELECT big FROM {0} UNION ALL "
    "SELECT big FROM {0}) t WHERE big > 0",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("failures")
    tables.write_tables(folder)
    return folder


@pytest.fixture(autouse=True)
def _empty_memory() -> Iterator[None]:
    yield
    memory.clear()


def test_all_faults_become_dead_letters_and_other_rows_go_on(folder: Path) -> None:
    pipeline = beam.Pipeline(options=options(threads=2))
    results = {}
    for fault in FAULTS:
        with fb.DeadLetters(f"memory://rejected-{fault.name}") as dead:
            results[fault.name] = Result(pipeline, fault.name, fault.text(folder), dead)
    pipeline.run().wait_until_finish()
    for fault in FAULTS:
        letters = memory.take(f"rejected-{fault.name}").to_pylist()
        ids = sorted(json_id(letter["payload"]) for letter in letters)
        assert ids == sorted(fault.bad), f"{fault.name}: {letters}"
        reasons = [letter["reason"] for letter in letters]
        assert all(re.search(fault.reason, reason, re.I) for reason in reasons), reasons
        kept = results[fault.name].table()
        if "id" in kept.schema.names:
            assert not set(kept["id"].to_pylist()) & set(fault.bad), fault.name


def json_id(payload: str) -> int:
    """The id in a dead letter's row, whatever the plan calls the column."""
    row = json.loads(payload)
    return next(value for name, value in row.items() if name.split(".")[-1] == "id")


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_strict_jobs_fail_and_say_why(fault: Fault, folder: Path) -> None:
    with pytest.raises(Exception) as caught:
        run_one(fault.text(folder))
    assert re.search(fault.reason, str(caught.value), re.I)


@pytest.mark.parametrize("name", TOTALS)
def test_totals_that_do_not_fit_fail(name: str, folder: Path) -> None:
    text = TOTALS[name].format(EXTREMES).replace("${DATA}", f"file://{folder}")
    with pytest.raises(Exception, match=f"(?i){RANGE}"):
        run_one(text)
