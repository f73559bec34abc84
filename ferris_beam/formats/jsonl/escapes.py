"""Escapes that arrow-rs or arro3 can't take as they are.

NUL: arro3 0.9 aborts the process where an error names the character.

Characters beyond the first supplementary plane: RFC 8259 writes U+20BB7 as a surrogate pair,
``\\ud842\\udfb7``. arrow-json 59 combines the halves by ``|`` where ``+`` is right, and makes
U+10BB7 of it. (Emoji are in the first plane and come out right.) Such pairs are replaced by the
character itself before the text is parsed.
"""

from __future__ import annotations

import re

NUL_ESCAPE = b"\\u0000"
_AFFECTED = re.compile(rb"\\u[dD](?:8[4-9a-fA-F]|[9abAB])")
_ESCAPE = re.compile(
    rb"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|\\.", re.DOTALL
)


def without_nul_escapes(text: bytearray | bytes | memoryview) -> bytes:
    """Text that can be parsed exactly if the given one can: another control character stands for
    NUL."""
    return bytes(text).replace(NUL_ESCAPE, b"\\u0001")


def without_wide_escapes(text: bytearray | bytes | memoryview) -> bytes | None:
    """The same JSON without such pairs; None if there are none, as nearly always."""
    if _AFFECTED.search(text) is None:
        return None
    return _ESCAPE.sub(_decoded, text)


def _decoded(escape: re.Match[bytes]) -> bytes:
    if escape[1] is None:  # another escape, such as a backslash: what follows it is no pair
        return escape[0]
    high, low = int(escape[1], 16), int(escape[2], 16)
    return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)).encode()
