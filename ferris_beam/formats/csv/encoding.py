"""CSV in encodings of one byte for each character, such as those of Windows.

Cells, line ends, quotes and delimiters are found in the bytes as they are; only what is parsed is
turned into UTF-8 before. Bytes without a character stay as they are, which is no UTF-8: their rows
are rejected.
"""

from __future__ import annotations

from dataclasses import replace

from ferris_beam.formats.grid import BadLine, Parsed, Parser
from ferris_beam.formats.window import Block

_UTF8 = "utf-8"
_ERRORS = "surrogateescape"


def in_utf8(block: Block, encoding: str) -> Block:
    """The block in UTF-8; the same one where that changes nothing."""
    if encoding == _UTF8:
        return block
    raw = block.copy()
    if raw.isascii():
        return block
    return Block.of(raw.decode(encoding, _ERRORS).encode(_UTF8, _ERRORS), block.offset)


class TranscodingParser(Parser):
    """Parses what another parser reads in UTF-8, and tells of bad lines as they are in the file."""

    def __init__(self, inner: Parser, encoding: str) -> None:
        self.schema = inner.schema
        self._inner = inner
        self._encoding = encoding

    def parse(self, block: Block) -> Parsed:
        text = in_utf8(block, self._encoding)
        parsed = self._inner.parse(text)
        if text is block or not parsed.bad:
            return parsed
        bad = []
        seen, characters = 0, 0
        for line in parsed.bad:
            characters += _count(text.copy(seen, line.start))
            seen = line.start
            bad.append(self._original(line, block, characters))
        return Parsed(parsed.records, bad)

    def _original(self, line: BadLine, block: Block, start: int) -> BadLine:
        """A line of the text as it is in ``block``, where a character is a byte."""
        length = _count(line.payload)
        return replace(line, start=start, payload=block.copy(start, start + length))


def _count(text: bytes) -> int:
    return len(text.decode(_UTF8, _ERRORS))
