"""``python -m pipelines.copy``: what it prints, writes, reports, refuses; exit codes 0, 1, 2."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ferris_beam.connectors.file import CONNECTOR
from ferris_beam.ledger import Identity
from ferris_beam.options import resolve_endpoint
from ferris_beam.uri import Uri

ROOT = Path(__file__).resolve().parents[2]
REPORTED = (
    *("name", "run", "runner", "delivery", "rows_read", "rows_written", "rows_dead"),
    *("bytes_read", "bytes_written", "seconds"),
)


def copy(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipelines.copy", *map(str, arguments)],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "COLUMNS"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    """Three files; two rows of the second are broken."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(3):
        lines = [
            f"{number * 1000 + row},{'DE' if row % 3 else 'FR'},{row / 4}" for row in range(500)
        ]
        if number == 1:
            lines[100] = "x,DE,1"
            lines[200] = "1,2"
        (folder / f"{number}.csv").write_text("\n".join(["id,country,amount", *lines, ""]))
    return folder


def rows(out: Path) -> Counter[Any]:
    query = f"SELECT id, country, amount FROM read_parquet('{out}/**/*.parquet')"
    return Counter(duckdb.sql(query).fetchall())


def expected(orders: Path) -> Counter[Any]:
    return Counter(
        duckdb.sql(
            f"""SELECT * FROM read_csv('{orders}/*.csv', ignore_errors=true,
            columns={{'id': 'BIGINT', 'country': 'VARCHAR', 'amount': 'DOUBLE'}})"""
        ).fetchall()
    )


@pytest.mark.parametrize("threads", [1, 2])
def test_copies_and_reports(orders: Path, tmp_path: Path, threads: int) -> None:
    done = copy(
        *("--source", f"file://{orders}/*.csv"),
        *("--sink", f"file://{tmp_path}/out/?format=parquet&partition_by=country"),
        *("--dead-letters", f"file://{tmp_path}/rejected/?format=jsonl"),
        *("--report", tmp_path / "report.json", f"--direct_num_workers={threads}"),
    )
    assert done.returncode == 0, done.stderr
    assert rows(tmp_path / "out") == expected(orders)
    report = json.loads((tmp_path / "report.json").read_text())
    assert set(REPORTED) <= set(report)
    assert (report["rows_read"], report["rows_written"], report["rows_dead"]) == (1500, 1498, 2)
    assert report["delivery"] == "exactly_once"
    assert report["bytes_written"] == sum(
        path.stat().st_size for path in (tmp_path / "out").glob("*/*.parquet")
    )
    told = [line.split()[0] for line in done.stderr.splitlines()[:3]]
    assert told == ["runner", "delivery", "identity"]
    assert f"{threads} thread" in done.stderr
    assert "FnApiRunner" in done.stderr
    letters = [
        json.loads(line)
        for file in (tmp_path / "rejected").glob("*.jsonl")
        for line in file.read_text().splitlines()
    ]
    assert sorted(letter["payload"] for letter in letters) == ["1,2", "x,DE,1"]
    assert {letter["unit"] for letter in letters} == {f"{orders}/1.csv"}


def test_a_plain_loop_over_reader_and_writer_writes_the_same(orders: Path, tmp_path: Path) -> None:
    source, sink = Uri.parse(f"file://{orders}/*.csv"), Uri.parse(f"file://{tmp_path}/loop/")
    reader = CONNECTOR.reader(source, resolve_endpoint(CONNECTOR.source_options(), source).options)
    settings = {"format": "parquet", "partition_by": ("country",)}
    options = resolve_endpoint(CONNECTOR.sink_options(), sink, settings).options
    writer = CONNECTOR.writer(sink, options)
    writer.open(Identity("loop", "run"))
    writer.claim(1, 1)
    staged = writer.begin()
    reader.open()
    rejects = 0
    for split in reader.splits({}):
        for chunk in reader.read(split):
            staged.write(chunk.records)
            rejects += len(chunk.rejects)
    writer.commit(1, staged, [])
    writer.finish(1)
    assert rows(tmp_path / "loop") == expected(orders)
    assert rejects == 2


def test_a_rejected_row_stops_a_strict_copy(orders: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    done = copy("--source", f"file://{orders}/", "--sink", f"{tmp_path}/o.csv", "--report", report)
    assert done.returncode == 1
    byte = (orders / "1.csv").read_text().index("x,DE,1")
    for told in (f"byte {byte:,} of {orders}/1.csv", "'x' is not an int64", "--dead-letters"):
        assert told in done.stderr
    assert "Traceback" not in done.stderr
    failed = json.loads(report.read_text())
    assert failed["status"] == "failed"
    assert "is not an int64" in failed["error"]


def test_columns_and_limit(orders: Path, tmp_path: Path) -> None:
    done = copy(
        *("--source", f"file://{orders}/*.csv", "--sink", f"{tmp_path}/few.csv", "--quiet"),
        *("--columns", "amount,id", "--limit", "3"),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "few.csv").read_text().split() == ["amount,id", "0,0", "0.25,1", "0.5,2"]


def test_all_configuration_errors_at_once(tmp_path: Path) -> None:
    done = copy(
        *("--source", f"file:{tmp_path}/in.csv?delimter=;"),
        *("--sink", f"file:{tmp_path}/out/?format=parket&batch_size=0"),
        *("--dead-letters", "kafak://x/y", "--direct_num_wrkers=2"),
    )
    assert done.returncode == 2
    for told in ("delimiter", "parquet", "batch_size", "kafak", "--direct_num_workers"):
        assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        ["--sink", "x.csv"],
        ["--source", "a.csv", "--sink", "b.csv", "--limit", "0"],
        ["--source", "a.csv", "--sink", "b.csv", "--columns", "a,,b"],
        ["--source", "a.csv", "--sink", "b.csv", "--name", "n", "--resume", "r"],
        ["--source", "a.csv", "--sink", "b.csv", "--delivery", "perhaps"],
    ],
)
def test_wrong_usage(wrong: list[str]) -> None:
    assert copy(*wrong).returncode == 2


def test_a_name_is_finished_once_and_rerun_on_request(orders: Path, tmp_path: Path) -> None:
    command = (
        *("--source", f"file://{orders}/0.csv", "--name", "nightly"),
        *("--sink", f"file://{tmp_path}/out/?format=parquet&if_exists=overwrite"),
    )
    assert copy(*command).returncode == 0
    written = sorted((tmp_path / "out").glob("*.parquet"))
    again = copy(*command)
    assert again.returncode == 0
    assert "is finished" in again.stderr
    assert sorted((tmp_path / "out").glob("*.parquet")) == written
    rerun = copy(*command, "--rerun")
    assert rerun.returncode == 0, rerun.stderr
    assert len(rows_of_one(tmp_path)) == 500
    assert sorted((tmp_path / "out").glob("*.parquet")) != written


def rows_of_one(tmp_path: Path) -> list[Any]:
    return duckdb.sql(f"FROM read_parquet('{tmp_path}/out/*.parquet')").fetchall()


def test_data_of_others_is_not_touched(orders: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "theirs.parquet").write_bytes(b"theirs")
    done = copy(
        "--source", f"file://{orders}/0.csv", "--sink", f"file://{tmp_path}/out/?format=parquet"
    )
    assert done.returncode == 2
    assert "if_exists=append" in done.stderr
    assert (tmp_path / "out" / "theirs.parquet").read_bytes() == b"theirs"


def test_a_source_that_is_not_there(tmp_path: Path) -> None:
    done = copy("--source", f"{tmp_path}/none*.csv", "--sink", f"{tmp_path}/out.csv")
    assert done.returncode == 1
    assert f"{tmp_path}/none*.csv" in done.stderr
    assert "Traceback" not in done.stderr
