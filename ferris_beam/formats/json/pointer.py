"""JSON Pointer (RFC 6901): where in a document the rows are, found without reading it all.

``/data/items`` leads through the members of objects, ``/0`` to an element of an array; ``~1``
stands for a slash in a name, and ``~0`` for a tilde.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import numpy as np

from ferris_beam.errors import FatalError
from ferris_beam.formats.json.structure import COMMA, Structure
from ferris_beam.formats.window import Window

_STEP = 1 << 18
_LONGEST_KEY = 1 << 16
_MOST_NAMED = 10
_KEY = re.compile(rb'[ \t\r\n]*("(?:[^"\\]|\\.)*")[ \t\r\n]*:', re.DOTALL)
_BLANKS = b" \t\r\n"


def locate(window: Window, start: int, pointer: str) -> tuple[int, int]:
    """The offset of the value that ``pointer`` leads to from the one at ``start``, and how many
    brackets are open there. Raises `FatalError` where there is none."""
    depth = 0
    tokens = [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]
    for token in tokens:
        opening = first_char(window, start)
        if opening == b"{":
            start = _member(window, start, depth, token, pointer)
        elif opening == b"[":
            start = _element(window, start, depth, token, pointer)
        else:
            raise FatalError(
                f"{window.source.name}: path={pointer}: {token!r} is looked for at byte {start:,}, "
                "where there is neither an object nor an array; correct path="
            )
        start, depth = after_blanks(window, start), depth + 1
    return start, depth


def after_blanks(window: Window, at: int) -> int:
    """The offset of the first byte at or behind ``at`` that isn't blank; the end if there is
    none."""
    while True:
        window.load(at + 1)
        text = window.block(at, window.end).copy()
        if text.strip(_BLANKS) or not text:
            return at + len(text) - len(text.lstrip(_BLANKS))
        at = window.end
        window.seek(at)


def first_char(window: Window, at: int) -> bytes:
    window.load(at + 1)
    return window.block(at, min(at + 1, window.end)).copy()


def _member(window: Window, start: int, depth: int, name: str, pointer: str) -> int:
    """Where the value of the first member of this name begins."""
    seen: list[str] = []
    for at in _starts(window, start, depth):
        window.load(at + _LONGEST_KEY)
        text = window.block(at, min(at + _LONGEST_KEY, window.end)).copy()
        found = _KEY.match(text)
        if found is None:
            break
        key = json.loads(found[1])
        if key == name:
            return at + found.end()
        seen.append(key)
    raise _missing(window, start, pointer, name, "its keys are " + _quoted(seen))


def _element(window: Window, start: int, depth: int, index: str, pointer: str) -> int:
    count = 0
    if not re.fullmatch("0|[1-9][0-9]*", index):
        raise _missing(window, start, pointer, index, "it is an array: give a number, from 0 on")
    for at in _starts(window, start, depth):
        if count == int(index):
            return at
        count += 1
    raise _missing(window, start, pointer, index, f"it has {count} elements")


def _starts(window: Window, start: int, depth: int) -> Iterator[int]:
    """Where the members or elements of what begins at ``start`` begin: behind its bracket, and
    behind each of its commas."""
    structure = Structure(depth)
    scanned = start
    while True:
        window.load(scanned + _STEP)
        end = min(scanned + _STEP, window.end)
        if end == scanned:
            raise FatalError(
                f"{window.source.name}: not JSON: it ends at byte {end:,} within what begins at "
                f"byte {start:,}. Is it truncated?"
            )
        marks = structure.read(window.block(scanned, end))
        closed = np.flatnonzero(marks.depth <= depth)
        stop = int(closed[0]) if len(closed) else len(marks.at)
        commas = marks.at[:stop][(marks.depth[:stop] == depth + 1) & (marks.chars[:stop] == COMMA)]
        if scanned == start:
            yield start + 1
        yield from (int(at) + 1 for at in commas)
        if len(closed):
            return
        scanned = end
        window.seek(scanned)


def _missing(window: Window, start: int, pointer: str, token: str, what: str) -> FatalError:
    return FatalError(
        f"{window.source.name}: path={pointer}: there is no {token!r} in what begins at byte "
        f"{start:,}; {what}. Correct path="
    )


def _quoted(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:_MOST_NAMED])
    return f"{shown}, …" if len(names) > _MOST_NAMED else shown or "none"
