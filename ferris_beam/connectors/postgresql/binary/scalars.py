"""Values of fixed width and texts, from PostgreSQL's binary format to Arrow.

Each function gets the Arrow type, the values and where faults go. Source of the layouts: the
send functions in src/backend/utils/adt (int.c, float.c, bool.c, date.c, timestamp.c, varlena.c,
uuid.c, jsonb.c); numbers are big-endian, times in microseconds, counted from 2000-01-01.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from ferris_beam.connectors.postgresql.binary.values import (
    Faults,
    Mask,
    Numbers,
    Values,
    array_of,
    number_type,
)
from ferris_beam.formats.avro.columns import uuid_texts

Decoder = Callable[[pa.DataType, Values, Faults], pa.Array]

EPOCH_DAYS = 10_957
"""From 1970-01-01 to 2000-01-01."""
EPOCH_MICROSECONDS = EPOCH_DAYS * 86_400_000_000

_DAY = 86_400_000_000
_INT32, _INT64 = np.iinfo(np.int32), np.iinfo(np.int64)
_MAX_INTERVAL = _INT64.max // 1000  # microseconds that fit as nanoseconds
_JSONB_VERSION = 1
_MAX_OFFSET = 2**31 - 1
_INFINITE = "infinity has no place in Arrow's {}"


def fixed(kind: str) -> Decoder:
    """Numbers of a dtype such as ``>i8``, of which Arrow's type has the same or a wider layout."""

    def decode(to: pa.DataType, values: Values, faults: Faults) -> pa.Array:
        words, present = _sized(values, kind, faults)
        return array_of(to, words.astype(number_type(to), copy=False), present)

    return decode


def booleans(to: pa.DataType, values: Values, faults: Faults) -> pa.Array:
    words, present = _sized(values, ">u1", faults)
    return array_of(to, words, present, nbits=True)


def dates(to: pa.DataType, values: Values, faults: Faults) -> pa.Array:
    words, present = _sized(values, ">i4", faults)
    infinite = present & ((words == _INT32.max) | (words == _INT32.min))
    present = _without(present, infinite, faults, _INFINITE.format("date"))
    return array_of(to, np.where(present, words, 0).astype(np.int32) + EPOCH_DAYS, present)


def times(to: pa.DataType, values: Values, faults: Faults) -> pa.Array:
    words, present = _sized(values, ">i8", faults)
    late = present & (words >= _DAY)
    present = _without(present, late, faults, "24:00:00 has no place in Arrow's time")
    return array_of(to, words, present)


def timestamps(to: pa.DataType, values: Values, faults: Faults) -> pa.Array:
    words, present = _sized(values, ">i8", faults)
    infinite = present & ((words == _INT64.max) | (words == _INT64.min))
    present = _without(present, infinite, faults, _INFINITE.format("timestamp"))
    late = present & (words > _INT64.max - EPOCH_MICROSECONDS)
    present = _without(present, late, faults, "the timestamp is behind the year 294246")
    return array_of(to, np.where(present, words, 0) + EPOCH_MICROSECONDS, present)


def intervals(to: pa.DataType, values: Values, faults: Faults) -> pa.Array:
    """Sent as microseconds, days and months; infinite (PostgreSQL 17) if all are the largest."""
    words, present = _sized(values, ">i8", faults, width=16)
    microseconds = words.astype(np.int64)
    long = present & (np.abs(microseconds // 2) > _MAX_INTERVAL // 2)
    present = _without(present, long, faults, "the interval is infinite, or above 292 years")
    parts = np.zeros(len(values), [("months", "i4"), ("days", "i4"), ("nanoseconds", "i8")])
    parts["months"], parts["days"] = values.words(">i4", 12), values.words(">i4", 8)
    parts["nanoseconds"] = np.where(present, microseconds, 0) * 1000
    return array_of(to, parts, present)


def uuids(to: pa.DataType, values: Values, faults: Faults) -> pa.Array:
    halves = np.zeros((len(values), 2), ">u8")
    halves[:, 0], present = _sized(values, ">u8", faults, width=16)
    halves[:, 1] = values.words(">u8", 8)
    return uuid_texts(array_of(pa.binary(16), halves, present))


def jsonb(to: pa.DataType, values: Values, faults: Faults) -> pa.Array:
    """A version, which is 1, before the text."""
    present = values.present
    other = present & (values.words(">u1") != _JSONB_VERSION)
    if other.any():
        faults.add(other, "jsonb in an unknown format; is the server too new?")
        lengths = np.where(other, -1, values.lengths)
        values = Values(values.data, values.starts, lengths)
    return texts(to, values.cut(1), faults)


def texts(to: pa.DataType, values: Values, faults: Faults) -> pa.Array:
    """UTF-8, which the connection asks for; a database in SQL_ASCII sends whatever it has."""
    found = binaries(pa.binary(), values, faults)
    try:
        return found.cast(to)
    except pa.ArrowInvalid:
        bad = np.fromiter((not _is_utf8(value) for value in found), np.bool_, len(found))
        faults.add(bad, "the text is not UTF-8")
        return pa.array(
            [None if wrong else value.as_py() for wrong, value in zip(bad, found, strict=True)],
            pa.binary(),
        ).cast(to)


def binaries(to: pa.DataType, values: Values, faults: Faults) -> pa.Array:
    """The bytes as they are.

    The data as it lies there is an array of values and of what is between them; taking every
    other one copies the values at the speed of Arrow.
    """
    present = values.present
    ends = values.starts + np.maximum(values.lengths, 0)
    if len(values.data) > _MAX_OFFSET or (ends[:-1] > values.starts[1:]).any():
        return _gathered(to, values, present)
    offsets = np.empty(2 * len(values) + 1, np.int32)
    offsets[0:-1:2], offsets[1:-1:2] = values.starts, ends
    offsets[-1] = ends[-1] if len(ends) else 0
    everything = pa.Array.from_buffers(
        pa.binary(), 2 * len(values), [None, pa.py_buffer(offsets), pa.py_buffer(values.data)]
    )
    wanted = np.arange(0, 2 * len(values), 2)
    mask = None if present.all() else ~present
    return everything.take(pa.array(wanted, pa.int64(), mask=mask))


def _gathered(to: pa.DataType, values: Values, present: Mask) -> pa.Array:
    """Values in any order, copied byte by byte."""
    lengths = np.maximum(values.lengths, 0).astype(np.int64)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    if offsets[-1] > _MAX_OFFSET:
        raise pa.ArrowCapacityError("more than 2 GiB of one column in one batch")
    positions = np.repeat(values.starts - offsets[:-1], lengths) + np.arange(offsets[-1])
    bitmap = pa.py_buffer(np.packbits(present, bitorder="little"))
    offsets = offsets.astype(np.int32)
    buffers = [bitmap, pa.py_buffer(offsets), pa.py_buffer(values.data[positions])]
    return pa.Array.from_buffers(to, len(values), buffers)


def _sized(values: Values, kind: str, faults: Faults, width: int = 0) -> tuple[Numbers, Mask]:
    """The first number of each value, and which are there with the right width in bytes."""
    present = values.present
    wrong = present & (values.lengths != (width or np.dtype(kind).itemsize))
    present = _without(present, wrong, faults, "the value has an unexpected length")
    return values.words(kind), present


def _without(present: Mask, bad: Mask, faults: Faults, reason: str) -> Mask:
    if not bad.any():
        return present
    faults.add(bad, reason)
    return present & ~bad


def _is_utf8(value: pa.BinaryScalar) -> bool:
    try:
        (value.as_py() or b"").decode()
    except UnicodeDecodeError:
        return False
    return True
