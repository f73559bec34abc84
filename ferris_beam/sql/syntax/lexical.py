"""Which parts of a SQL text are code, and which are strings, quoted names or comments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ferris_beam.sql.text import SqlText

Kind = Literal["code", "string", "escaped", "name", "line comment", "block comment"]

_OPENING = re.compile(r"[eE]'|'|\"|--|/\*")
_NAME_ENDS = re.compile(r"\w[eE]'")
_BLOCK_BORDER = re.compile(r"/\*|\*/")
_CLOSING = {
    "'": re.compile(r"(?:[^']|'')*'"),
    "e'": re.compile(r"(?:[^'\\]|\\.|'')*'", re.DOTALL),
    '"': re.compile(r'(?:[^"]|"")*"'),
    "--": re.compile(r"[^\n]*"),
}
_KINDS: dict[str, Kind] = {
    "'": "string",
    "e'": "escaped",
    '"': "name",
    "--": "line comment",
    "/*": "block comment",
}
_UNCLOSED = {
    "string": ("this string is never closed", "close it by '; a ' inside of it is written ''"),
    "escaped": ("this string is never closed", "close it by '; a ' inside of it is written \\'"),
    "name": ("this quoted name is never closed", 'close it by "; strings stand in single quotes'),
    "block comment": ("this comment is never closed", "close it by */"),
}


@dataclass(frozen=True)
class Region:
    """The characters from ``start`` to before ``end``, quotes included."""

    kind: Kind
    start: int
    end: int


def regions(text: SqlText) -> Iterator[Region]:
    """All of the text, region by region; `SqlError` where a quote or comment isn't closed."""
    place = 0
    while match := _opening(text.text, place):
        if match.start() > place:
            yield Region("code", place, match.start())
        opening = match[0].lower()
        kind = _KINDS[opening]
        end = _end(text.text, opening, match.end())
        if end is None:
            message, hint = _UNCLOSED[kind]
            raise text.error(message, (match.start(), len(text.text)), hint)
        yield Region(kind, match.start(), end)
        place = end
    if place < len(text.text):
        yield Region("code", place, len(text.text))


def _opening(text: str, place: int) -> re.Match[str] | None:
    """The next quote or comment; ``e'`` opens a string unless a name ends with that e."""
    match = _OPENING.search(text, place)
    if match and match[0] in ("e'", "E'") and _NAME_ENDS.match(text, max(match.start() - 1, 0)):
        return _OPENING.search(text, match.start() + 1)
    return match


def _end(text: str, opening: str, place: int) -> int | None:
    if opening == "/*":
        return _end_of_block(text, place)
    match = _CLOSING[opening].match(text, place)
    return match.end() if match else None


def _end_of_block(text: str, place: int) -> int | None:
    """Comments in /* */ hold others, as in PostgreSQL."""
    depth = 1
    for border in _BLOCK_BORDER.finditer(text, place):
        depth += 1 if border[0] == "/*" else -1
        if depth == 0:
            return border.end()
    return None
