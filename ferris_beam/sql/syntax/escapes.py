"""``E'…'``: strings with escapes, as in PostgreSQL (section 4.1.2.2 of its manual)."""

from __future__ import annotations

import re

_ESCAPE = re.compile(
    r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{1,2})|([0-7]{1,3})|(.))|''",
    re.DOTALL,
)
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def unescaped(text: str) -> str:
    r"""What stands between the quotes of ``E'…'``; ValueError for what is no character.

    >>> unescaped(r"a\tb\'c\u00e9")
    "a\tb'cé"
    """
    return _ESCAPE.sub(_character, text)


def _character(match: re.Match[str]) -> str:
    """A letter without a meaning of its own stands for itself."""
    if match[0] == "''":
        return "'"
    if match[5]:
        return _LETTERS.get(match[5], match[5])
    hexadecimal = match[1] or match[2] or match[3]
    code = int(hexadecimal, 16) if hexadecimal else int(match[4], 8)
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise ValueError(f"{match[0]} is no character")
    return chr(code)
