"""Unbounded reads: self-checkpoints, watermarks, growing files, and an end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import apache_beam as beam
import pyarrow as pa
import pytest

import ferris_beam as fb
from ferris_beam.connectors import memory
from tests.transforms.pipelines import counter, run


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    memory.clear()
    yield
    memory.clear()


def rows(first: int, count: int) -> pa.RecordBatch:
    return pa.record_batch([pa.array(range(first, first + count), pa.int64())], names=["x"])


def test_a_stream_is_read_while_it_grows_and_until_it_is_closed() -> None:
    """What was pushed before is written before the next is pushed: the source doesn't wait for
    its end."""
    stream = memory.stream("live")
    written = _WRITTEN
    written.clear()

    def push_more() -> None:
        stream.push(rows(0, 5))
        assert written.wait(60)
        stream.push(rows(5, 5))
        stream.close()

    pusher = threading.Thread(target=push_more)
    pusher.start()

    def build(p: beam.Pipeline) -> None:
        batches = p | fb.read("memory://live?unbounded=true")
        assert not batches.is_bounded
        batches | fb.MapBatches(_watch) | fb.write("memory://out")

    run(build, "--name=n", "--delivery=exactly_once")
    pusher.join()
    assert memory.take("out")["x"].to_pylist() == list(range(10))


_WRITTEN = threading.Event()


def _watch(records: pa.RecordBatch) -> pa.RecordBatch:
    """At module level, since pickling copies what a closure refers to."""
    if records.num_rows:
        _WRITTEN.set()
    return records


def test_a_stream_grows_one_file_by_segments(tmp_path: Path) -> None:
    stream = memory.stream("live")
    for first in range(0, 50, 5):
        stream.push(rows(first, 5))
    stream.close()
    file = tmp_path / "out.jsonl"
    run(
        lambda p: (
            p | fb.read("memory://live?unbounded=true") | fb.write(f"file://{file}?batch_size=7")
        ),
        "--name=n",
    )
    assert [line for line in file.read_text().splitlines()] == [f'{{"x":{x}}}' for x in range(50)]


def test_a_stream_goes_on_after_a_restart(tmp_path: Path) -> None:
    stream = memory.stream("live")
    for first in range(0, 30, 5):
        stream.push(rows(first, 5))
    file = tmp_path / "out.csv"
    sink = f"file://{file}?batch_size=5"

    def fails(records: pa.RecordBatch) -> pa.RecordBatch:
        if records.num_rows and records["x"][0].as_py() == 20:
            raise RuntimeError("pulled the plug")
        return records

    def build(fn: object) -> object:
        return lambda p: (
            p
            | fb.read("memory://live?unbounded=true")
            | "map" >> fb.MapBatches(fn)
            | fb.write(sink)
        )

    with pytest.raises(Exception, match="pulled the plug"):
        run(build(fails), "--name=n", "--continue")
    stream.close()
    result = run(build(lambda records: records), "--name=n", "--continue")
    assert file.read_text().split() == ["x", *map(str, range(30))]
    gauges = result.metrics().query()["gauges"]
    assert {gauge.key.metric.name for gauge in gauges} <= {"data.backlog_bytes"}
    assert counter(result, "data.rows_read") < 30


def test_a_stream_can_not_become_one_parquet_file(tmp_path: Path) -> None:
    stream = memory.stream("live")
    stream.push(rows(0, 5))
    stream.close()
    with pytest.raises(fb.errors.PlanError, match="never ends"):
        run(
            lambda p: (
                p
                | fb.read("memory://live?unbounded=true")
                | fb.write(f"file://{tmp_path}/out.parquet")
            )
        )
