"""``ledger show`` and ``forget``: of files and memory, of runs at work, of names that are odd."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections import Counter
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from ferris_beam.cli.ledger import compact
from ferris_beam.cli.opening import sink_of
from ferris_beam.connector import Writer
from ferris_beam.connectors import memory
from ferris_beam.errors import SupersededError
from ferris_beam.interval import Interval, Origin
from ferris_beam.ledger import Entry, Identity, LedgerState
from pipelines.copy import main as copy
from tests.cli.conftest import Cli
from tests.pseudo_terminal import environment, python

ROWS = pa.RecordBatch.from_pylist([{"id": 1}, {"id": 2}])


def started(uri: str, name: str = "nightly", run: str = "run-1") -> Writer:
    """A run that has claimed a sink for the first time."""
    writer = sink_of(uri).writer
    writer.open(Identity(name, run, "plan"))
    writer.claim(1, 1)
    return writer


def commit(writer: Writer, start: int, end: int, unit: str = "u") -> None:
    staged = writer.begin()
    staged.write(ROWS)
    writer.commit(1, staged, [Entry(Origin(("Read",), Interval(unit, start, end)), 2)])


@pytest.fixture(params=["folder", "file", "memory"])
def uri(request: pytest.FixtureRequest, tmp_path: Path, clean_memory: None) -> str:
    return {
        "folder": f"file://{tmp_path}/out/?format=jsonl&if_exists=append",
        "file": f"file://{tmp_path}/out.jsonl?if_exists=append",
        "memory": "memory://out",
    }[str(request.param)]


def rows(uri: str, tmp_path: Path) -> int:
    if uri.startswith("memory"):
        return memory.take("out").num_rows
    return int(duckdb.sql(f"SELECT count(*) FROM '{tmp_path}/**/*.jsonl'").fetchall()[0][0])


# ── showing ─────────────────────────────────────────────────────────────────────────────────────


def test_a_sink_that_nobody_has_written_to(cli: Cli, uri: str, tmp_path: Path) -> None:
    assert "holds no progress of any pipeline" in cli("ledger", "show", uri).out
    assert cli("ledger", "show", uri, "--json").document["ledgers"] == []
    assert list(tmp_path.iterdir()) == []


def test_progress_is_shown_unit_by_unit(cli: Cli, uri: str) -> None:
    writer = started(uri)
    commit(writer, 0, 3)
    commit(writer, 5, 6)
    commit(writer, 3, 4, "v")
    (ledger,) = cli("ledger", "show", uri, "--json").document["ledgers"]
    assert (ledger["name"], ledger["run"], ledger["epoch"]) == ("nightly", "run-1", 1)
    assert (ledger["finished"], ledger["rows"], ledger["generation"]) == (False, 6, 1)
    assert ledger["committed"] == [
        {"path": ["Read"], "units": {"u": [[0, 3], [5, 6]], "v": [[3, 4]]}}
    ]
    shown = cli("ledger", "show", uri, "--name", "nightly").out
    assert "[0, 3) [5, 6)  u" in shown
    assert "unfinished" in shown
    writer.finish(1)
    assert " finished" in cli("ledger", "show", uri).out


def test_parts_that_wait_for_the_finish_are_counted(cli: Cli, tmp_path: Path) -> None:
    uri = f"file://{tmp_path}/out.parquet"
    writer = started(uri)
    commit(writer, 0, 1)
    commit(writer, 1, 2)
    (ledger,) = cli("ledger", "show", uri, "--json").document["ledgers"]
    assert ledger["waiting_parts"] == 2
    assert ledger["waiting_bytes"] > 100
    assert "2 parts, " in cli("ledger", "show", uri).out
    writer.finish(1)
    (ledger,) = cli("ledger", "show", uri, "--json").document["ledgers"]
    assert ledger["waiting_parts"] == 0


@pytest.mark.parametrize("name", ["ä/ö ü", "..", "%2E", "x" * 300, "log", "a\x1b[31m"])
def test_any_name_is_found_again(cli: Cli, tmp_path: Path, name: str) -> None:
    uri = f"file://{tmp_path}/out/?format=jsonl"
    commit(started(uri, name), 0, 1)
    (ledger,) = cli("ledger", "show", uri, "--json").document["ledgers"]
    assert ledger["name"] == name
    shown = cli("ledger", "show", uri).out
    assert "\x1b" not in shown
    assert cli("ledger", "forget", uri, "--name", name, "--yes").code == 0
    assert cli("ledger", "show", uri, "--json").document["ledgers"] == []


def test_an_unknown_name_is_told_with_the_nearest(cli: Cli, uri: str) -> None:
    commit(started(uri), 0, 1)
    for action in ("show", "forget"):
        done = cli("ledger", action, uri, "--name", "nihgtly")
        assert done.code == 2
        assert "did you mean 'nightly'?" in done.err


def test_showing_changes_nothing(cli: Cli, tmp_path: Path) -> None:
    uri = f"file://{tmp_path}/out/?format=jsonl"
    commit(started(uri), 0, 1)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert cli("ledger", "show", uri, "--name", "nightly").code == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_many_spans_are_shown_in_short() -> None:
    spans = [Interval("u", 10 * at, 10 * at + 1) for at in range(1_005)]
    assert compact(spans).endswith("[40, 41) and 1,000 more")


@pytest.mark.usefixtures("numbers")
def test_a_connector_that_cannot_list_says_so(cli: Cli) -> None:
    done = cli("ledger", "show", "faulty://n")
    assert done.code == 2
    assert "can't list its ledgers" in done.err


# ── forgetting ──────────────────────────────────────────────────────────────────────────────────


def test_a_forgotten_name_starts_from_zero_and_rows_stay(
    cli: Cli, uri: str, tmp_path: Path
) -> None:
    commit(started(uri), 0, 3)
    done = cli("ledger", "forget", uri, "--name", "nightly", "--yes", "--json")
    assert (done.code, done.document["forgotten"]["rows"]) == (0, 2)
    assert rows(uri, tmp_path) == 2
    again = started(uri, run="run-2")
    assert again.ledger().rows == 0
    assert again.ledger().committed == {}
    commit(again, 0, 3)
    again.finish(1)
    assert rows(uri, tmp_path) == 4
    (ledger,) = cli("ledger", "show", uri, "--json").document["ledgers"]
    assert (ledger["run"], ledger["epoch"], ledger["finished"]) == ("run-2", 1, True)
    assert "run-1" in ledger["earlier_runs"]


def test_others_keep_their_progress(cli: Cli, uri: str) -> None:
    commit(started(uri), 0, 3)
    commit(started(uri, "hourly", "run-h"), 0, 1)
    cli("ledger", "forget", uri, "--name", "nightly", "--yes")
    (ledger,) = cli("ledger", "show", uri, "--json").document["ledgers"]
    assert (ledger["name"], ledger["rows"]) == ("hourly", 2)


def test_a_run_at_work_is_stopped_and_cannot_come_back(cli: Cli, uri: str, tmp_path: Path) -> None:
    at_work = started(uri)
    commit(at_work, 0, 3)
    staged = at_work.begin()
    staged.write(ROWS)
    cli("ledger", "forget", uri, "--name", "nightly", "--yes")
    for action in (
        lambda: at_work.commit(1, staged, []),
        lambda: at_work.finish(1),
        lambda: at_work.claim(2, 1),
    ):
        with pytest.raises(SupersededError):
            action()
    assert rows(uri, tmp_path) == 2
    started(uri, run="run-2")
    with pytest.raises(SupersededError):
        at_work.commit(1, staged, [])


def test_what_waits_is_given_up_and_its_files_removed(cli: Cli, tmp_path: Path) -> None:
    uri = f"file://{tmp_path}/out.parquet"
    commit(started(uri), 0, 1)
    refused = cli("ledger", "forget", uri, "--name", "nightly")
    assert "what waits for the finish is lost: 1 part" in refused.err
    cli("ledger", "forget", uri, "--name", "nightly", "--yes")
    assert list(tmp_path.rglob("*.staged")) == []
    again = started(uri, run="run-2")
    commit(again, 0, 1)
    again.finish(1)
    assert duckdb.sql(f"SELECT count(*) FROM '{tmp_path}/out.parquet'").fetchall() == [(2,)]


def test_a_log_with_a_checkpoint_is_forgotten_too(cli: Cli, tmp_path: Path) -> None:
    uri = f"file://{tmp_path}/out/?format=jsonl&if_exists=append"
    writer = started(uri)
    for at in range(70):
        commit(writer, at, at + 1)
    assert list(tmp_path.rglob("*.checkpoint"))
    cli("ledger", "forget", uri, "--name", "nightly", "--yes")
    again = started(uri, run="run-2")
    for at in range(70):
        commit(again, at, at + 1)
    assert again.ledger().rows == 140


def test_if_exists_decides_after_forgetting(cli: Cli, orders: Path, tmp_path: Path) -> None:
    """A copy, its name forgotten, and the copy once more."""
    source = f"file://{orders}/1.csv"
    sink = f"file://{tmp_path}/out/?format=parquet&if_exists="

    def run(policy: str) -> int:
        flags = ("--name", "nightly", "--quiet")
        return copy(["--source", source, "--sink", sink + policy, *flags])

    def ids() -> Counter[int]:
        found = duckdb.sql(f"SELECT id FROM '{tmp_path}/out/*.parquet'").fetchall()
        return Counter(row[0] for row in found)

    assert run("error") == 0
    assert run("append") == 0, "it is finished: nothing happens"
    assert ids() == {1: 1, 2: 1}
    for policy, code, wanted in (("error", 2, 1), ("append", 0, 2), ("overwrite", 0, 1)):
        forgotten = cli("ledger", "forget", sink + "error", "--name", "nightly", "--yes")
        assert forgotten.code == (2 if policy == "append" else 0), forgotten.err
        assert run(policy) == code
        assert ids() == {1: wanted, 2: wanted}


def test_without_a_terminal_it_must_be_meant(cli: Cli, uri: str) -> None:
    commit(started(uri), 0, 3)
    done = cli("ledger", "forget", uri, "--name", "nightly")
    assert done.code == 2
    assert "2 rows of 1 unit are committed" in done.err
    assert "--yes" in done.err
    assert len(cli("ledger", "show", uri, "--json").document["ledgers"]) == 1


@pytest.mark.parametrize(
    ("answer", "code", "left"), [(b"n\n", 1, 1), (b"\n", 1, 1), (b"y\n", 0, 0)]
)
def test_on_a_terminal_it_asks(tmp_path: Path, answer: bytes, code: int, left: int) -> None:
    uri = f"file://{tmp_path}/out/?format=jsonl"
    commit(started(uri), 0, 3)
    ours, theirs = pty.openpty()
    os.write(ours, answer)
    asked = subprocess.run(
        [sys.executable, "-m", "ferris_beam", "ledger", "forget", uri, "--name", "nightly"],
        stdin=theirs,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(ours)
    os.close(theirs)
    assert asked.returncode == code
    assert "forget it? [y/N]" in asked.stderr
    shown = json.loads(python("-m", "ferris_beam", "ledger", "show", uri, "--json").stdout)
    assert len(shown["ledgers"]) == left


def test_a_blank_ledger_is_one_that_was_never_claimed() -> None:
    state = LedgerState()
    state.claim(Identity("n", "r1", "p"), 3, 2)
    state.commit([Entry(Origin(("Read",), Interval("u", 0, 1), "id"), 5, b"x")], 5)
    state.finish()
    state.forget()
    assert state == LedgerState(past=("r1",))
    state.forget()
    assert state == LedgerState(past=("r1",))
