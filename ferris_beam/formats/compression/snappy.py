"""Snappy as files have it, by cramjam (Rust's snap), in steps of limited size.

Framing format: https://github.com/google/snappy/blob/main/framing_format.txt, chunks of at most
64 KiB, each with a checksum. Hadoop's: blocks of ``length, (compressed length, raw snappy)…``, both
lengths big-endian, without checksums; what Spark and Hadoop write as ``.snappy``. A file of one raw
block says nowhere what it is and can't be read in steps: it is refused.
"""

from __future__ import annotations

from typing import Any

STREAM = b"\xff\x06\x00\x00sNaPpY"

_COMPRESSED, _PLAIN, _IDENTIFIER = 0x00, 0x01, 0xFF
_CHUNKS = 16
"""Chunks that are decompressed at a time: 1 MiB."""

_MOST = 1 << 26
"""Bytes of a block of Hadoop's; its own default is 256 KiB."""


def is_hadoop(head: bytes) -> bool:
    """Whether these can be the first bytes of Hadoop's format: lengths that fit together."""
    if len(head) < 9:
        return False
    block, compressed = _number(head, 0), _number(head, 4)
    raw = _varint(head[8:])
    return 0 < raw <= block <= _MOST and 0 < compressed <= raw + raw // 6 + 32


class SnappyDecompressor:
    """Either format, told by the first bytes. Neither marks its end: it ends where no chunk is
    begun (``pending``)."""

    eof = False
    unused_data = b""

    def __init__(self) -> None:
        self._held = bytearray()
        self._out = bytearray()
        self._hadoop: bool | None = None
        self._left = 0
        """Bytes still to come of a block of Hadoop's."""

    @property
    def pending(self) -> bool:
        return bool(self._held or self._out or self._left)

    @property
    def needs_input(self) -> bool:
        return not self._out and not self._chunk()

    def decompress(self, data: Any, max_length: int) -> bytes:
        self._held += data
        if self._hadoop is None and self._held:
            self._hadoop = self._held[0] != _IDENTIFIER
        while len(self._out) < max_length:
            step = self._next_block() if self._hadoop else self._next_chunks()
            if step is None:
                break
            self._out += step
        result = bytes(self._out[:max_length])
        del self._out[:max_length]
        return result

    def _chunk(self) -> bool:
        """Whether a whole chunk is there to go on with."""
        if self._hadoop:
            return self._block_end() > 0
        return len(self._held) >= 4 and len(self._held) >= _chunk_end(self._held, 0)

    # ── framing format ──────────────────────────────────────────────────────────────────────

    def _next_chunks(self) -> bytes | None:
        from cramjam import snappy

        end = found = 0
        while found < _CHUNKS and end + 4 <= len(self._held):
            stop = _chunk_end(self._held, end)
            if stop > len(self._held):
                break
            found += self._held[end] in (_COMPRESSED, _PLAIN)
            end = stop
        if not end:
            return None
        taken = bytes(self._held[:end])
        del self._held[:end]
        if not found:  # identifiers, padding
            return b""
        stream = taken if taken.startswith(STREAM) else STREAM + taken
        return bytes(snappy.decompress(stream))

    # ── Hadoop's ────────────────────────────────────────────────────────────────────────────

    def _next_block(self) -> bytes | None:
        from cramjam import snappy

        end = self._block_end()
        if not end:
            return None
        at = 0 if self._left else 4
        if not self._left:
            self._left = _number(self._held, 0)
        raw = bytes(self._held[at + 4 : end])
        if not 0 < _varint(raw) <= self._left <= _MOST:
            raise ValueError("a block's length does not fit")
        del self._held[:end]
        step = bytes(snappy.decompress_raw(raw))
        self._left -= len(step)
        return step

    def _block_end(self) -> int:
        """Where the next compressed part ends; 0 where it is not there as a whole."""
        at = 0 if self._left else 4
        if len(self._held) < at + 4:
            return 0
        end = at + 4 + _number(self._held, at)
        if end > 2 * _MOST:
            raise ValueError("a block's length does not fit")
        return end if end <= len(self._held) else 0


class SnappyCompressor:
    """The framing format, one MiB at a time."""

    _STEP = 1 << 20

    def __init__(self) -> None:
        self._held = bytearray()
        self._begun = False

    def compress(self, data: Any) -> bytes:
        self._held += data
        whole = len(self._held) - len(self._held) % self._STEP
        return self._compress(whole) if whole else b""

    def flush(self) -> bytes:
        return self._compress(len(self._held)) or STREAM

    def _compress(self, length: int) -> bytes:
        from cramjam import snappy

        if not length and self._begun:
            return b""
        stream = bytes(snappy.compress(bytes(self._held[:length])))
        del self._held[:length]
        begun, self._begun = self._begun, True
        return stream.removeprefix(STREAM) if begun else stream


def _chunk_end(held: bytearray, at: int) -> int:
    if 0x02 <= held[at] <= 0x7F:
        raise ValueError(f"a chunk is of the unknown kind 0x{held[at]:02x}")
    return at + 4 + int.from_bytes(held[at + 1 : at + 4], "little")


def _number(data: bytes | bytearray, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")


def _varint(data: bytes) -> int:
    """The uncompressed length that raw snappy begins with; -1 where it does not."""
    value = 0
    for at, byte in enumerate(data[:5]):
        value |= (byte & 0x7F) << (7 * at)
        if byte < 0x80:
            return value
    return -1
