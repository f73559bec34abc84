"""Copies on the runners that work while the input goes on: killed, stopped, failed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

import ferris_beam as fb
from ferris_beam.runners import beam_options
from tests.chaos.endless import EndlessCopy, Files, kill_while_written, wait_until
from tests.chaos.harness import ROOT, Copy, everything_once, only_whole_files, run_and_kill
from tests.chaos.orders import generate
from tests.services import processes

RUNNERS = ["LocalStreamingRunner", "prism"]


@pytest.fixture(params=RUNNERS)
def flags(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """A runner, by its flags."""
    return flags_of(request.param, request)


def flags_of(runner: str, request: pytest.FixtureRequest) -> tuple[str, ...]:
    if runner != "prism":
        return (f"--runner={runner}",)
    program = request.getfixturevalue("prism_program")
    return ("--runner=prism", f"--prism_location={program}")


def test_a_copy_that_is_killed_on_prism_has_every_row_once(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    copy = Copy(generate(tmp_path / "in"), tmp_path, flags=flags_of("prism", request))
    assert run_and_kill(copy, 2, 5, only_whole_files) == 2
    everything_once(copy)


def test_an_endless_copy_that_is_killed_and_stopped_has_every_row_once(
    tmp_path: Path, flags: tuple[str, ...]
) -> None:
    files = Files(tmp_path / "in")
    source = f"{files.folder}/*.csv?watch=true&settle=0&types=id:int64"
    copy = EndlessCopy(source, tmp_path / "out", flags=flags)
    assert kill_while_written(copy, files, 2, 6) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_prism_and_all_that_was_started(
    tmp_path: Path, number: int, request: pytest.FixtureRequest
) -> None:
    files = Files(tmp_path / "in")
    files.write(2)
    source = f"{files.folder}/*.csv?watch=true&settle=0&types=id:int64"
    copy = EndlessCopy(source, tmp_path / "out", flags=flags_of("prism", request))
    process = copy.start()
    wait_until(lambda: copy.written().total() >= files.total, process)
    children = psutil.Process(process.pid).children(recursive=True)
    assert any("prism" in child.name() for child in children)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert len(errors.splitlines()) == 1, errors
    assert "stopping: what was read is committed" in errors
    assert not [child for child in children if child.is_running()]


def test_prism_ends_with_a_run_that_is_killed(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    files = Files(tmp_path / "in")
    files.write()
    source = f"{files.folder}/*.csv?watch=true&settle=0&types=id:int64"
    copy = EndlessCopy(source, tmp_path / "out", flags=flags_of("prism", request))
    process = copy.start()
    wait_until(lambda: copy.written().total() >= files.total, process)
    (prism,) = psutil.Process(process.pid).children()
    process.kill()
    process.communicate()
    prism.wait(processes.PATIENCE)


def test_an_error_is_told_once_and_all_of_it_when_asked_for(
    tmp_path: Path, flags: tuple[str, ...]
) -> None:
    (tmp_path / "in.csv").write_text("id,amount\n1,2\n2\n")
    command = [
        *(sys.executable, "-m", "pipelines.copy", "--name=n", *flags),
        *("--source", f"file:{tmp_path}/in.csv", "--sink", f"file:{tmp_path}/out.jsonl"),
    ]

    def errors_of(*more: str) -> str:
        done = subprocess.run(
            [*command, *more], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 1, done.stderr
        return done.stderr

    short = errors_of("--quiet")
    assert short.count("was rejected at line 3") == 1, short
    assert "Traceback" not in short
    assert len(short.splitlines()) < 8, short
    assert "Traceback" in errors_of("--verbose")


def test_a_report_counts_what_was_done(tmp_path: Path, flags: tuple[str, ...]) -> None:
    for number in range(3):
        rows = "\n".join(f'{{"id": {number * 100 + row}}}' for row in range(100))
        (tmp_path / f"{number}.jsonl").write_text(rows + "\n")

    def copy(pipeline: object) -> object:
        return pipeline | fb.read(f"file:{tmp_path}/*.jsonl") | fb.write(f"file:{tmp_path}/out.csv")

    report = fb.launch(copy, beam_options(flags), quiet=True)
    assert (report.status, report.rows_read, report.rows_written) == ("done", 300, 300)
    assert report.delivery == "exactly_once"
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 301
    assert json.loads(json.dumps(report.to_json()))["runner"] in ("Prism", "LocalStreamingRunner")
