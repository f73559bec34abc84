"""Every query of the corpus, through the whole system and through DuckDB, on the same files.

A pipeline of FnApiRunner holds a dozen queries: the fewer there are the more time goes into its
start, the more there are the longer it takes to fuse their stages. Where it fails, each query is
run on its own, so that the message is about that one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from tests.sql import tables, tpch
from tests.sql.comparing import assert_same
from tests.sql.corpus.case import FOLDER, Case, all_cases
from tests.sql.running import Outcomes, run_together

CASES = all_cases()
JOINS = [case for case in CASES if case.feature in ("joins", "semi_anti", "tpch")]
"""Small tables are held by the workers: these are also joined by hash."""
TOGETHER = 12
LEAST = 500
"""Fewer files than this: some were lost."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    tables.write_tables(folder / "data")
    tpch.write_tables(folder / "tpch")
    return folder


@pytest.fixture(scope="module")
def oracle(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        tables.load_tables(connection, folder / "data")
        tpch.load_tables(connection, folder / "tpch")
        yield connection


class Runs:
    """Runs what was asked for in pipelines of many, each when its first result is wanted."""

    def __init__(self, cases: list[Case], folder: Path, *flags: str) -> None:
        self.folder = folder
        self.flags = flags
        self.outcomes: Outcomes = {}
        self.chunks = [cases[at : at + TOGETHER] for at in range(0, len(cases), TOGETHER)]

    def of(self, case: Case) -> object:
        if case.name not in self.outcomes:
            chunk = next(chunk for chunk in self.chunks if case in chunk)
            self.outcomes |= run_together(
                {each.name: self.text(each) for each in chunk}, *self.flags
            )
        return self.outcomes[case.name]

    def text(self, case: Case) -> str:
        text = case.text.replace("${DATA}", f"file://{self.folder}/data")
        return text.replace("${TPCH}", f"file://{self.folder}/tpch")


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, folder: Path) -> Runs:
    return Runs(_chosen(request, test_same_as_duckdb), folder)


@pytest.fixture(scope="module")
def hash_runs(request: pytest.FixtureRequest, folder: Path) -> Runs:
    return Runs(_chosen(request, test_joins_by_hash), folder, "--broadcast_limit=0")


def _chosen(request: pytest.FixtureRequest, test: Callable[..., None]) -> list[Case]:
    """The cases for which ``test`` is run in this session."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    return [item.callspec.params["case"] for item in items if item.function is test]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_same_as_duckdb(case: Case, runs: Runs, oracle: duckdb.DuckDBPyConnection) -> None:
    expected = oracle.sql(case.question).to_arrow_table()
    outcome = runs.of(case)
    if isinstance(outcome, Exception):
        raise outcome
    assert_same(outcome, expected, ordered=case.ordered)


@pytest.mark.parametrize("case", JOINS, ids=[case.name for case in JOINS])
def test_joins_by_hash(case: Case, hash_runs: Runs, oracle: duckdb.DuckDBPyConnection) -> None:
    test_same_as_duckdb(case, hash_runs, oracle)


def test_no_file_was_lost() -> None:
    assert len(CASES) >= LEAST


def test_differences_are_explained_and_used() -> None:
    sections = (FOLDER / "differences.md").read_text().split("\n## ")[1:]
    reasons = dict(section.split("\n", 1) for section in sections)
    assert all(len(reason.split()) > 10 for reason in reasons.values())
    assert {case.differs for case in CASES} - {""} == reasons.keys()


def test_a_wrong_result_would_be_seen(oracle: duckdb.DuckDBPyConnection) -> None:
    table = oracle.sql("SELECT order_id, discount FROM orders").to_arrow_table()
    wrong = oracle.sql(
        "SELECT order_id, CASE WHEN order_id = 7 THEN 0.3 + 1e-8 ELSE discount END AS discount "
        "FROM orders"
    ).to_arrow_table()
    assert_same(table, table.take(list(range(table.num_rows))[::-1]))
    with pytest.raises(AssertionError, match="only in ours, 1 rows"):
        assert_same(table, wrong)
    with pytest.raises(AssertionError, match="only in DuckDB, 1 rows"):
        assert_same(table.slice(1), table)
