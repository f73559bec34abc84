"""Copies that never end, as processes: killed while files arrive and grow, and stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import duckdb
import pytest

from tests.chaos.endless import (
    EndlessCopy,
    Files,
    Logs,
    kill_while_written,
    stopped_cleanly,
    wait_until,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("seed", [1, 2])
def test_every_row_of_arriving_files_once_under_sigkill(tmp_path: Path, seed: int) -> None:
    files = Files(tmp_path / "in")
    copy = EndlessCopy(
        f"{files.folder}/?watch=true&settle=0&poll_interval=100ms&types=id:int64", tmp_path / "out"
    )
    assert kill_while_written(copy, files, kills=2, seed=seed) == 2


@pytest.mark.parametrize("seed", [1, 2])
def test_every_line_of_rotated_logs_once_under_sigkill(tmp_path: Path, seed: int) -> None:
    logs = Logs(tmp_path / "in")
    copy = EndlessCopy(
        f"{logs.folder}/*.log?tail=true&settle=500ms&poll_interval=100ms&types=id:int64",
        tmp_path / "out",
    )
    assert kill_while_written(copy, logs, kills=2, seed=seed) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_with_everything_committed(tmp_path: Path, number: int) -> None:
    files = Files(tmp_path / "in")
    files.write(3)
    copy = EndlessCopy(f"{files.folder}/*.csv?watch=true&settle=0&types=id:int64", tmp_path / "out")
    process = copy.start()
    wait_until(lambda: copy.written().total() == files.total, process)
    stopped_cleanly(process, number)
    assert copy.written() == Counter(range(files.total))


def test_a_file_that_changes_stops_it_with_its_name(tmp_path: Path) -> None:
    files = Files(tmp_path / "in")
    files.write(1)
    copy = EndlessCopy(
        f"{files.folder}/?watch=true&settle=0&poll_interval=50ms&types=id:int64", tmp_path / "out"
    )
    process = copy.start()
    wait_until(lambda: copy.written().total() == files.total, process)
    (path,) = files.folder.glob("*.csv")
    with open(path, "a") as file:
        file.write("999,late\n")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"{path} changed after it was taken" in errors


def test_an_interrupt_of_what_ends_commits_and_fails_and_can_be_resumed(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    lines = "".join(f"{number},text of number {number}\n" for number in range(400_000))
    for number in range(6):
        (source / f"{number}.csv").write_text("id,text\n" + lines)
    command = [
        *(sys.executable, "-m", "pipelines.copy", "--name", "n", "--quiet"),
        *("--source", f"file://{source}/", "--sink", f"file://{tmp_path}/out/?format=parquet"),
    ]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    log = tmp_path / "out" / "_ferris" / "n" / "log"
    wait_until(lambda: log.is_dir() and len(os.listdir(log)) >= 1, process)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "interrupted before the end" in errors
    assert subprocess.run(command, cwd=ROOT, timeout=100, check=False).returncode == 0
    count = duckdb.sql(f"SELECT id, count(*) c FROM '{tmp_path}/out/*.parquet' GROUP BY id")
    assert set(row[1] for row in count.fetchall()) == {6}
