"""What a compressor is to this package: how its files begin, and how one of their members is read.

A compressed file is one or more *members* in a row (gzip and xz say member or stream, zstd and lz4
frame, bzip2 stream). A `Decompressor` reads one of them, in steps of a limited size; what joins
them, and what is behind the last one, is the same for all codecs (`DecompressedSource`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Protocol


class Decompressor(Protocol):
    """One member: the interface that Python's own modules share (`bz2.BZ2Decompressor`)."""

    @property
    def eof(self) -> bool:
        """Whether the member is complete."""

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes out without more going in."""

    @property
    def unused_data(self) -> bytes | None:
        """What was given behind the end of the member."""

    def decompress(self, data: Any, max_length: int) -> bytes:
        """Takes all of ``data`` and returns about ``max_length`` bytes at most."""


class Compressor(Protocol):
    """Writes one member."""

    def compress(self, data: Any) -> bytes:
        """Takes all of ``data`` and returns what is ready."""

    def flush(self) -> bytes:
        """The rest, which completes the member."""


class Codec(ABC):
    """One compressor. Its library is imported when it is used."""

    name: ClassVar[str]
    extensions: ClassVar[tuple[str, ...]]
    magics: ClassVar[tuple[bytes, ...]]
    """What a member begins with: one of these."""

    @abstractmethod
    def decompressor(self) -> Decompressor:
        """Reads the next member."""

    @abstractmethod
    def compressor(self) -> Compressor:
        """Writes a member, as fast as compresses well: higher levels cost more time than any
        consumer of a pipeline gets back."""

    @property
    @abstractmethod
    def errors(self) -> tuple[type[Exception], ...]:
        """What its decompressor raises where data is damaged."""

    def begins(self, head: bytes) -> bool:
        """Whether ``head``, the next bytes of a file, can be the beginning of a member. `HEAD`
        bytes are given, fewer only where the file ends."""
        return any(head.startswith(magic) or magic.startswith(head) for magic in self.magics)

    def may_end(self, member: Decompressor) -> bool:
        """Whether the file may end here although the member does not say that it is complete."""
        return False


HEAD = 32
"""Bytes that tell of what kind a file is."""
