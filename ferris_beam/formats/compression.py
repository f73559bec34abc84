"""Compressed units as byte sources, and compressing file objects.

gzip: RFC 1952, several members in a row included; deflate: RFC 1951. Both by Intel's ISA-L, which
is two to three times as fast as zlib.
"""

from __future__ import annotations

import zlib
from typing import IO, Any

from isal import isal_zlib

from ferris_beam.errors import FatalError
from ferris_beam.formats.base import ByteSource

_ERRORS = (zlib.error, isal_zlib.error)

GZIP_RATIO = 1032
"""Deflate makes at most 258 bytes of 2 bits (RFC 1951): no file unpacks to more than this."""

GZIP_LEVEL = 1
"""Of zlib's nine and ISA-L's four levels the fastest that compresses well; higher ones cost more
time than any consumer of a pipeline gets back."""

_COMPRESSED_STEP = 1 << 18
_GZIP_HEADER = 31
"""zlib's name for 'a gzip member with a 32 kiB window'."""


def decompressed(source: ByteSource, compression: str) -> ByteSource:
    """``source``, or what is in it where ``compression`` is 'gzip'."""
    return GzipSource(source) if compression == "gzip" else source


class GzipSource:
    """The decompressed bytes of a gzip source. Reads forwards; going back starts over."""

    def __init__(self, inner: ByteSource) -> None:
        self._inner = inner
        self._buffer = bytearray(_COMPRESSED_STEP)
        self._restart()

    def _restart(self) -> None:
        self._read = 0
        self._position = 0
        self._member: Any = None
        self._held: bytes | memoryview = b""
        self._output: memoryview = memoryview(b"")
        self._ended = False

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def size(self) -> int | None:
        return None

    @property
    def size_limit(self) -> int:
        return self._inner.size_limit * GZIP_RATIO

    def read_into(self, offset: int, target: memoryview) -> int:
        if offset < self._position:
            self._restart()
        while self._position < offset and self._fill():
            self._take(offset - self._position)
        if self._position < offset:
            return 0
        filled = 0
        while filled < len(target) and self._fill():
            piece = self._take(len(target) - filled)
            target[filled : filled + len(piece)] = piece
            filled += len(piece)
        return filled

    def close(self) -> None:
        self._restart()
        self._inner.close()

    def _take(self, length: int) -> memoryview:
        piece, self._output = self._output[:length], self._output[length:]
        self._position += len(piece)
        return piece

    def _fill(self) -> bool:
        """Makes at least one byte available; False at the end."""
        while not self._output and not self._ended:
            if not self._held and not self._refill():
                self._finish()
            else:
                self._decompress()
        return bool(self._output)

    def _refill(self) -> bool:
        count = self._inner.read_into(self._read, memoryview(self._buffer))
        self._read += count
        self._held = bytes(memoryview(self._buffer)[:count])
        return count > 0

    def _finish(self) -> None:
        if self._member is not None:
            raise FatalError(
                f"{self.name}: the gzip file is truncated after {self._read} bytes (it ends within "
                "a member); fetch it again or repair it"
            )
        self._ended = True

    def _decompress(self) -> None:
        if self._member is None and not self._begin_member():
            return
        try:
            self._output = memoryview(self._member.decompress(self._held, 1 << 20))
        except _ERRORS as error:  # type: ignore[misc]  # isal declares its error as an instance
            raise FatalError(
                f"{self.name}: damaged gzip data before byte {self._read} ({error}); fetch the "
                "file again or repair it"
            ) from error
        if self._member.eof:
            self._held = self._member.unused_data
            self._member = None
        else:
            self._held = self._member.unconsumed_tail

    def _begin_member(self) -> bool:
        """Starts the next member; zero bytes may fill up the file behind one."""
        if self._read > len(self._held):
            self._held = bytes(self._held).lstrip(b"\0")
            if not self._held:
                return False
        if self._held[:1] != b"\x1f":
            raise FatalError(
                f"{self.name}: no gzip data at byte {self._read - len(self._held)}; set "
                "compression=none if it is not compressed"
            )
        self._member = isal_zlib.decompressobj(_GZIP_HEADER)
        return True


class GzipTarget:
    """A binary file object that compresses into another; closing completes the gzip member and
    leaves the other file open."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self._compressor: Any = isal_zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, _GZIP_HEADER)
        self.closed = False

    def write(self, data: Any) -> int:
        self._target.write(self._compressor.compress(data))
        return memoryview(data).nbytes

    def flush(self) -> None:
        """What the compressor holds stays there until it is full or closed."""

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._target.write(self._compressor.flush())

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False
