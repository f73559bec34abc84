"""Where the values of one column lie, and how words are read there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Positions = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Values:
    """The values of one column: ``data``, uint8[bytes]; ``starts``, int64[n]; ``lengths``,
    int[n], where a negative one says that there is none (-1: NULL, -2: not sent)."""

    data: npt.NDArray[np.uint8]
    starts: Positions
    lengths: npt.NDArray[np.integer]

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def present(self) -> Mask:
        return np.asarray(self.lengths >= 0)

    def select(self, rows: Mask | Positions) -> Values:
        return Values(self.data, self.starts[rows], self.lengths[rows])

    def cut(self, nbytes: int) -> Values:
        """Without the first bytes of each value; NULL where a value has fewer."""
        there = np.asarray(self.lengths >= nbytes)
        starts = np.where(there, self.starts + nbytes, self.starts)
        return Values(self.data, starts, np.where(there, self.lengths - nbytes, -1))

    def words(self, kind: str, offset: int | Positions = 0) -> Numbers:
        """The number of a dtype such as ``>i4`` at an offset in each value; 0 where the value
        ends before that."""
        width = np.dtype(kind).itemsize
        there = np.asarray(offset + width <= self.lengths)
        if there.all():
            return words_at(self.data, self.starts + offset, kind)
        found = np.zeros(len(self), np.dtype(kind).newbyteorder("="))
        offsets = offset[there] if isinstance(offset, np.ndarray) else offset
        found[there] = words_at(self.data, self.starts[there] + offsets, kind)
        return found

    def words_behind(self, kind: str, offset: int) -> Numbers:
        """The number of a dtype at an offset, also where the value ends before it: then with
        whatever bytes follow, zeros at the end of the data."""
        width = np.dtype(kind).itemsize
        positions = self.starts + offset
        last = len(self.data) - width
        late = positions > last
        if not late.any():
            return words_at(self.data, positions, kind)
        found = np.zeros(len(self), np.dtype(kind).newbyteorder("="))
        found[~late] = words_at(self.data, positions[~late], kind)
        first = max(0, last)
        tail = np.concatenate([self.data[first:], np.zeros(2 * width + offset, np.uint8)])
        found[late] = words_at(tail, positions[late] - first, kind)
        return found

    def value(self, row: int | np.intp) -> bytes:
        """One value; for what is rare."""
        start = self.starts[row]
        return self.data[start : start + self.lengths[row]].tobytes()


def words_at(data: npt.NDArray[np.uint8], positions: Positions, kind: str) -> Numbers:
    """Numbers at any positions, aligned or not: a view with a stride of one byte finds them."""
    dtype = np.dtype(kind)
    native = dtype.newbyteorder("=")
    if not len(positions):
        return np.empty(0, native)
    view: Numbers = np.ndarray((len(data) - dtype.itemsize + 1,), dtype, data, strides=(1,))
    return view[positions].astype(native)


@dataclass(slots=True)
class Faults:
    """Rows with a value that Arrow's type can't hold, and why: the first reason counts.

    ``owners`` says to which row each of the values belongs, where they are parts of rows.
    """

    reasons: dict[int, str] = field(default_factory=dict)
    owners: Positions | None = None

    def add(self, values: Mask, reason: str) -> None:
        for value in np.flatnonzero(values):
            self.add_one(int(value), reason)

    def add_one(self, value: int, reason: str) -> None:
        row = int(value if self.owners is None else self.owners[value])
        self.reasons.setdefault(row, reason)

    def of_parts(self, owners: Positions) -> Faults:
        """For values that are parts of the values at ``owners``."""
        return Faults(self.reasons, owners if self.owners is None else self.owners[owners])


def number_type(kind: pa.DataType) -> np.dtype[Any]:
    """numpy's type of Arrow's numbers; `pa.DataType.to_pandas_dtype` would need pandas."""
    return pa.array([], kind).to_numpy().dtype


def array_of(kind: pa.DataType, values: Numbers, present: Mask, *, nbits: bool = False) -> pa.Array:
    """An Arrow array over numpy's memory, with NULL where ``present`` is false.

    ``values`` has the layout of Arrow's buffer; ``nbits``: it holds one byte per boolean.
    """
    bitmap = None
    if not present.all():
        bitmap = pa.py_buffer(np.packbits(present, bitorder="little"))
    if nbits:
        values = np.packbits(values.astype(bool), bitorder="little")
    return pa.Array.from_buffers(
        kind, len(present), [bitmap, pa.py_buffer(np.ascontiguousarray(values))]
    )


def with_nulls(array: pa.Array, present: Mask) -> pa.Array:
    """The array with NULL where ``present`` is false."""
    if present.all():
        return array
    return pc.if_else(pa.array(present), array, pa.scalar(None, array.type))
