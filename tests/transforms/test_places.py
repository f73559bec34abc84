"""Files that move between two starts, sinks by several names, secrets that can't travel."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType

import apache_beam as beam
import pyarrow as pa
import pytest

import ferris_beam as fb
from ferris_beam.errors import PlanError, SourceChangedError, find_in_text
from ferris_beam.runners import launch
from tests.transforms.pipelines import options, run

_STOP = [False]


def _maybe_stop(records: pa.RecordBatch) -> pa.RecordBatch:
    if _STOP[0] and records["x"][0].as_py() == 2:
        raise RuntimeError("pulled the plug")
    return records


@pytest.fixture
def unfinished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two files of three rows, the first of them written, the run not finished."""
    monkeypatch.setattr("ferris_beam.transforms.write_fn._MOST_INTERVALS", 1)
    for number in (1, 2):
        (tmp_path / f"{number}.csv").write_text("x\n" + f"{number}\n" * 3)
    _STOP[0] = True
    with pytest.raises(Exception, match="pulled the plug"):
        copy(tmp_path)
    _STOP[0] = False
    return tmp_path


def copy(folder: Path, *flags: str) -> None:
    def build(p: beam.Pipeline) -> None:
        rows = p | fb.read(f"file://{folder}/*.csv")
        rows | fb.MapBatches(_maybe_stop) | fb.write(f"file://{folder}/out.jsonl")

    run(build, "--name=n", *flags)


def written(folder: Path) -> list[str]:
    return sorted((folder / "out.jsonl").read_text().split())


def test_a_file_that_moved_is_not_read_twice(unfinished: Path) -> None:
    os.rename(unfinished / "1.csv", unfinished / "0.csv")
    with pytest.raises(Exception, match=r"1\.csv is no longer there") as caught:
        copy(unfinished)
    assert isinstance(find_in_text(str(caught.value)), SourceChangedError)
    os.rename(unfinished / "0.csv", unfinished / "1.csv")
    copy(unfinished)
    assert written(unfinished) == ['{"x":1}'] * 3 + ['{"x":2}'] * 3


def test_a_file_that_is_gone_is_done_without_on_request(unfinished: Path) -> None:
    (unfinished / "1.csv").unlink()
    copy(unfinished, "--continue")
    assert written(unfinished) == ['{"x":1}'] * 3 + ['{"x":2}'] * 3


def test_new_files_are_read_by_a_restart(unfinished: Path) -> None:
    (unfinished / "3.csv").write_text("x\n3\n")
    copy(unfinished)
    assert written(unfinished)[-1] == '{"x":3}'


def test_one_place_in_two_spellings_is_one_sink(tmp_path: Path) -> None:
    def build(p: beam.Pipeline) -> None:
        rows = p | fb.read(f"file://{tmp_path}/1.csv")
        rows | "one" >> fb.write(f"file://{tmp_path}/out/?format=csv")
        rows | "two" >> fb.write(f"file://{tmp_path}/in/../out/?format=csv")

    with pytest.raises(PlanError, match="both write to"):
        build(beam.Pipeline(options=options()))


def test_a_literal_secret_stays_in_this_process(numbers: ModuleType) -> None:
    def build(p: beam.Pipeline) -> None:
        p | fb.read("faulty://source", password="hunter2") | fb.write("faulty://out")

    elsewhere = options("--runner=FnApiRunner", "--direct_running_mode=multi_processing")
    with pytest.raises(PlanError, match="password=env:NAME") as caught:
        launch(build, elsewhere, quiet=True)
    assert "hunter2" not in str(caught.value)
