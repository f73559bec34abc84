"""The watermark of a declared column is that column's alone."""

from __future__ import annotations

import pyarrow as pa
import pytest

from ferris_beam.connector import Chunk
from ferris_beam.transforms.event_time import EARLIEST, EventTime

TIME = EventTime("at", delay=5)


def chunk(*times: int | None, watermark: int | None = None, final: bool = False) -> Chunk:
    records = pa.record_batch({"at": pa.array(times, pa.timestamp("us"))})
    return Chunk(records, end=1, watermark=watermark, final=final)


def test_it_is_the_greatest_time_less_the_delay_and_never_falls() -> None:
    timed = TIME.timed(chunk(100, 140, 120), None)
    assert (timed.timestamp, timed.watermark) == (100, 135)
    later = TIME.timed(chunk(130, None, 150), 135)
    assert (later.timestamp, later.watermark) == (135, 145)
    assert TIME.timed(chunk(20), 145).watermark == 145


@pytest.mark.parametrize("times", [(), (None,), (100,)])
def test_that_of_the_source_is_of_another_time(times: tuple[int | None, ...]) -> None:
    assert TIME.timed(chunk(*times, watermark=10**15), 200).watermark == 200
    assert TIME.timed(chunk(*times, watermark=10**15), None).watermark in (EARLIEST, 95)


def test_at_the_end_of_a_unit_that_of_the_source_counts() -> None:
    assert TIME.timed(chunk(100, watermark=10**15, final=True), 200).watermark == 10**15
