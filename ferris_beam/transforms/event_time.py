"""Event time: when the rows of an endless source happened, and how far they are known to be there.

The *watermark* of a unit is the greatest event time read of it, less a delay that its owner
declares: rows older than that are late. A batch gets the smallest event time of its rows that are
on time as its timestamp, so that no runner can let the watermark pass them on their way; late rows
are those below the timestamp of their batch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.utils.timestamp import MAX_TIMESTAMP, MIN_TIMESTAMP

from ferris_beam.connector import Chunk

EARLIEST: int = MIN_TIMESTAMP.micros
LATEST: int = MAX_TIMESTAMP.micros
_PER_MICRO = {"s": 1_000_000, "ms": 1_000, "us": 1}


@dataclass(frozen=True, slots=True)
class EventTime:
    """``column`` of the source holds a timestamp; ``delay``: by how many microseconds rows may be
    older than those read before them."""

    column: str
    delay: int

    def timed(self, chunk: Chunk, reached: int | None) -> Chunk:
        """``chunk`` with its timestamp, and with the watermark behind it; ``reached`` is the one in
        front of it. All are microseconds since 1970.

        The source's own watermark is of another time (when a message was produced, a transaction
        committed), and counts only where the unit ends with it."""
        reached = EARLIEST if reached is None else reached
        span = self.span(chunk.records)
        if span is None:
            timestamp, watermark = reached, reached
        else:
            timestamp = max(_within(span[0]), reached)
            watermark = max(_within(span[1] - self.delay), reached)
        if chunk.final and chunk.watermark is not None:
            watermark = max(watermark, chunk.watermark)
        return replace(chunk, timestamp=timestamp, watermark=watermark)

    def span(self, records: pa.RecordBatch) -> tuple[int, int] | None:
        """The smallest and the greatest time; None where there is none."""
        times = records.column(self.column)
        if pa.types.is_dictionary(times.type):
            times = times.dictionary_decode()
        found = pc.min_max(times)
        first, last = found["min"], found["max"]
        if not first.is_valid:
            return None
        return _micros(first), _micros(last)


def _micros(time: pa.TimestampScalar) -> int:
    unit = time.type.unit
    return time.value // 1_000 if unit == "ns" else time.value * _PER_MICRO[unit]


def _within(micros: int) -> int:
    """The time, as far as a runner knows times."""
    return min(max(micros, EARLIEST), LATEST)
