"""Arrow's columns to the binary format of a column of the server: what `scalars` reads.

Each function gets an array of the type that `CANONICAL` names for the server's type.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.connectors.postgresql.binary.pieces import (
    Piece,
    Words,
    content,
    text_pieces,
    with_length,
)
from ferris_beam.connectors.postgresql.binary.scalars import EPOCH_DAYS, EPOCH_MICROSECONDS
from ferris_beam.connectors.postgresql.binary.values import Mask

Encode = Callable[[pa.Array], list[Piece]]

CANONICAL: dict[str, pa.DataType] = {
    "bool": pa.bool_(),
    "int2": pa.int16(),
    "int4": pa.int32(),
    "int8": pa.int64(),
    "oid": pa.uint32(),
    "float4": pa.float32(),
    "float8": pa.float64(),
    "bytea": pa.binary(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", "UTC"),
    "interval": pa.month_day_nano_interval(),
    "uuid": pa.binary(16),
}


class Unfit(Exception):
    """Values that the server's type can't hold: which, and why."""

    def __init__(self, rows: Mask, reason: str) -> None:
        super().__init__(reason)
        self.rows = rows
        self.reason = reason


def check(bad: Mask, reason: str) -> None:
    if bad.any():
        raise Unfit(bad, reason)


def present_of(values: pa.Array) -> Mask:
    return np.asarray(values.is_valid().to_numpy(zero_copy_only=False), np.bool_)


def numbers_of(values: pa.Array, kind: str) -> npt.NDArray[np.generic]:
    """Arrow's memory of fixed width as numbers; anything where there is NULL."""
    dtype = np.dtype(kind)
    found = np.frombuffer(values.buffers()[1] or b"", dtype)
    return found[values.offset : values.offset + len(values)]


def fixed(stored: str, sent: str) -> Encode:
    def encode(values: pa.Array) -> list[Piece]:
        return with_length([Words(sent, numbers_of(values, stored))], present_of(values))

    return encode


def booleans(values: pa.Array) -> list[Piece]:
    present = present_of(values)
    numbers = pc.fill_null(values, False).to_numpy(zero_copy_only=False)
    return with_length([Words(">u1", numbers)], present)


def dates(values: pa.Array) -> list[Piece]:
    present = present_of(values)
    days = np.where(present, numbers_of(values, "i4"), 0).astype(np.int64) - EPOCH_DAYS
    check((days < -2_451_545) | (days > 2_145_031_948 - 1), "PostgreSQL has no such date")
    return with_length([Words(">i4", days)], present)


def timestamps(values: pa.Array) -> list[Piece]:
    """Source of the limits: MIN_TIMESTAMP and END_TIMESTAMP in src/include/datatype/timestamp.h;
    Arrow's own end comes before that of PostgreSQL."""
    present = present_of(values)
    since_1970 = np.where(present, numbers_of(values, "i8"), 0)
    earliest = -211_813_488_000_000_000 + EPOCH_MICROSECONDS
    check(since_1970 < earliest, "PostgreSQL has no timestamps before 4714 BC")
    return with_length([Words(">i8", since_1970 - EPOCH_MICROSECONDS)], present)


def intervals(values: pa.Array) -> list[Piece]:
    layout = np.dtype([("months", "i4"), ("days", "i4"), ("nanoseconds", "i8")])
    found = np.frombuffer(values.buffers()[1] or b"", layout)
    found = found[values.offset : values.offset + len(values)]
    present = present_of(values)
    microseconds, rest = np.divmod(found["nanoseconds"], 1000)
    check(present & (rest != 0), "an interval has whole microseconds, and this one has less")
    parts = [
        Words(">i8", microseconds),
        Words(">i4", found["days"]),
        Words(">i4", found["months"]),
    ]
    return with_length(parts, present)


def uuids(values: pa.Array) -> list[Piece]:
    return with_length([Words("V16", numbers_of(values, "V16"))], present_of(values))


def binaries(values: pa.Array) -> list[Piece]:
    return text_pieces(values)


def texts(values: pa.Array) -> list[Piece]:
    """Strings as their UTF-8; PostgreSQL's texts can't hold the character NUL."""
    found = values.cast(pa.binary())
    if not _bytes_of(found).all():
        bad = pc.fill_null(pc.match_substring(found, "\0"), False)
        check(bad.to_numpy(zero_copy_only=False), "the text has a NUL character (U+0000)")
    return text_pieces(found)


def _bytes_of(values: pa.BinaryArray) -> npt.NDArray[np.uint8]:
    """Those of these values alone: a slice has the memory of all that it was cut from."""
    if not len(values) or values.buffers()[2] is None:
        return np.empty(0, np.uint8)
    return np.frombuffer(content(values), np.uint8)


def jsonb(values: pa.Array) -> list[Piece]:
    """Strings of JSON, behind version 1 of the format."""
    texts(values)  # checks
    binary = values.cast(pa.binary())
    return text_pieces(pc.binary_join_element_wise(pa.scalar(b"\1"), binary, b""))


ENCODERS: dict[str, Encode] = {
    "bool": booleans,
    "int2": fixed("i2", ">i2"),
    "int4": fixed("i4", ">i4"),
    "int8": fixed("i8", ">i8"),
    "oid": fixed("u4", ">u4"),
    "float4": fixed("f4", ">f4"),
    "float8": fixed("f8", ">f8"),
    "bytea": binaries,
    "date": dates,
    "time": fixed("i8", ">i8"),
    "timestamp": timestamps,
    "timestamptz": timestamps,
    "interval": intervals,
    "uuid": uuids,
    "jsonb": jsonb,
}
