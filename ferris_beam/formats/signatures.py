"""What kinds of files begin with which bytes: to recognise a format, and to name a foreign one."""

from __future__ import annotations

import re
from typing import NamedTuple


class Signature(NamedTuple):
    """A kind of file. ``format`` is ours, if we read it; ``is_text``: text may begin like that
    too, so it only counts where nobody has said what the file is."""

    what: str
    pattern: re.Pattern[bytes]
    format: str | None = None
    is_text: bool = False


def _kind(what: str, pattern: bytes, format: str | None = None, is_text: bool = False) -> Signature:
    return Signature(what, re.compile(pattern, re.DOTALL | re.IGNORECASE), format, is_text)


_SIGNATURES = (
    _kind("a Parquet file", rb"PAR1(\x15|...\0)", "parquet"),  # the latter with encrypted columns
    _kind("an encrypted Parquet file", rb"PARE...\0"),
    _kind("an Avro file", rb"Obj\x01", "avro"),
    _kind("an Arrow file (Feather)", rb"ARROW1\0\0", "arrow"),
    _kind("an Arrow stream", rb"\xff\xff\xff\xff..\0\0", "arrows"),
    _kind("a Feather file of version 1", rb"FEA1[^\x20-\x7f]"),
    _kind("an ORC file", rb"ORC[^\0-\x08]{0,500}[\0-\x08]"),
    _kind("a zip archive (or a workbook, .xlsx)", rb"PK(\x03\x04|\x05\x06)"),
    _kind("a 7z archive", rb"7z\xbc\xaf\x27\x1c"),
    _kind("a RAR archive", rb"Rar!\x1a\x07"),
    _kind("a tar archive", rb".{257}ustar[\0 ]"),
    _kind("a PDF document", rb"%PDF-[0-9]"),
    _kind("an SQLite database", rb"SQLite format 3\0"),
    _kind("a document of an old Office", rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    _kind("compressed by `compress`", rb"\x1f\x9d"),
    _kind("of lz4's legacy format", rb"\x02\x21\x4c\x18"),
    _kind("an HTML page", rb"(\xef\xbb\xbf)?\s*<(!doctype\s+html|html[\s>])", is_text=True),
    _kind("an XML document", rb"(\xef\xbb\xbf)?\s*<\?xml\s", is_text=True),
)

WITH_SIGNATURE = frozenset(kind.format for kind in _SIGNATURES if kind.format)
"""The formats whose files all begin in their way."""


def signature_of(head: bytes) -> Signature | None:
    """The kind of file that begins with ``head`` (512 bytes tell all kinds)."""
    return next((kind for kind in _SIGNATURES if kind.pattern.match(head)), None)
