"""Compressing file objects."""

from __future__ import annotations

from typing import IO, Any

from ferris_beam.formats.compression.codec import Codec


class CompressingTarget:
    """A binary file object that compresses into another; closing completes the member and leaves
    the other file open."""

    def __init__(self, target: IO[bytes], codec: Codec) -> None:
        self._target = target
        self._compressor = codec.compressor()
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
