"""Byte sources that can only be made from front to back: decompressed, decoded."""

from __future__ import annotations

from abc import ABC, abstractmethod

from ferris_beam.formats.base import ByteSource


class ForwardSource(ABC):
    """Bytes that are made of another source's, one step after the other.

    The last step stays at hand; going back further starts over.
    """

    def __init__(self, inner: ByteSource) -> None:
        self._inner = inner
        self._start_over()

    def _start_over(self) -> None:
        self._position = 0
        self._step = self._left = memoryview(b"")
        self.restart()

    @abstractmethod
    def restart(self) -> None:
        """Goes back to the first byte of the inner source."""

    @abstractmethod
    def step(self) -> bytes | bytearray | memoryview | None:
        """The next bytes, possibly none at present; None at the end."""

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def size(self) -> int | None:
        return None

    def read_into(self, offset: int, target: memoryview) -> int:
        if offset < self._position:
            self._go_back(offset)
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
        self._start_over()
        self._inner.close()

    def _go_back(self, offset: int) -> None:
        start = self._position + len(self._left) - len(self._step)
        if offset < start:
            self._start_over()
        else:
            self._left = self._step[offset - start :]
            self._position = offset

    def _take(self, length: int) -> memoryview:
        piece, self._left = self._left[:length], self._left[length:]
        self._position += len(piece)
        return piece

    def _fill(self) -> bool:
        """Makes at least one byte available; False at the end."""
        while not self._left:
            step = self.step()
            if step is None:
                return False
            self._step = self._left = memoryview(step)
        return True
