"""Bits of integers."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def count(numbers: pa.Array) -> pa.Array:
    """How many bits are 1, of the 64 in two's complement."""
    bits = np.ascontiguousarray(pc.fill_null(numbers, 0)).view(np.uint8).reshape(-1, 8)
    counted = np.unpackbits(bits, axis=1).sum(axis=1).astype(np.int64)
    return pa.array(counted, mask=np.asarray(pc.is_null(numbers)))
