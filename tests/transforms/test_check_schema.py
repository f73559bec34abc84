"""A schema check in a pipeline: differing rows to the dead letters, origins kept."""

from __future__ import annotations

from pathlib import Path

import apache_beam as beam
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

import ferris_beam as fb
from ferris_beam.errors import RejectedRowError
from tests.transforms.pipelines import counter, run

EXPECTED = pa.schema([pa.field("id", pa.int64(), nullable=False), ("amount", pa.float64())])


def orders(folder: Path) -> str:
    folder.mkdir()
    lines = [f"{row if row % 10 else ''},{row}.5,{row}" for row in range(100)]
    (folder / "a.csv").write_text("id,amount,note\n" + "\n".join(lines) + "\n")
    return f"file://{folder}/"


@pytest.mark.parametrize("threads", [1, 2])
def test_differing_rows_become_dead_letters(tmp_path: Path, threads: int) -> None:
    source = orders(tmp_path / "in")

    def build(pipeline: beam.Pipeline) -> None:
        with fb.DeadLetters(f"file://{tmp_path}/dead/?format=parquet") as dead:
            checked = (
                pipeline
                | fb.read(source)
                | fb.CheckSchema(EXPECTED, extra="drop", nulls="dead_letter", dead_letters=dead)
            )
            checked | fb.write(f"file://{tmp_path}/out/?format=parquet")

    run(build, "--name=checked", "--delivery=exactly_once", threads=threads)
    written = ds.dataset(tmp_path / "out", partitioning=None).to_table()
    assert written.schema.names == ["id", "amount"]
    assert sorted(written["id"].to_pylist()) == [row for row in range(100) if row % 10]
    letters = ds.dataset(tmp_path / "dead").to_table().to_pylist()
    assert len(letters) == 10
    assert {letter["category"] for letter in letters} == {"schema"}
    assert {letter["reason"] for letter in letters} == {"id: null where a value is required"}
    assert '"note": 10' in "".join(letter["payload"] for letter in letters)


def test_dropped_rows_are_counted(tmp_path: Path) -> None:
    source = orders(tmp_path / "in")

    def build(pipeline: beam.Pipeline) -> None:
        batches = pipeline | fb.read(source)
        checked = batches | fb.CheckSchema(EXPECTED, extra="drop", nulls="drop")
        checked | fb.write(f"file://{tmp_path}/out.jsonl")

    assert counter(run(build), "data.rows_dropped") == 10


def test_without_dead_letters_the_first_row_stops_the_job(tmp_path: Path) -> None:
    source = orders(tmp_path / "in")

    def build(pipeline: beam.Pipeline) -> None:
        batches = pipeline | fb.read(source)
        checked = batches | fb.CheckSchema(EXPECTED, extra="drop", nulls="dead_letter")
        checked | fb.write(f"file://{tmp_path}/out.jsonl")

    with pytest.raises((RejectedRowError, RuntimeError), match="null where a value is required"):
        run(build)
