"""JSON is UTF-8 (RFC 8259, section 8.1); a byte order mark is skipped, UTF-16 is refused."""

from __future__ import annotations

import codecs

from ferris_beam.errors import FatalError
from ferris_beam.formats.base import ByteSource, read_bytes


def start_of_text(source: ByteSource) -> int:
    """Where the text begins: behind the mark, if there is one. Raises `FatalError` for UTF-16 and
    UTF-32, with or without a mark."""
    head = read_bytes(source, 0, 4)
    if head.startswith(codecs.BOM_UTF8):
        return len(codecs.BOM_UTF8)
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or _is_wide(head):
        raise FatalError(
            f"{source.name}: begins with {head.hex(' ')}, as UTF-16 or UTF-32 does; JSON is UTF-8 "
            "(RFC 8259): convert it, for example by `iconv -f UTF-16 -t UTF-8`"
        )
    return 0


def _is_wide(head: bytes) -> bool:
    """Two characters of ASCII in UTF-16, or one in UTF-32 (RFC 4627, section 3)."""
    zeros = tuple(at for at, byte in enumerate(head) if not byte)
    return len(head) == 4 and zeros in ((0, 2), (1, 3), (0, 1, 2), (1, 2, 3))
