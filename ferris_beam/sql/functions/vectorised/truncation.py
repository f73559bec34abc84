"""The start of the unit of time that holds a timestamp (µs, without zone), in all years."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.sql.functions.vectorised.calendar import FIXED, MICROS, MONTHS, unit
from ferris_beam.sql.functions.vectorised.groups import per_value

_MONDAY = 3 * FIXED["day"]
"""Weeks start on Mondays; 1969-12-29, three days before the epoch, was one."""


def date_trunc(part: pa.Array, times: pa.Array) -> pa.Array:
    return per_value(part, MICROS, lambda one, rows: _truncated(unit(one), rows), times)


def _truncated(name: str, times: pa.Array) -> pa.Array:
    missing = np.asarray(pc.is_null(times))
    micros = np.asarray(pc.fill_null(times.cast(pa.int64()), 0))
    if name in FIXED:
        offset = _MONDAY if name == "week" else 0
        micros = (micros + offset) // FIXED[name] * FIXED[name] - offset
    else:
        months = micros.view("datetime64[us]").astype("datetime64[M]").astype(np.int64)
        # Centuries and millennia start with a year 1, decades with a year 0.
        first = 12 * (1970 - (1 if MONTHS[name] > 120 else 0))
        months = (months + first) // MONTHS[name] * MONTHS[name] - first
        micros = months.astype("datetime64[M]").astype("datetime64[us]").view(np.int64)
    return pa.array(micros, pa.int64(), mask=missing).cast(MICROS)
