"""The benchmarks work: every contender of every case runs, and all write the same rows.

On tiny data, and without a look at the time.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.json as pajson
import pyarrow.parquet as pq
import pytest

from tests.benchmarks.cases import all_cases
from tests.benchmarks.datasets import CHUNK, FORMS, VERSION, Dataset, chunks
from tests.benchmarks.harness import ROOT, ContenderError, facts_of, run_case
from tests.benchmarks.model import Case, Contender, Measurement, Results, Target, times_as_fast

ROWS = 2_000
_PATIENCE = 300


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("benchmarks")


@pytest.mark.parametrize("name", list(all_cases()))
def test_all_contenders_of_a_case_write_the_same_rows(name: str, cache: Path) -> None:
    pytest.importorskip("polars")
    case = all_cases(ROWS)[name]
    report = run_command(name, cache)
    assert [contender["name"] for contender in report["contenders"]] == [
        contender.name for contender in case.contenders
    ]
    facts: dict[int, list[Any]] = {}
    for contender, found in zip(case.contenders, report["contenders"], strict=True):
        (measured,) = found["rounds"]
        assert measured["seconds"] >= 0
        assert measured["peak_bytes"] > 1_000_000
        if contender.output is not None:
            assert measured["output_bytes"] > 0
            facts.setdefault(contender.rows, []).append(found["facts"])
    for rows, of_contenders in facts.items():
        first = of_contenders[0]
        fewer = name == "parquet-filter" and 0 < first["rows"] < rows
        grouped = name.startswith("sql-") and first["rows"] > 0
        assert first["rows"] == rows or fewer or grouped
        assert all(other == first for other in of_contenders)


def run_command(name: str, cache: Path) -> dict[str, Any]:
    """The report of one case, run once by the command that users run."""
    file = cache / f"{name}.json"
    command = [sys.executable, "-m", "tests.benchmarks", name, "--rows", str(ROWS)]
    flags = ["--repeat", "1", "--no-warm-up", "--json", str(file), "--cache", str(cache)]
    done = subprocess.run(
        [*command, *flags], cwd=ROOT, capture_output=True, text=True, timeout=_PATIENCE, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    (report,) = json.loads(file.read_text(encoding="utf-8"))["cases"]
    assert report["name"] == name
    return dict(report)


def test_an_unknown_case_is_refused_with_the_names_there_are() -> None:
    command = [sys.executable, "-m", "tests.benchmarks", "csv-to-parket"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no case 'csv-to-parket'; there are csv-to-parquet," in done.stderr


# ── the harness ─────────────────────────────────────────────────────────────────────────────────


def contender(name: str, rows: int, cache: Path) -> Contender:
    """DuckDB on the first ``rows`` rows, whatever the case says."""
    function = "tests.benchmarks.contenders.with_duckdb:csv_to_parquet"
    source = str(Dataset("csv", rows).ensure(cache))
    return Contender(
        name,
        function,
        ROWS,
        lambda paths: {"source": source, "target": f"{paths.folder}x.parquet", "threads": 1},
        output=".parquet",
    )


def ignored(_: str) -> None:
    """A progress that nobody watches."""


def test_contenders_whose_rows_differ_fail_the_case(cache: Path) -> None:
    pair = [contender("whole", ROWS, cache), contender("short", ROWS - 1, cache)]
    with pytest.raises(ContenderError, match="the rows of whole and short differ"):
        run_case(Case("x", "x", pair, []), cache, 1, False, ignored)


def test_a_contender_that_fails_says_why(cache: Path) -> None:
    broken = replace(contender("broken", ROWS, cache), arguments=lambda paths: {"threads": 1})
    with pytest.raises(ContenderError, match="missing 2 required positional arguments"):
        run_case(Case("x", "x", [broken], []), cache, 1, False, ignored)


def test_the_warm_up_is_not_counted_and_rounds_alternate(cache: Path) -> None:
    seen: list[str] = []
    pair = [contender("a", ROWS, cache), contender("b", ROWS, cache)]
    outcome = run_case(Case("x", "x", pair, []), cache, 2, True, seen.append)
    assert [len(runs) for runs in outcome.results.values()] == [2, 2]
    assert [line[-1] for line in seen] == ["a", "b"] * 3


# ── the oracle ──────────────────────────────────────────────────────────────────────────────────


def parquet_facts(table: pa.Table, folder: Path) -> Any:
    folder.mkdir()
    pq.write_table(table, folder / "x.parquet")
    return facts_of(str(folder), ".parquet")


def test_facts_see_a_changed_value_and_a_row_twice_but_no_order(tmp_path: Path) -> None:
    (table,) = chunks(50)
    facts = parquet_facts(table, tmp_path / "same")
    assert facts["rows"] == 50
    order = pa.array(range(49, -1, -1))
    assert parquet_facts(table.take(order), tmp_path / "reversed") == facts
    doubled = pa.concat_tables([table, table.slice(0, 1)])
    assert parquet_facts(doubled, tmp_path / "doubled") != facts
    for name in table.column_names:
        column = table[name].take(pa.array([1, 0, *range(2, 50)]))
        at = table.schema.get_field_index(name)
        changed = table.set_column(at, name, column)
        if changed != table:
            assert parquet_facts(changed, tmp_path / name) != facts, name


# ── the data ────────────────────────────────────────────────────────────────────────────────────


def test_the_data_are_those_of_every_run_before(cache: Path) -> None:
    text = Dataset("csv", ROWS).ensure(cache).read_bytes()
    digest = hashlib.sha256(text).hexdigest()
    assert (VERSION, digest[:16]) == ("v1", "da53dadc3722a369"), "new data need a new version"


def test_a_smaller_data_set_is_the_start_of_a_larger_one() -> None:
    first, second = chunks(CHUNK + 5)
    assert (first.num_rows, second.num_rows) == (CHUNK, 5)
    whole = pa.concat_tables([first, second])
    for rows in (1, ROWS, CHUNK, CHUNK + 1):
        assert pa.concat_tables(chunks(rows)) == whole.slice(0, rows)
    steps = pc.pairwise_diff(whole["order_id"].combine_chunks())
    assert pc.all(pc.equal(steps, 1)).as_py(), "ids rise by one, over the border of chunks too"


def test_all_forms_hold_the_same_rows(cache: Path) -> None:
    paths = {form: Dataset(form, ROWS).ensure(cache) for form in FORMS}
    rows = [
        pacsv.read_csv(paths["csv"]),
        pacsv.read_csv(paths["csv.gz"]),
        pajson.read_json(paths["jsonl"]),
        pq.read_table(paths["parquet"]),
    ]
    seconds = rows[0].schema
    assert all(table.cast(seconds) == rows[0] for table in rows)
    (generated,) = chunks(ROWS)
    assert generated.cast(seconds) == rows[0]


# ── targets ─────────────────────────────────────────────────────────────────────────────────────


def measured(*seconds: float) -> list[Measurement]:
    return [Measurement(value + 1, value + 1, value, value, 1) for value in seconds]


def test_ratios_are_taken_round_by_round() -> None:
    results: Results = {
        "ours": measured(1, 10, 2),
        "a": measured(2, 30, 2),
        "b": measured(4, 10, 9),
    }
    assert times_as_fast("ours", "a").values(results) == [2, 3, 1]
    assert times_as_fast("ours", "a", "b").values(results) == [2, 1, 1]
    assert times_as_fast("ours", "a").reached(results) == 2


@pytest.mark.parametrize(
    ("at_least", "at_most", "met"),
    [
        (2.0, None, True),
        (2.1, None, False),
        (None, 2.0, True),
        (None, 1.9, False),
        (None, None, None),
    ],
)
def test_a_target_is_met_by_the_median(
    at_least: float | None, at_most: float | None, met: bool | None
) -> None:
    target = Target("x", lambda results: [1, 2, 9], at_least=at_least, at_most=at_most)
    assert target.is_met({}) is met
