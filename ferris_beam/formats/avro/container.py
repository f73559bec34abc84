"""Avro's object container files: a header, then blocks, each followed by the file's sync marker.

Source: Apache Avro 1.12, "Object Container Files". A block is the number of its rows and of its
bytes, as longs, then the bytes, then the marker: 16 bytes that are random for each file, so that a
reader that starts anywhere finds the next block by them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ferris_beam.errors import FatalError
from ferris_beam.formats.avro.codecs import CODECS
from ferris_beam.formats.base import ByteSource, read_bytes

MAGIC = b"Obj\x01"
SYNC = 16
"""Bytes of a sync marker."""

_LONGEST_LONG = 10
_STEP = 1 << 16
_LONGEST_HEADER = 1 << 26


@dataclass(frozen=True, slots=True)
class Header:
    schema: bytes
    codec: str
    sync: bytes
    end: int
    """The byte at which the first block starts."""


@dataclass(frozen=True, slots=True)
class Block:
    """``start`` and ``end`` are bytes of the file; ``data`` is as compressed as it is there."""

    start: int
    end: int
    rows: int
    data: bytes


def read_header(source: ByteSource) -> Header:
    """Raises `FatalError` where there is none that can be read."""
    length = _STEP
    while True:
        data = read_bytes(source, 0, length)
        if data[: len(MAGIC)] != MAGIC:
            what = "is empty" if not data else "does not begin as one"
            raise FatalError(f"{source.name}: no Avro file: it {what}; is it the right format?")
        try:
            return _header(data, source.name)
        except IndexError:
            if len(data) < length or length > _LONGEST_HEADER:
                raise FatalError(
                    f"{source.name}: the Avro file ends within its header, after {len(data):,} "
                    "bytes; it is truncated or damaged"
                ) from None
            length *= 8
        except ValueError as error:
            raise FatalError(
                f"{source.name}: the Avro file's header is damaged ({error}); fetch it again"
            ) from error


def _header(data: bytes, name: str) -> Header:
    """Raises `IndexError` where more bytes are needed."""
    notes: dict[bytes, bytes] = {}
    at = len(MAGIC)
    count, at = read_long(data, at)
    while count:
        if count < 0:  # then the number of bytes comes next
            count = -count
            _, at = read_long(data, at)
        for _ in range(count):
            key, at = _read_bytes(data, at, name)
            notes[key], at = _read_bytes(data, at, name)
        count, at = read_long(data, at)
    sync = data[at : at + SYNC]
    if len(sync) < SYNC:
        raise IndexError
    codec = notes.get(b"avro.codec", b"null").decode("ascii", "replace")
    if codec not in CODECS:
        raise FatalError(
            f"{name}: its blocks are compressed by {codec!r}, which is not one of "
            f"{', '.join(CODECS)}; write it with another codec"
        )
    if b"avro.schema" not in notes:
        raise FatalError(f"{name}: the Avro file has no schema in its header; it is damaged")
    return Header(notes[b"avro.schema"], codec, sync, at + SYNC)


def header(schema: bytes, codec: str, sync: bytes) -> bytes:
    """What a file begins with."""
    notes = {b"avro.schema": schema, b"avro.codec": codec.encode()}
    parts = [MAGIC, write_long(len(notes))]
    for key, value in notes.items():
        parts += (write_long(len(key)), key, write_long(len(value)), value)
    return b"".join((*parts, write_long(0), sync))


def read_long(data: bytes, at: int) -> tuple[int, int]:
    """A long (zig-zag, seven bits a byte) and where it ends. Raises `IndexError` where ``data``
    does, and `ValueError` where it is longer than 64 bits."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at
        shift += 7
        if shift > 63:
            raise ValueError("no long: more than ten bytes")


def write_long(value: int) -> bytes:
    rest = (value << 1) ^ (value >> 63)
    encoded = bytearray()
    while rest > 0x7F:
        encoded.append(rest & 0x7F | 0x80)
        rest >>= 7
    encoded.append(rest)
    return bytes(encoded)


def _read_bytes(data: bytes, at: int, name: str) -> tuple[bytes, int]:
    length, at = read_long(data, at)
    if not 0 <= length <= _LONGEST_HEADER:
        raise FatalError(
            f"{name}: a note in the Avro file's header is {length:,} bytes long; it is damaged"
        )
    if at + length > len(data):
        raise IndexError
    return data[at : at + length], at + length


class Blocks:
    """The blocks of a file, as they lie in a range of its bytes."""

    def __init__(self, source: ByteSource, header: Header) -> None:
        self._source = source
        self._header = header

    def between(self, start: int, end: int) -> Iterator[Block]:
        """The blocks that start at or behind byte ``start`` and before byte ``end``.

        Raises `FatalError` where one of them is cut off, or no marker follows it.
        """
        at = self._first(start)
        while at is not None and at < end and (block := self._read(at)) is not None:
            yield block
            at = block.end

    def _first(self, start: int) -> int | None:
        """Where the first block at or behind ``start`` starts: behind a marker."""
        if start <= self._header.end:
            return self._header.end
        at, marker = start - SYNC, self._header.sync
        while True:
            data = read_bytes(self._source, at, _STEP + SYNC)
            found = data.find(marker)
            if found >= 0:
                return at + found + SYNC
            if len(data) < _STEP + SYNC:
                return None
            at += _STEP

    def _read(self, start: int) -> Block | None:
        head = read_bytes(self._source, start, 2 * _LONGEST_LONG)
        if not head:
            return None
        try:
            rows, at = read_long(head, 0)
            length, at = read_long(head, at)
        except IndexError:
            raise self._truncated(start) from None
        except ValueError as error:
            raise self.damaged(start, str(error)) from None
        if rows < 0 or length < 0:
            raise self.damaged(start, f"it says that it has {rows:,} rows in {length:,} bytes")
        end = start + at + length + SYNC
        if end > self._source.size_limit:
            raise self._truncated(start)
        data = read_bytes(self._source, start + at, length + SYNC)
        if len(data) < length + SYNC:
            raise self._truncated(start)
        if data[length:] != self._header.sync:
            raise self.damaged(start, "the marker behind it is not the file's")
        return Block(start, end, rows, data[:length])

    def _truncated(self, start: int) -> FatalError:
        return FatalError(
            f"{self._source.name}: the Avro file ends within the block at byte {start:,}; it is "
            "truncated, or somebody still writes it. Fetch it again"
        )

    def damaged(self, start: int, why: str) -> FatalError:
        return FatalError(
            f"{self._source.name}: the block at byte {start:,} is damaged ({why}). Fetch the file "
            "again or repair it"
        )
