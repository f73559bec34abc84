"""Programs over streams that never end, on the streaming runner of this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.options.pipeline_options import PipelineOptions

import ferris_beam as fb
from ferris_beam.connectors import memory
from ferris_beam.monitoring import Report
from ferris_beam.runners import launch

SECOND = 1_000_000
RUNNER = "--runner=LocalStreamingRunner"
DECLARED = """
    CREATE STREAM events (
        at TIMESTAMP, k BIGINT, v BIGINT,
        WATERMARK FOR at AS at - INTERVAL '5' SECOND
    ) FROM 'memory://events?unbounded=true';
"""
_PATIENCE = 60.0


def rows(*events: tuple[float, int, int]) -> pa.RecordBatch:
    """Of seconds, key and value."""
    times, keys, values = zip(*events, strict=True)
    return pa.record_batch(
        {
            "at": pa.array([int(time * SECOND) for time in times], pa.timestamp("us")),
            "k": pa.array(keys, pa.int64()),
            "v": pa.array(values, pa.int64()),
        }
    )


def run(query: str, *flags: str, letters: str = "") -> Report:
    """Runs ``query`` behind the declaration of ``events``, until that stream is closed."""

    def build(pipeline: beam.Pipeline) -> Any:
        if not letters:
            return pipeline | fb.sql(DECLARED + query)
        with fb.DeadLetters(letters) as dead:
            return pipeline | fb.sql(DECLARED + query, dead_letters=dead)

    return launch(build, PipelineOptions([RUNNER, "--name=n", *flags]), quiet=True)


class Pusher(threading.Thread):
    """Does ``push`` beside the run, and closes the stream behind it, whatever happens."""

    def __init__(self, push: Callable[[], None]) -> None:
        super().__init__()
        self._push = push
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            self._push()
        except BaseException as error:
            self.failure = error
        finally:
            memory.stream("events").close()

    def __enter__(self) -> Pusher:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.join()
        if self.failure is not None:
            raise self.failure


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < until, "it didn't come"
        time.sleep(0.01)
