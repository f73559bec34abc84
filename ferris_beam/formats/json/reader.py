"""Reads a document: elements become lines, and what reads JSON Lines does the rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa

from ferris_beam.errors import FatalError
from ferris_beam.formats.base import BadRow, FormatReader, Piece
from ferris_beam.formats.grid import BadLine, Parsed
from ferris_beam.formats.json.document import Document, Lines, as_lines
from ferris_beam.formats.json.elements import Cell
from ferris_beam.formats.jsonl.parser import JsonLinesParser
from ferris_beam.formats.text import Flaw, empty

_BLANKS = b" \t\r\n"
_NOTHING = Flaw("not JSON: nothing where an element was expected")


class DocumentReader(FormatReader):
    """One piece for each cell that holds elements. Every read scans from the document's start."""

    def __init__(self, document: Document, parser: JsonLinesParser) -> None:
        self.schema = parser.schema
        self._document = document
        self._parser = parser

    def read(self, start: int, end: int) -> Iterator[Piece]:
        held: Piece | None = None  # the last one ends where the interval does
        for cell in self._document.cells():
            if cell.number >= end:
                break
            if cell.number < start:
                continue
            if held is not None:
                yield held
            held = self._piece(cell)
        yield replace(held or Piece(empty(self.schema), end), end=end)

    def _piece(self, cell: Cell) -> Piece:
        lines = as_lines(cell)
        parsed = self._parse(lines)
        flaws = {_number(lines, bad): Flaw(bad.reason, bad.category) for bad in parsed.bad}
        missing = len(cell.starts) - parsed.records.num_rows - len(flaws)
        if missing and not _may_be_blank(cell):
            blank = (number for number in range(len(cell.starts)) if not _payload(cell, number)[1])
            flaws.update(dict.fromkeys(blank, _NOTHING))
        bad = [self._bad_row(cell, number, flaws[number]) for number in sorted(flaws)]
        return Piece(parsed.records, cell.number + 1, bad, len(cell.block))

    def _parse(self, lines: Lines) -> Parsed:
        try:
            return self._parser.parse(lines.block)
        except pa.ArrowException as error:
            raise FatalError(
                f"{self._document.source.name}: what follows byte {lines.block.offset:,} can't be "
                f"parsed ({error}); is it JSON?"
            ) from error

    def _bad_row(self, cell: Cell, number: int, flaw: Flaw) -> BadRow:
        begin, payload = _payload(cell, number)
        name = self._document.source.name
        place = f"element {cell.first + number:,} (byte {begin:,} of {name})"
        return BadRow(cell.number, place, flaw.reason, payload, flaw.category)


def _number(lines: Lines, line: BadLine) -> int:
    """Which of the cell's elements a line is."""
    return int(np.searchsorted(lines.starts, line.start, "right")) - 1


def _may_be_blank(cell: Cell) -> bool:
    """An array without elements, and what is behind the last of several objects."""
    return cell.touching or (cell.first == 1 and len(cell.starts) == 1)


def _payload(cell: Cell, number: int) -> tuple[int, bytes]:
    """An element without the blanks around it, and its offset in the unit."""
    begin, end = int(cell.starts[number]), int(cell.stops[number])
    raw = cell.block.copy(begin - cell.block.offset, end - cell.block.offset)
    payload = raw.lstrip(_BLANKS)
    return end - len(payload), payload.rstrip(_BLANKS)
