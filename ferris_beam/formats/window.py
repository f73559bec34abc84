"""A window over the bytes of a source: one reused buffer that moves forward."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from ferris_beam.errors import FatalError
from ferris_beam.formats.base import ByteSource

STEP = 1 << 16
"""Bytes read ahead of what is asked for: most rows end within."""

_COUNTED = 1 << 18
"""Bytes to count lines in at a time: twice as fast as 4 MiB, which the cache does not hold."""

MAX_ROW = 1 << 27
"""Bytes of the longest row. More is not data but a missing line end or quote."""


Offsets = np.ndarray[Any, np.dtype[np.int64]]
"""Numbers of bytes or rows."""


@dataclass(frozen=True, slots=True)
class Block:
    """Bytes of a buffer that is not ours to keep; ``offset`` is where in the unit they start.

    Valid until the window moves.
    """

    buffer: bytearray | bytes
    start: int
    stop: int
    offset: int

    @classmethod
    def of(cls, data: bytes, offset: int = 0) -> Block:
        return cls(data, 0, len(data), offset)

    def __len__(self) -> int:
        return self.stop - self.start

    def view(self) -> memoryview:
        return memoryview(self.buffer)[self.start : self.stop]

    def array(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        return np.frombuffer(self.buffer, np.uint8, len(self), self.start)

    def arrow(self) -> pa.Buffer:
        return pa.py_buffer(self.view())

    def copy(self, start: int = 0, stop: int | None = None) -> bytes:
        """A copy of a part, counted from the block's start."""
        end = self.stop if stop is None else self.start + stop
        return bytes(memoryview(self.buffer)[self.start + start : end])

    def part(self, start: int, stop: int) -> Block:
        """A part of the block, counted from its start; nothing is copied."""
        return Block(self.buffer, self.start + start, self.start + stop, self.offset + start)

    def __contains__(self, chars: bytes) -> bool:
        return self.buffer.find(chars, self.start, self.stop) >= 0

    def count(self, chars: bytes) -> int:
        return self.buffer.count(chars, self.start, self.stop)

    def last_line_start(self) -> int:
        """Where the last line starts, counted from the block's start."""
        return self.buffer.rfind(b"\n", self.start, max(self.start, self.stop - 1)) + 1 - self.start

    def count_lines(self) -> int:
        """Lines, a last one without a line end included."""
        if not len(self):
            return 0
        text = self.array()
        steps = (text[at : at + _COUNTED] for at in range(0, len(text), _COUNTED))
        ends = sum(int(np.count_nonzero(step == 10)) for step in steps)
        return ends + (self.buffer[self.stop - 1] != 10)


class Window:
    """Bytes ``[start, end)`` of a source in memory; ``complete`` where the source ends there."""

    def __init__(self, source: ByteSource) -> None:
        self.source = source
        self.start = 0
        self.end = 0
        self.complete = False
        self._buffer = bytearray()

    def seek(self, offset: int) -> None:
        """Forgets everything before ``offset``; what is in memory behind it is kept."""
        if self.start <= offset <= self.end:
            kept, at = self.end - offset, offset - self.start
            self._buffer[:kept] = self._buffer[at : at + kept]
            self.start = offset
        else:
            self.start = self.end = offset
            self.complete = False

    def load(self, end: int) -> None:
        """Reads on until ``end`` is in memory, and a step ahead, or the source ends."""
        if end <= self.end or self.complete:
            return
        length = end + STEP - self.start
        self._reserve(length)
        with memoryview(self._buffer) as view:
            target = view[self.end - self.start : length]
            count = self.source.read_into(self.end, target)
            self.complete = count < len(target)
        self.end += count

    def _reserve(self, length: int) -> None:
        if length > len(self._buffer):
            grown = bytearray(length + length // 8)
            held = self.end - self.start
            grown[:held] = self._buffer[:held]
            self._buffer = grown

    def find(self, char: bytes, offset: int) -> int | None:
        """The offset of the first ``char`` at or behind ``offset``, which is not before the
        window; None if the source ends before. Raises `FatalError` where it is too far away."""
        begin = offset
        while True:
            at = self._buffer.find(char, offset - self.start, self.end - self.start)
            if at >= 0:
                return at + self.start
            if self.complete:
                return None
            if self.end - begin > MAX_ROW:
                raise FatalError(
                    f"{self.source.name}: no line end within {MAX_ROW >> 20} MiB behind byte "
                    f"{begin:,}; is it the right format, and is it compressed?"
                )
            offset = max(offset, self.end)
            self.load(offset + 1)

    def block(self, start: int, end: int) -> Block:
        """The bytes ``[start, end)``, which must be in memory."""
        return Block(self._buffer, start - self.start, end - self.start, start)
