"""A byte source as a file object, for libraries that read files."""

from __future__ import annotations

import io

import pyarrow as pa

from ferris_beam.formats.base import ByteSource


class SourceFile(io.RawIOBase):
    """A seekable file over a source; closing it leaves the source open."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._at = 0
        self.nbytes = 0
        """Bytes that were read altogether."""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def size(self) -> int:
        return self._source.size_limit

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size()}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int = -1) -> pa.Buffer:
        """In memory of Arrow's, which it uses again and again: bytes would be zeroed, copied and
        given back to the system each time."""
        left = max(0, self.size() - self._at)
        buffer = pa.allocate_buffer(left if size < 0 else min(size, left))
        count = self.readinto(memoryview(buffer))
        return buffer if count == buffer.size else buffer.slice(0, count)

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]
        count = self._source.read_into(self._at, memoryview(target).cast("B"))
        self._at += count
        self.nbytes += count
        return count

    def arrow(self) -> pa.PythonFile:
        """The same for pyarrow."""
        return pa.PythonFile(self, mode="r")
