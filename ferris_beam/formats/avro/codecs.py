"""Avro's codecs: how the bytes of a block are compressed.

Source: Apache Avro 1.12, "Required codecs" and "Optional codecs". deflate is raw (RFC 1951), by
ISA-L; snappy is followed by the CRC-32 of what it holds, big-endian.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import NamedTuple

import pyarrow as pa
from isal import isal_zlib

MOST_BYTES = 1 << 28
"""Of an uncompressed block; more is not data but damage."""

_ERRORS = (EOFError, OSError, ValueError, zlib.error, isal_zlib.error, lzma.LZMAError)
_RAW_DEFLATE = -15
_DEFLATE_LEVEL = 1


class DamagedBlock(ValueError):
    """What a block's codec can't unpack."""


class Codec(NamedTuple):
    compress: Callable[[memoryview], bytes]
    decompress: Callable[[bytes], bytes]


def unpack(codec: str, data: bytes) -> bytes:
    """The bytes of a block; raises `DamagedBlock`."""
    try:
        unpacked = CODECS[codec].decompress(data)
    except _ERRORS as error:  # type: ignore[misc]  # isal declares its error as an instance
        raise DamagedBlock(f"it is no {codec} data: {error}") from error
    if len(unpacked) > MOST_BYTES:
        raise DamagedBlock(f"it unpacks to more than {MOST_BYTES >> 20} MiB")
    return unpacked


def _compress_deflate(data: memoryview) -> bytes:
    return bytes(isal_zlib.compress(data, _DEFLATE_LEVEL, _RAW_DEFLATE))


def _decompress_deflate(data: bytes) -> bytes:
    return _complete(isal_zlib.decompressobj(_RAW_DEFLATE), data)


def _decompress_bzip2(data: bytes) -> bytes:
    return _complete(bz2.BZ2Decompressor(), data)


def _decompress_xz(data: bytes) -> bytes:
    return _complete(lzma.LZMADecompressor(memlimit=MOST_BYTES), data)


def _complete(decompressor: object, data: bytes) -> bytes:
    unpacked: bytes = decompressor.decompress(data, MOST_BYTES + 1)  # type: ignore[attr-defined]
    if not decompressor.eof and len(unpacked) <= MOST_BYTES:  # type: ignore[attr-defined]
        raise EOFError("it ends too early")
    return unpacked


def _compress_snappy(data: memoryview) -> bytes:
    packed = pa.Codec("snappy").compress(data, asbytes=True)
    return packed + zlib.crc32(data).to_bytes(4, "big")


def _decompress_snappy(data: bytes) -> bytes:
    packed, checksum = data[:-4], data[-4:]
    size = 0
    for at, byte in enumerate(packed[:5]):
        size |= (byte & 0x7F) << (7 * at)
        if byte < 0x80:
            break
    if size > MOST_BYTES:
        raise ValueError(f"it says that it unpacks to {size:,} bytes")
    unpacked: bytes = pa.Codec("snappy").decompress(packed, size, asbytes=True)
    if zlib.crc32(unpacked).to_bytes(4, "big") != checksum:
        raise ValueError("its checksum is another one")
    return unpacked


def _compress_zstandard(data: memoryview) -> bytes:
    return bytes(pa.Codec("zstd").compress(data, asbytes=True))


def _decompress_zstandard(data: bytes) -> bytes:
    """A stream, since writers need not say how much is in it."""
    with pa.input_stream(pa.py_buffer(data), compression="zstd") as stream:
        return bytes(stream.read(MOST_BYTES + 1))


CODECS = {
    "null": Codec(bytes, bytes),
    "deflate": Codec(_compress_deflate, _decompress_deflate),
    "snappy": Codec(_compress_snappy, _decompress_snappy),
    "zstandard": Codec(_compress_zstandard, _decompress_zstandard),
    "bzip2": Codec(bz2.compress, _decompress_bzip2),
    "xz": Codec(lzma.compress, _decompress_xz),
}
"""By Avro's names."""

BY_OPTION = {
    "deflate": "deflate",
    "snappy": "snappy",
    "zstd": "zstandard",
    "bzip2": "bzip2",
    "xz": "xz",
    "none": "null",
}
"""Avro's names by those of the option ``compression``."""
