"""Rows with a value that Arrow can't hold, for the dead letters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from ferris_beam.connector import Reject


def without_bad(
    records: pa.RecordBatch, bad: Mapping[int, str], unit: str, start: int, position: int
) -> tuple[pa.RecordBatch, list[Reject]]:
    """The good rows, and a reject of ``position`` for each bad one; ``start`` is the first row's
    number in the unit's piece."""
    if not bad:
        return records, []
    rejects = [
        Reject(position, f"row {start + row + 1:,} of {unit}", reason, _payload(records, row))
        for row, reason in sorted(bad.items())
    ]
    good = np.ones(len(records), bool)
    good[list(bad)] = False
    return records.filter(pa.array(good)), rejects


def _payload(records: pa.RecordBatch, row: int) -> bytes:
    """The row as JSON; a value that doesn't fit is null, since the reason tells of it."""
    values = {name: _shown(records[name][row]) for name in records.schema.names}
    return json.dumps(values, default=str, ensure_ascii=False).encode()


def _shown(value: pa.Scalar) -> Any:
    try:
        return value.as_py()
    except (OverflowError, ValueError):  # Python has no years before Christ
        pass
    try:
        return value.cast(pa.string()).as_py()
    except pa.ArrowException:
        return None
