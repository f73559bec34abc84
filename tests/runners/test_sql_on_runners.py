"""A query of each part of SQL, on the runners that work while the input goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.runners.test_capabilities import STREAMING_CLASS
from tests.sql import tables, tpch
from tests.sql.comparing import assert_same
from tests.sql.corpus.case import Case, all_cases
from tests.sql.running import run_together


def one_of_each_part() -> list[Case]:
    return list({case.feature: case for case in all_cases()}.values())


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


@pytest.mark.parametrize("runner", ["LocalStreamingRunner", "prism"])
def test_results_are_those_of_duckdb(
    runner: str,
    folder: Path,
    oracle: duckdb.DuckDBPyConnection,
    request: pytest.FixtureRequest,
) -> None:
    flags = [f"--runner={STREAMING_CLASS}"]
    if runner == "prism":
        endpoint = request.getfixturevalue("prism_endpoint")
        flags = ["--runner=PortableRunner", f"--job_endpoint={endpoint}"]
        flags.append("--environment_type=LOOPBACK")
    cases = {case.name: case for case in one_of_each_part()}
    texts = {
        name: case.text.replace("${DATA}", f"file://{folder}/data").replace(
            "${TPCH}", f"file://{folder}/tpch"
        )
        for name, case in cases.items()
    }
    names = list(texts)
    assert len(names) > 20
    for at in range(0, len(names), 12):
        chunk = {name: texts[name] for name in names[at : at + 12]}
        for name, outcome in run_together(chunk, *flags).items():
            if isinstance(outcome, Exception):
                raise outcome
            expected = oracle.sql(cases[name].question).to_arrow_table()
            assert_same(outcome, expected, ordered=cases[name].ordered)
