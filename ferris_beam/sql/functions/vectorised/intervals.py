"""Intervals of a number of units, which the engine doesn't multiply."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

INTERVAL = pa.month_day_nano_interval()
_LAYOUT = np.dtype([("months", "<i4"), ("days", "<i4"), ("nanos", "<i8")])
"""Of one value (Arrow's columnar format, Interval, MONTH_DAY_NANO)."""
UNITS: dict[str, tuple[str, int]] = {
    "year": ("months", 12),
    "month": ("months", 1),
    "week": ("days", 7),
    "day": ("days", 1),
    "hour": ("nanos", 3_600_000_000_000),
    "minute": ("nanos", 60_000_000_000),
    "second": ("nanos", 1_000_000_000),
    "millisecond": ("nanos", 1_000_000),
    "microsecond": ("nanos", 1_000),
}


def of(unit: str) -> Callable[[pa.Array], pa.Array]:
    """The function that makes intervals of integers; ``ValueError`` for too many."""
    part, size = UNITS[unit]
    most = np.iinfo(_LAYOUT[part]).max // size

    def intervals(counts: pa.Array) -> pa.Array:
        numbers = np.asarray(pc.fill_null(counts, 0))
        if len(numbers) and (numbers.max() > most or numbers.min() < -most):
            raise ValueError(f"overflow: an interval has {most} {unit}s at most")
        values = np.zeros(len(numbers), _LAYOUT)
        values[part] = numbers * size
        bits = np.packbits(np.asarray(pc.is_valid(counts)), bitorder="little")
        return pa.Array.from_buffers(
            INTERVAL, len(numbers), [pa.py_buffer(bits), pa.py_buffer(values)]
        )

    return intervals
