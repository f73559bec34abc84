"""Elements between the threads of FnApiRunner: none may be cut by a clock."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import apache_beam as beam
from apache_beam.runners.worker import data_plane

import ferris_beam as fb
from ferris_beam.batches import Batch
from tests.transforms.pipelines import run

clocks: list[int] = []
"""The threads that send what is in a buffer by the clock, counted while a bundle writes to one."""


def work_of(thread: threading.Thread) -> str:
    return getattr(getattr(thread, "_function", None), "__qualname__", "")


class CountClocks(beam.DoFn):
    def process(self, batch: Batch) -> Iterator[tuple[int, int]]:
        streams = data_plane.TimeBasedBufferingClosableOutputStream.__name__
        clocks.append(sum(streams in work_of(each) for each in threading.enumerate()))
        yield 0, batch.records.num_rows


def test_no_buffer_is_sent_by_the_clock_while_an_element_is_written(tmp_path: Path) -> None:
    source = tmp_path / "rows.csv"
    source.write_text("id\n1\n2\n")

    def build(pipeline: beam.Pipeline) -> None:
        rows = pipeline | fb.read(f"file://{source}")
        _ = rows | beam.ParDo(CountClocks()) | beam.GroupByKey()

    clocks.clear()
    run(build, threads=2)
    assert clocks
    assert set(clocks) == {0}
