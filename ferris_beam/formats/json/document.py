"""What a document is: an array, an object, objects one after the other, or JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ferris_beam.errors import FatalError
from ferris_beam.formats.base import ByteSource
from ferris_beam.formats.json.elements import Cell, Elements, Kind
from ferris_beam.formats.json.pointer import after_blanks, first_char, locate
from ferris_beam.formats.jsonl.encoding import start_of_text
from ferris_beam.formats.window import Block, Offsets, Window

_LONGEST_LINE = 1 << 20
_LINE_END, _BLANK, _NUL = b"\n \0"


@dataclass(frozen=True)
class Document:
    """Where the rows of a source are. ``kind`` is None where there are none, ``are_lines`` tells
    that it is JSON Lines by any other name."""

    source: ByteSource
    kind: Kind | None
    start: int = 0
    depth: int = 0
    are_lines: bool = False

    @classmethod
    def of(cls, source: ByteSource, pointer: str) -> Document:
        """Looks at the beginning. Raises `FatalError` where there are no rows to be found."""
        window = Window(source)
        start, depth = after_blanks(window, start_of_text(source)), 0
        if start == window.end and window.complete:
            return cls(source, None)
        if pointer:
            start, depth = locate(window, start, pointer)
        char = first_char(window, start)
        if char == b"[":
            return cls(source, Kind.ARRAY, start, depth)
        if char != b"{":
            raise FatalError(
                f"{source.name}: {_where(pointer, start)} is neither an array of objects nor an "
                "object; is it JSON? path= tells where in a document the rows are"
            )
        kind = Kind.OBJECT if pointer else Kind.OBJECTS
        return cls(source, kind, start, depth, not pointer and _is_line(window, start))

    def cells(self) -> Iterable[Cell]:
        if self.kind is None:
            return iter(())
        return Elements(Window(self.source), self.kind, self.start, self.depth)

    def sample(self, size: int) -> Iterator[Block]:
        """The elements of the first ``size`` bytes, in whole cells, as lines."""
        for cell in self.cells():
            yield as_lines(cell).block
            if cell.block.offset + len(cell.block) - self.start >= size:
                return


class Lines(NamedTuple):
    """The elements of a cell, each on a line; ``starts`` count from the block's start."""

    block: Block
    starts: Offsets


def as_lines(cell: Cell) -> Lines:
    """Commas become line ends, line ends in elements blanks. Those within texts, where JSON has
    none, become bytes that no parser takes."""
    block = cell.block
    text = bytearray(block.view())
    chars = np.frombuffer(text, np.uint8)
    chars[cell.line_ends - block.offset] = _BLANK
    chars[cell.broken - block.offset] = _NUL
    starts = cell.starts - block.offset
    if cell.touching:
        text = bytearray(np.insert(chars, starts[1:], _LINE_END).tobytes())
        starts = starts + np.arange(len(starts))
    else:
        chars[starts[1:] - 1] = _LINE_END
    return Lines(Block(text, 0, len(text), block.offset), starts)


def _where(pointer: str, start: int) -> str:
    return f"path={pointer} (byte {start:,})" if pointer else f"what begins at byte {start:,}"


def _is_line(window: Window, start: int) -> bool:
    """Whether the first line is a whole object."""
    window.load(start + _LONGEST_LINE)
    text = window.block(start, min(start + _LONGEST_LINE, window.end)).copy()
    line, _, _ = text.partition(b"\n")
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
