"""Exact sums of the numbers in lists, where the engine's are doubles."""

from __future__ import annotations

from decimal import Context, Decimal, Inexact

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

INTEGERS = pa.list_(pa.int64())
TEXTS = pa.list_(pa.string())
_LOW = (1 << 32) - 1
_EXACTLY = Context(prec=38, traps=[Inexact])


def sum_of_integers(lists: pa.Array) -> pa.Array:
    """NULL items are left out; NULL where there are no others; ``ValueError`` beyond 64 bits.

    The halves of each number are summed apart, which can't overflow.
    """
    flat = lists.flatten()
    lengths = np.asarray(pc.fill_null(pc.list_value_length(lists), 0))
    ends = np.cumsum(lengths)
    numbers = np.asarray(pc.fill_null(flat, 0))
    high = _sums(numbers >> 32, ends, lengths)
    low = _sums(numbers & _LOW, ends, lengths)
    high += low >> 32
    if ((high < -(1 << 31)) | (high >= 1 << 31)).any():
        raise ValueError("overflow: the sum of a list does not fit BIGINT")
    present = _sums(np.asarray(pc.is_valid(flat)).astype(np.int64), ends, lengths)
    return pa.array((high << 32) | (low & _LOW), pa.int64(), mask=present == 0)


def _sums(values: np.ndarray, ends: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    totals = np.concatenate([np.zeros(1, np.int64), np.cumsum(values, dtype=np.int64)])
    sums: np.ndarray = totals[ends] - totals[ends - lengths]
    return sums


def sum_of_decimals(lists: pa.Array) -> pa.Array:
    """The same over texts of decimals; the sum is one, too."""
    return pa.array([_decimal_sum(items) for items in lists.to_pylist()], pa.string())


def _decimal_sum(items: list[str | None] | None) -> str | None:
    numbers = [Decimal(item) for item in items or () if item is not None]
    if not numbers:
        return None
    total = numbers[0]
    try:
        for number in numbers[1:]:
            total = _EXACTLY.add(total, number)
    except Inexact:
        raise ValueError("overflow: the sum of a list has more than 38 digits") from None
    return f"{total:f}"
