"""Compressed units as byte sources."""

from __future__ import annotations

from ferris_beam.errors import FatalError
from ferris_beam.formats.base import ByteSource
from ferris_beam.formats.compression.codec import HEAD, Codec, Decompressor
from ferris_beam.formats.forward import ForwardSource

ANY_SIZE = 1 << 62
"""The limit of what is in a compressed source: only reading to the end tells how much there is
(a zstd frame of 20 bytes may hold gigabytes)."""

_COMPRESSED_STEP = 1 << 18
_STEP = 1 << 20


class DecompressedSource(ForwardSource):
    """The decompressed bytes of a source.

    Holds one compressed and one decompressed step, however much a file unpacks to. Members follow
    one another; zero bytes may fill up the file behind one (tapes, block devices); anything else
    there is refused, not dropped.
    """

    def __init__(self, inner: ByteSource, codec: Codec) -> None:
        self._codec = codec
        self._buffer = bytearray(_COMPRESSED_STEP)
        super().__init__(inner)

    def restart(self) -> None:
        self._read = 0
        self._member: Decompressor | None = None
        self._held = b""
        self._ended = False

    @property
    def size_limit(self) -> int:
        return ANY_SIZE

    def step(self) -> bytes | bytearray | memoryview | None:
        if self._member is None:
            self._begin_member()
        if self._ended or self._member is None:
            return None
        return self._decompressed(self._member)

    def _refill(self) -> bool:
        """Adds a step to the compressed bytes that are held; False where there are no more."""
        count = self._inner.read_into(self._read, memoryview(self._buffer))
        self._read += count
        self._held += memoryview(self._buffer)[:count]
        return count > 0

    def _decompressed(self, member: Decompressor) -> bytes | bytearray | memoryview | None:
        output: bytes | bytearray | memoryview | None = None
        try:
            ready = bool(self._held) or not member.needs_input
            if ready or self._refill():
                held, self._held = self._held, b""
                output = member.decompress(held, _STEP)
            else:
                self._end_within(member)
        except self._codec.errors as error:
            raise FatalError(
                f"{self.name}: damaged {self._codec.name} data before byte {self._read:,} "
                f"({error}); fetch the file again or repair it"
            ) from error
        if member.eof:
            self._held = bytes(member.unused_data or b"")
            self._member = None
        return output

    def _end_within(self, member: Decompressor) -> None:
        if not self._codec.may_end(member):
            raise FatalError(
                f"{self.name}: the {self._codec.name} file is truncated after {self._read:,} bytes "
                "(it ends in the middle of its data); fetch it again or repair it"
            )
        self._ended = True

    def _begin_member(self) -> None:
        """Starts the next member, or finds that there is none."""
        filler = b"\0" if self._read else b""
        self._held = self._held.lstrip(filler)
        while len(self._held) < HEAD and self._refill():
            self._held = self._held.lstrip(filler)
        if not self._held:
            self._ended = True
        elif self._codec.begins(self._held[:HEAD]):
            self._member = self._codec.decompressor()
        else:
            raise self._foreign()

    def _foreign(self) -> FatalError:
        place = self._read - len(self._held)
        advice = "set compression=none if it is not compressed"
        if place:
            advice = "something else was added to the file: cut it off, or fetch the file again"
        return FatalError(
            f"{self.name}: no {self._codec.name} data at byte {place:,}, but "
            f"{self._held[:8]!r}; {advice}"
        )
