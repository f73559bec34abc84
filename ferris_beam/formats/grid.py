"""Text cut by a grid: a cell holds exactly the rows that start in it.

The position is the index of a cell of `CELL` bytes of the (decompressed) unit. One cell is one
piece, however the interval around it is cut, so that a restart meets the same borders. Cell ``k``
spans the bytes from the first row start at or behind ``k * CELL`` to the first at or behind
``(k + 1) * CELL``; it is empty where a row is longer than a cell.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from ferris_beam.errors import FatalError
from ferris_beam.formats.base import BadRow, ByteSource, Extent, FormatReader, Piece
from ferris_beam.formats.window import Block, Window

CELL = 1 << 22
"""Bytes of a cell: 65k rows of 64 bytes. Part of every text unit's identity: never change it."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A row of a block that could not be parsed; ``start`` counts from the block's start."""

    start: int
    payload: bytes
    reason: str
    category: str = "parsing"


@dataclass(frozen=True, slots=True)
class Parsed:
    """The good rows of a block, in order, and the bad ones."""

    records: pa.RecordBatch
    bad: Sequence[BadLine] = ()


class Parser(ABC):
    """Text to a batch, row by row, but fast. Also for what is not a file (messages, responses)."""

    schema: pa.Schema

    @abstractmethod
    def parse(self, block: Block) -> Parsed:
        """Parses whole rows, each ended by a line end (the last one's may be missing)."""


Check = Callable[[Block, Parsed], None]
"""Raises `FatalError` where the border behind a cell's block can't be the end of a row."""


class Borders(ABC):
    """Where a unit's rows start, as far as the grid asks."""

    def __init__(self, window: Window, first: int) -> None:
        self.window = window
        self.first = first

    def corner(self, cell: int) -> int:
        """Where the grid has the cell; the cell begins there or behind."""
        return cell * CELL

    @abstractmethod
    def find(self, cell: int) -> int:
        """The offset at which ``cell`` begins: of the first row start at or behind its corner
        on the grid, or where the source ends."""

    @abstractmethod
    def following(self, start: int, cell: int) -> int:
        """Where the cell behind ``cell`` begins, given that ``cell`` begins at ``start``; its
        bytes are then in memory."""

    def sample(self, size: int) -> Iterator[Block]:
        """The rows of the first ``size`` bytes, in whole cells, to infer types from. A block is
        valid until the next one is asked for."""
        start, cell = self.first, self.first // CELL
        for number in range(cell, cell - (-size // CELL)):
            stop = self.following(start, number)
            if stop > start:
                yield self.window.block(start, stop)
            elif self.window.complete and stop >= self.window.end:
                return
            start = stop


class LineBorders(Borders):
    """Every line end is a row's end."""

    def find(self, cell: int) -> int:
        corner = self.corner(cell)
        if corner <= self.first:
            return self.first
        self.window.seek(corner - 1)
        return self._line_start(corner)

    def following(self, start: int, cell: int) -> int:
        corner = self.corner(cell + 1)
        if corner <= start:
            return start
        self.window.seek(start)
        self.window.load(corner)
        return self._line_start(corner)

    def _line_start(self, corner: int) -> int:
        """The first line start at or behind ``corner``: behind a line end at ``corner - 1``."""
        found = self.window.find(b"\n", corner - 1)
        return self.window.end if found is None else found + 1


class GridReader(FormatReader):
    """Reads cells of a text unit with a parser. Keeps its place between reads."""

    def __init__(
        self, borders: Borders, parser: Parser, header_lines: int = 0, check: Check | None = None
    ) -> None:
        self.schema = parser.schema
        self._check = check
        self._borders = borders
        self._window = borders.window
        self._parser = parser
        self._header_lines = header_lines
        self._cell = 0
        self._start = borders.first

    @property
    def parser(self) -> Parser:
        return self._parser

    @property
    def check(self) -> Check | None:
        return self._check

    @property
    def borders(self) -> Borders:
        return self._borders

    def read(self, start: int, end: int) -> Iterator[Piece]:
        if start != self._cell:
            self._cell, self._start = start, self._borders.find(start)
        while self._cell < end:
            yield self._read_cell(end)

    def _read_cell(self, end: int) -> Piece:
        cell, start = self._cell, self._start
        stop = self._borders.following(start, cell)
        block = self._window.block(start, stop) if stop > start else Block.of(b"", start)
        parsed = self._parse(block)
        if self._check is not None:
            self._check(block, parsed)
        bad = list(self._bad_rows(parsed.bad, block, cell))
        self._start = stop
        self._cell = end if self._ends_at(stop) else cell + 1
        return Piece(parsed.records, self._cell, bad, stop - start)

    def _parse(self, block: Block) -> Parsed:
        try:
            return self._parser.parse(block)
        except pa.ArrowException as error:
            raise FatalError(
                f"{self._window.source.name}: what follows byte {block.offset:,} can't be parsed "
                f"({error}); is it of the right format?"
            ) from error

    def _ends_at(self, offset: int) -> bool:
        """Whether nothing follows and the number of cells was not known: then this cell is
        the last one and stands for all positions behind it."""
        if self._window.source.size is not None or offset < self._window.end:
            return False
        self._window.seek(offset)
        self._window.load(offset + 1)
        return self._window.end == offset

    def _bad_rows(self, lines: Sequence[BadLine], block: Block, cell: int) -> Iterator[BadRow]:
        """The lines with their places; in the first cell also with their numbers."""
        name = self._window.source.name
        number, counted = self._header_lines + 1, 0
        for line in lines:
            place = f"byte {block.offset + line.start:,} of {name}"
            if block.offset == self._borders.first:
                number += block.copy(counted, line.start).count(b"\n")
                counted = line.start
                place = f"line {number:,} ({place})"
            yield BadRow(cell, place, line.reason, line.payload, line.category)


def grid_extent(source: ByteSource, divisible: bool = True) -> Extent:
    """All cells of a unit; an upper limit, and not divisible, where its size is not known."""
    cells = max(1, -(-source.size_limit // CELL))
    return Extent(cells, divisible=divisible and source.size is not None)
