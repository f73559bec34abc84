"""Copies on a Flink cluster: what dies there, what is stopped, what fails, what the user hears."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

import ferris_beam as fb
from ferris_beam.cli.main import main
from ferris_beam.runners import beam_options
from ferris_beam.runners.flink import watchdog
from ferris_beam.runners.flink.cluster import FlinkCluster as Rest
from tests.chaos import endless
from tests.chaos.endless import EndlessCopy, Files, stopped_cleanly, wait_until
from tests.services import processes
from tests.services.flink import FlinkCluster, running_pool


def endless_copy(flink: FlinkCluster, tmp_path: Path, *flags: str) -> EndlessCopy:
    source = f"{tmp_path}/in/*.csv?watch=true&settle=0&types=id:int64"
    often = "--checkpointing_interval=500"
    return EndlessCopy(source, tmp_path / "out", flags=(*flink.flags, often, *flags))


def test_what_is_killed_and_stopped_with_a_savepoint_has_every_row_once(
    flink: FlinkCluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(endless, "PATIENCE", 120.0)  # a lost TaskManager is missed after seconds
    files = Files(tmp_path / "in")
    copy = endless_copy(flink, tmp_path)

    def write_and_wait(process: subprocess.Popen[str]) -> None:
        files.write(3)
        wait_until(lambda: copy.written().total() >= files.total, process)
        assert max(copy.written().values()) == 1, "a row is visible twice"

    files.write(2)
    process = copy.start()
    write_and_wait(process)
    for worker in flink.workers():
        worker.kill()
    write_and_wait(process)
    flink.kill("taskmanager")
    files.write(2)
    flink.start_task_manager()
    write_and_wait(process)
    assert main(["stop", "chaos", f"--flink_master={flink.rest}", "--savepoint"]) == 0
    _, told = process.communicate(timeout=processes.PATIENCE)
    assert process.returncode == 0, told
    assert "starts again" in told
    (flag,) = (word for word in capsys.readouterr().out.split() if "--savepoint_path" in word)
    assert list(flink.savepoints.iterdir())
    process = endless_copy(flink, tmp_path, flag).start()
    write_and_wait(process)
    wait_until(lambda: copy.rejected().total() >= len(files.bad), process)
    stopped_cleanly(process, signal.SIGTERM)
    assert flink.jobs("RUNNING") == []
    assert copy.written() == Counter(range(files.total))
    assert copy.rejected() == Counter(files.bad)


def test_a_copy_is_counted_and_known_to_be_finished(flink: FlinkCluster, tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.jsonl").write_text(f'{{"id": {number}}}\n' * 100)

    def copy() -> fb.Report:
        return fb.launch(
            lambda p: p | fb.read(f"file:{tmp_path}/*.jsonl") | fb.write(f"file:{tmp_path}/o.csv"),
            beam_options([*flink.flags, "--name=counted"]),
            quiet=True,
        )

    report = copy()
    assert (report.status, report.rows_read, report.rows_written) == ("done", 300, 300)
    assert (report.runner, report.delivery) == ("Flink", "exactly_once")
    assert len((tmp_path / "o.csv").read_text().splitlines()) == 301
    assert copy().status == "already finished"


def test_an_error_of_a_worker_ends_the_job_and_is_told_once(
    flink: FlinkCluster, tmp_path: Path
) -> None:
    (tmp_path / "in.csv").write_text("id,amount\n1,2\n2\n")
    command = [
        *(sys.executable, "-m", "pipelines.copy", "--name=broken", "--quiet", *flink.flags),
        *("--source", f"file:{tmp_path}/in.csv", "--sink", f"file:{tmp_path}/out.jsonl"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("was rejected at line 3") == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) < 8, done.stderr
    assert flink.jobs("RUNNING", "RESTARTING") == []


def folder_of_another_python(folder: Path) -> str:
    """A PATH whose python has no Beam."""
    (folder / "python").write_text("#!/bin/sh\nexit 1\n")
    (folder / "python").chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


def test_workers_that_never_come_are_told_of(
    flink: FlinkCluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(watchdog, "STUCK_SECONDS", 0.5)
    (tmp_path / "in.csv").write_text("id\n1\n")
    told: list[str] = []
    errors: list[BaseException] = []

    def build(pipeline: object) -> object:
        copied = pipeline | fb.read(f"file:{tmp_path}/*.csv?watch=true")  # type: ignore[operator]
        return copied | fb.write(f"file:{tmp_path}/out.jsonl")

    def launch(pool: str) -> None:
        flags = [*flink.flags[:-1], f"--environment_config={pool}", "--unchecked_pool"]
        try:
            fb.launch(build, beam_options(flags), quiet=True)
        except BaseException as error:
            errors.append(error)

    path = folder_of_another_python(tmp_path)
    with running_pool(path, tmp_path / "pool.log") as pool:
        thread = threading.Thread(target=launch, args=(pool,))
        thread.start()
        while thread.is_alive() and not told:
            thread.join(processes.POLL)
            said = capsys.readouterr().err.splitlines()
            told += [line for line in said if "waits for workers" in line]
        (line,) = told
        assert f"the worker pool at {pool}" in line
        assert "`python` on its PATH" in line
        for job in flink.jobs("RUNNING"):
            Rest(flink.rest).cancel_and_wait(job)
        thread.join(processes.PATIENCE)
    assert not thread.is_alive()
    assert not errors
