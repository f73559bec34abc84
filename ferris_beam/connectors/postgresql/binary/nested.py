"""Arrays and composites, from PostgreSQL's binary format to lists and structs.

Source: array_send in src/backend/utils/adt/arrayfuncs.c (int32 dimensions, flags, element type,
and for each dimension size and lower bound; then int32 length and bytes for each element) and
record_send in rowtypes.c (int32 fields, and for each int32 type, int32 length, bytes).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ferris_beam.connectors.postgresql.binary.values import (
    Faults,
    Mask,
    Positions,
    Values,
    words_at,
)
from ferris_beam.connectors.postgresql.types.column import ServerType

Decode = Callable[[ServerType, pa.DataType, Values, Faults], pa.Array]

_LENGTH = 4
_ARRAY_HEADER = 20  # of one dimension
_NO_DIMENSIONS = 12  # of an empty array
_FIELD_HEADER = 8
_FEW = 8  # rows whose elements are found one by one


def arrays(
    base: ServerType, to: pa.DataType, values: Values, faults: Faults, decode: Decode
) -> pa.Array:
    """Lists of what `decode` makes of the elements; more than one dimension is a fault."""
    present = values.present
    damaged = present & (values.lengths < _NO_DIMENSIONS)
    if damaged.any():
        faults.add(damaged, "the value has an unexpected length")
        present = present & ~damaged
    dimensions = values.words(">i4")
    deep = present & (dimensions > 1)
    if deep.any():
        faults.add(deep, "an array of more than one dimension has no place in a list")
        present = present & ~deep
    sizes = np.where(present & (dimensions == 1), values.words(">i4", 12), 0).astype(np.int64)
    elements, owners = _elements(values, sizes)
    assert base.element is not None
    inner = decode(base.element, to.value_type, elements, faults.of_parts(owners))
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    bitmap = None
    if not present.all():
        bitmap = pa.py_buffer(np.packbits(present, bitorder="little"))
    return pa.Array.from_buffers(to, len(values), [bitmap, pa.py_buffer(offsets)], children=[inner])


def _elements(values: Values, sizes: npt.NDArray[np.int64]) -> tuple[Values, Positions]:
    """All elements of all arrays, in order, and to which value each belongs."""
    owners = np.repeat(np.arange(len(values)), sizes)
    firsts = np.cumsum(sizes) - sizes
    positions = values.starts + _ARRAY_HEADER
    even = _evenly(values, sizes, positions, owners, firsts)
    if even is not None:
        return even, owners
    starts = np.empty(len(owners), np.int64)
    lengths = np.empty(len(owners), np.int32)
    active = np.flatnonzero(sizes)
    place = 0
    while len(active) > _FEW:  # the next element of each array that has one
        found = words_at(values.data, positions[active], ">i4").astype(np.int32)
        at = firsts[active] + place
        starts[at], lengths[at] = positions[active] + _LENGTH, found
        positions[active] += _LENGTH + np.maximum(found, 0)
        place += 1
        active = active[sizes[active] > place]
    for row in active:  # a few long arrays
        places = range(int(firsts[row]) + place, int(firsts[row] + sizes[row]))
        _walk(values, int(positions[row]), places, starts, lengths)
    return Values(values.data, starts, lengths), owners


def _evenly(
    values: Values,
    sizes: npt.NDArray[np.int64],
    positions: Positions,
    owners: Positions,
    firsts: Positions,
) -> Values | None:
    """The elements if all are there and equally long, which their places then show."""
    if not len(owners):
        return Values(values.data, np.empty(0, np.int64), np.empty(0, np.int32))
    filled = sizes > 0
    widths = words_at(values.data, positions[filled], ">i4").astype(np.int64)
    width = int(widths[0])
    whole = _ARRAY_HEADER + sizes[filled] * (_LENGTH + width)
    if width < 0 or (values.lengths[filled] != whole).any():
        return None
    starts = positions[owners] + (np.arange(len(owners)) - firsts[owners]) * (_LENGTH + width)
    lengths = words_at(values.data, starts, ">i4").astype(np.int32)
    return Values(values.data, starts + _LENGTH, lengths) if (lengths == width).all() else None


def _walk(
    values: Values, position: int, places: range, starts: Positions, lengths: npt.NDArray[np.int32]
) -> None:
    data = memoryview(values.data.data)
    for place in places:
        length = int.from_bytes(data[position : position + _LENGTH], "big", signed=True)
        position += _LENGTH
        starts[place], lengths[place] = position, length
        position += max(length, 0)


def composites(
    base: ServerType, to: pa.DataType, values: Values, faults: Faults, decode: Decode
) -> pa.Array:
    """Structs. A row that was sent with other fields than the catalog has is a fault."""
    present = values.present
    other = present & (values.words(">i4") != len(base.fields))
    if other.any():
        faults.add(other, f"a {base.name} with other fields than the type has now")
        present = present & ~other
    starts = np.where(present, values.starts + _LENGTH, values.starts)
    children = []
    for number, (_, inner) in enumerate(base.fields):
        cells = _field(values, starts, present)
        children.append(decode(inner, to.field(number).type, cells, faults))
        starts = cells.starts + np.maximum(cells.lengths, 0)
    bitmap = None
    if not present.all():
        bitmap = pa.py_buffer(np.packbits(present, bitorder="little"))
    return pa.Array.from_buffers(to, len(values), [bitmap], children=children)


def _field(values: Values, starts: Positions, present: Mask) -> Values:
    """The next field of each composite that is there."""
    lengths = np.full(len(values), -1, np.int32)
    lengths[present] = words_at(values.data, starts[present] + 4, ">i4")
    return Values(values.data, np.where(present, starts + _FIELD_HEADER, starts), lengths)
