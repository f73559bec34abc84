"""Text of any encoding that Python decodes, as a source of UTF-8: UTF-16, Shift JIS, GB 18030, ….

Where a character may take several bytes, or ASCII is not in its place, lines can't be found in the
bytes as they are. Such a file is decoded from front to back; its positions count bytes of UTF-8.
"""

from __future__ import annotations

import codecs

from ferris_beam.errors import FatalError
from ferris_beam.formats.base import ByteSource
from ferris_beam.formats.forward import ForwardSource
from ferris_beam.formats.window import Window

_STEP = 1 << 18
_MOST_BYTES = 3
"""Of UTF-8 for one byte of any other encoding."""

_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",  # before that of UTF-16, which it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}

_UNREADABLE = "ferris_beam.unreadable"


def _unreadable(error: UnicodeError) -> tuple[str | bytes, int]:
    """Bytes that are no character become one that is no UTF-8, so that their row is rejected."""
    if isinstance(error, UnicodeDecodeError):
        return "\udcff", error.end
    assert isinstance(error, UnicodeEncodeError)
    return b"\xff" * (error.end - error.start), error.end


codecs.register_error(_UNREADABLE, _unreadable)


class DecodingSource(ForwardSource):
    """Another source's text in UTF-8."""

    def __init__(self, inner: ByteSource, encoding: str) -> None:
        self._encoding = encoding
        self._buffer = bytearray(_STEP)
        super().__init__(inner)

    def restart(self) -> None:
        self._decoder = codecs.getincrementaldecoder(self._encoding)(_UNREADABLE)
        self._read = 0
        self._ended = False

    @property
    def size_limit(self) -> int:
        return _MOST_BYTES * self._inner.size_limit

    def step(self) -> bytes | None:
        if self._ended:
            return None
        count = self._inner.read_into(self._read, memoryview(self._buffer))
        self._read += count
        self._ended = count < len(self._buffer)
        text = self._decode(memoryview(self._buffer)[:count].tobytes())
        return text.encode("utf-8", _UNREADABLE)

    def _decode(self, data: bytes) -> str:
        try:
            return self._decoder.decode(data, self._ended)
        except UnicodeError as error:  # of single characters `_unreadable` takes care
            raise FatalError(
                f"{self.name}: is not {self._encoding} ({error}); set encoding= as it was written"
                f", such as {self._encoding}-le or {self._encoding}-be where there is no mark"
            ) from error


def text_window(source: ByteSource, encoding: str) -> Window:
    """A window over ``source`` where ASCII is ASCII: decoded where ``encoding``, or UTF-16's or
    UTF-32's byte order mark instead of UTF-8, asks for it."""
    window = Window(source)
    window.load(4)
    start = bytes(window.block(0, min(4, window.end)).view())
    if encoding == "utf-8":
        marks = (name for mark, name in _BYTE_ORDER_MARKS.items() if start.startswith(mark))
        encoding = next(marks, encoding)
    return window if is_bytewise(encoding) else Window(DecodingSource(source, encoding))


def is_bytewise(encoding: str) -> bool:
    """Whether lines, delimiters and quotes can be found in the bytes as they are: in UTF-8, and
    where ASCII is in its place and each character one byte."""
    if encoding == "utf-8":
        return True
    ascii_text = bytes(range(128))
    if ascii_text.decode(encoding, "replace") != ascii_text.decode("ascii"):
        return False
    if not bytes(range(128, 256)).decode(encoding, "ignore"):
        return False  # ISO 2022 has other letters in ASCII's place, behind an escape sequence
    return len(bytes(range(256)).decode(encoding, "replace")) == 256
