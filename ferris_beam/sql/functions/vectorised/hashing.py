"""Hashes that the engine lacks. Python's hash functions run once for each row, in C."""

from __future__ import annotations

import hashlib
import zlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def sha1(values: pa.Array) -> pa.Array:
    """SHA-1 (RFC 3174) in hexadecimal digits."""
    return pa.array(
        [None if value is None else hashlib.sha1(value).hexdigest() for value in _bytes(values)],
        pa.string(),
    )


def crc32(values: pa.Array) -> pa.Array:
    """CRC-32 (ISO 3309, as in zlib), 0 … 2³² - 1."""
    return pa.array(
        [None if value is None else zlib.crc32(value) for value in _bytes(values)], pa.int64()
    )


def _bytes(values: pa.Array) -> list[bytes | None]:
    result: list[bytes | None] = values.cast(pa.binary()).to_pylist()
    return result


def first_eight_bytes(digests: pa.Array) -> pa.Array:
    """The first 64 bits of each digest (none is NULL) as an integer."""
    if len(digests) == 0:
        return pa.array([], pa.int64())
    fixed = pc.binary_slice(digests, 0, 8).cast(pa.binary(8))
    numbers = np.frombuffer(fixed.buffers()[1], dtype="<i8")
    return pa.array(numbers[fixed.offset : fixed.offset + len(fixed)])


def as_text(values: pa.Array) -> pa.Array:
    """Bytes of UTF-8 as text."""
    try:
        return values.cast(pa.string())
    except pa.ArrowInvalid:
        raise ValueError("the bytes are no UTF-8") from None
