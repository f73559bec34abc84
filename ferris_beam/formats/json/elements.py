"""The elements of a document, cell by cell of the grid: a cell has those that start in it.

An array's elements start behind its bracket and behind each comma; objects one after the other
start where the one before ends. A document can only be read from its start: whether a bracket is
text is known from the quotes before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

import numpy as np

from ferris_beam.errors import FatalError
from ferris_beam.formats import grid
from ferris_beam.formats.json.structure import COMMA, LINE_END, RETURN, Marks, Structure
from ferris_beam.formats.window import MAX_ROW, Block, Offsets, Window

_STEP = 1 << 18
"""Bytes whose structure is found at a time: what that makes stays in the processor's cache."""

_BLANKS = b" \t\r\n"
_BRACE, _BRACKET = b"}]"


class Cell(NamedTuple):
    """The elements of a cell: the bytes from the first one's start to the last one's end, and in
    them where elements start and stop, and line ends outside and inside of texts (offsets in the
    unit). ``first`` is the number of the first element, counted from 1. Elements that are
    ``touching`` have nothing in between that isn't theirs."""

    number: int
    block: Block
    first: int
    starts: Offsets
    stops: Offsets
    line_ends: Offsets
    broken: Offsets
    touching: bool


class Kind(Enum):
    """What holds the rows."""

    ARRAY = "array"
    OBJECT = "object"
    OBJECTS = "objects"
    """One after the other, with nothing but blanks in between."""


class Elements:
    """The elements of an array that begins at ``start`` (its bracket), the object that does, or
    the objects from there on. ``depth`` brackets enclose them."""

    def __init__(self, window: Window, kind: Kind, start: int, depth: int = 0) -> None:
        self._window = window
        self._kind = kind
        self._in_array = kind is Kind.ARRAY
        self._base = depth + self._in_array
        self._structure = Structure(self._base)
        self._next = self._scanned = start + self._in_array
        self._count = 0
        self._ended = False
        self._closed_at = -1
        none = np.empty(0, np.int64)
        self._borders, self._line_ends, self._broken = none, none, none

    def __iter__(self) -> Iterator[Cell]:
        """All cells that hold elements, in order. Raises `FatalError` where the document ends too
        early or goes on behind the array."""
        while True:
            number = self._next // grid.CELL
            self._window.seek(self._next)
            while not self._ended and not self._reaches((number + 1) * grid.CELL):
                self._scan()
            if not len(self._borders):
                break
            yield self._take(number)
        self._check_rest()

    def _reaches(self, corner: int) -> bool:
        return bool(len(self._borders)) and self._start_behind(self._borders[-1]) >= corner

    def _start_behind(self, border: int) -> int:
        return int(border) + self._in_array

    def _take(self, number: int) -> Cell:
        """The elements that start before the next corner."""
        starts = np.concatenate(([self._next], self._borders[:-1] + self._in_array))
        count = int(np.searchsorted(starts, (number + 1) * grid.CELL))
        stops = self._borders[:count]
        end = int(stops[-1])
        cell = Cell(
            number,
            self._window.block(self._next, end),
            self._count + 1,
            starts[:count],
            stops,
            _before(self._line_ends, end),
            _before(self._broken, end),
            touching=not self._in_array,
        )
        self._count += count
        self._next = self._start_behind(end)
        self._borders = self._borders[count:]
        self._line_ends = self._line_ends[len(cell.line_ends) :]
        self._broken = self._broken[len(cell.broken) :]
        return cell

    # ── scanning ────────────────────────────────────────────────────────────────────────────

    def _scan(self) -> None:
        window = self._window
        if self._scanned - self._next > MAX_ROW:
            raise FatalError(
                f"{window.source.name}: no element ends within {MAX_ROW >> 20} MiB behind byte "
                f"{self._next:,}; is the array of rows elsewhere (path=)?"
            )
        marks = self._advance()
        if marks is None:
            self._finish()
        else:
            self._add(marks)

    def _advance(self) -> Marks | None:
        """The marks of the next bytes; None at the end."""
        self._window.load(self._scanned + _STEP)
        end = min(self._scanned + _STEP, self._window.end)
        if end == self._scanned:
            return None
        marks = self._structure.read(self._window.block(self._scanned, end))
        self._scanned = end
        return marks

    def _add(self, marks: Marks) -> None:
        closed = np.flatnonzero(marks.depth < self._base)
        stop = int(closed[0]) if len(closed) else len(marks.at)
        at, chars, depth = marks.at[:stop], marks.chars[:stop], marks.depth[:stop]
        level = depth == self._base
        if self._in_array:
            ends = at[level & (chars == COMMA)]
        else:
            ends = at[level & ((chars == _BRACE) | (chars == _BRACKET))] + 1
        if self._kind is Kind.OBJECT and len(ends):
            ends = ends[:1]
            self._ended = True
        elif len(closed):
            self._close(int(marks.at[stop]), int(marks.chars[stop]))
            ends = np.append(ends, marks.at[stop])
        is_line_end = (chars == LINE_END) | (chars == RETURN)
        self._borders = np.concatenate((self._borders, ends))
        self._line_ends = np.concatenate((self._line_ends, at[is_line_end]))
        self._broken = np.concatenate((self._broken, marks.broken))

    def _close(self, border: int, char: int) -> None:
        if not self._in_array or char != _BRACKET:
            raise FatalError(
                f"{self._window.source.name}: not JSON: the {chr(char)!r} at byte {border:,} "
                "closes nothing that is open; correct the file"
            )
        self._ended = True
        self._closed_at = border

    def _check_rest(self) -> None:
        """Behind an array there may only be the end of what encloses it."""
        if not self._in_array:
            return
        window, at = self._window, self._closed_at + 1
        while self._base == 1:
            window.seek(at)
            window.load(at + _STEP)
            rest = window.block(at, window.end).copy()
            if rest.strip(_BLANKS):
                at += len(rest) - len(rest.lstrip(_BLANKS))
                raise FatalError(
                    f"{window.source.name}: not JSON: the array ends at byte {self._closed_at:,}, "
                    f"and there is more at byte {at:,}; several documents are read if each is an "
                    "object, or with format=jsonl if each is on a line of its own"
                )
            if not rest:
                return
            at = window.end
        self._scan_to_the_end()

    def _scan_to_the_end(self) -> None:
        while self._structure.depth and self._advance() is not None:
            self._window.seek(self._scanned)
        if self._structure.depth or self._structure.in_text:
            raise FatalError(
                f"{self._window.source.name}: not JSON: it ends at byte {self._scanned:,}, before "
                "all brackets are closed. Is it truncated?"
            )

    def _finish(self) -> None:
        """The text ends: within the array, or behind the last object."""
        self._ended = True
        name, structure = self._window.source.name, self._structure
        if self._kind is not Kind.OBJECTS or structure.depth != self._base or structure.in_text:
            what = "an array" if self._in_array else "an object"
            what = "a text" if structure.in_text else what
            begun = self._start_behind(self._borders[-1]) if len(self._borders) else self._next
            raise FatalError(
                f"{name}: not JSON: it ends at byte {self._scanned:,} within {what}; the "
                f"element that begins at byte {begun:,} is not complete. Is it truncated?"
            )
        self._borders = np.append(self._borders, self._scanned)


def _before(offsets: Offsets, end: int) -> Offsets:
    return offsets[: np.searchsorted(offsets, end)]
