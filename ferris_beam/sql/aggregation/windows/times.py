"""Times as microseconds since 1970, and back."""

from __future__ import annotations

import pyarrow as pa

from ferris_beam.errors import BadRecordError
from ferris_beam.sql.aggregation.arrays import Integers, memory_of

_PER_MICRO = {"s": 1_000_000, "ms": 1_000}


def micros_of(times: pa.Array, name: str) -> Integers:
    """Times of any unit; those between two microseconds belong to the earlier one.

    Raises `BadRecordError` where a time is NULL: such a row is in no window.
    """
    if times.null_count:
        raise BadRecordError(f"the row has no event time: {name} is NULL, so it is in no window")
    if pa.types.is_date(times.type):
        times = times.cast(pa.timestamp("us"))
    if not pa.types.is_timestamp(times.type):
        raise TypeError(f"windows need a timestamp, and {name} is {times.type}")
    found = memory_of(times, "i8")
    if times.type.unit == "ns":
        return found // 1_000
    by = _PER_MICRO.get(times.type.unit, 1)
    return found if by == 1 else found * by


def instants(micros: Integers, kind: pa.DataType) -> pa.Array:
    """The times as the timestamps of a column of type ``kind``."""
    zone = kind.tz if pa.types.is_timestamp(kind) else None
    found = pa.array(micros).view(pa.timestamp("us", zone))
    return found if found.type.equals(kind) else found.cast(kind)
