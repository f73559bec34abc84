"""Where a CSV file may be cut into cells."""

from __future__ import annotations

from ferris_beam.errors import FatalError
from ferris_beam.formats.csv.rows import (
    Dialect,
    comments,
    ends_inside_quotes,
    ends_inside_value,
    has_lone_returns,
    holds_line_ends,
    line_starts,
    row_end,
)
from ferris_beam.formats.grid import Borders, LineBorders, Parsed
from ferris_beam.formats.window import MAX_ROW, Block, Window


class QuotedBorders(Borders):
    """Rows whose quoted values may hold line ends: known only by reading from the start."""

    def __init__(self, window: Window, first: int, dialect: Dialect) -> None:
        super().__init__(window, first)
        self._dialect = dialect

    def find(self, cell: int) -> int:
        start = self.first
        for earlier in range(cell):
            start = self.following(start, earlier)
        return start

    def following(self, start: int, cell: int) -> int:
        corner = self.corner(cell + 1)
        if corner <= start:
            return start
        self.window.seek(start)
        self.window.load(corner)
        while True:
            end = self._row_end(start, corner)
            if end is not None:
                return end
            loaded = self.window.end - start
            if loaded > MAX_ROW:
                raise _never_closed(self.window, start, f"within {MAX_ROW >> 20} MiB")
            self.window.load(start + 2 * loaded + 1)

    def _row_end(self, start: int, corner: int) -> int | None:
        """The end of the row that holds the byte before ``corner``, if it is in memory."""
        loaded = self.window.end
        block = self.window.block(start, loaded)
        if self.window.complete and loaded <= corner:
            if len(block) and ends_inside_quotes(block, self._dialect):
                raise _never_closed(self.window, start, "before the file ends")
            return loaded
        end = row_end(block, self._dialect, corner - start)
        if end is not None and (start + end < loaded or self.window.complete):
            return start + end  # else a LF may follow the CR
        if self.window.complete:
            if ends_inside_quotes(block, self._dialect):
                raise _never_closed(self.window, start, "before the file ends")
            return loaded
        return None


def first_cell_holds_line_ends(window: Window, first: int, dialect: Dialect) -> bool:
    """Whether a value in the first cell holds a line end, so that lines are no rows."""
    block = next(LineBorders(window, first).sample(1), None)
    return block is not None and holds_line_ends(block, dialect)


class LineCheck:
    """Refuses cells that were cut within a value.

    A file whose values hold no line ends may be cut at each of them, and read in parallel. That
    it is such a file is checked in each cell, at the cost of counting lines where there are quotes.
    The first cell that is cut wrongly starts with a row, so it is always found.
    """

    def __init__(self, dialect: Dialect, name: str) -> None:
        self._dialect = dialect
        self._name = name

    def __call__(self, block: Block, parsed: Parsed) -> None:
        if not self._may_be_open(block):
            return
        rows = parsed.records.num_rows + len(parsed.bad)
        last = self._last_row(block, rows)
        if ends_inside_value(block.part(last, len(block)), self._dialect):
            raise FatalError(
                f"{self._name}: a quoted value holds a line end where the file is cut, near byte "
                f"{block.offset + len(block):,}, or is never closed; set newlines_in_values=true "
                "to read the file in one piece"
            )

    def _may_be_open(self, block: Block) -> bool:
        quote, escape = self._dialect.quote, self._dialect.escape
        if quote is not None and quote.encode() in block:
            return True
        end = block.copy(max(0, len(block) - 3)).rstrip(b"\r\n")
        return escape is not None and end.endswith(escape.encode())

    def _last_row(self, block: Block, rows: int) -> int:
        """Where the last row starts, if each line is a row: then no other one can be open at the
        end of the block. Else where the block starts."""
        rows += len(comments(block, self._dialect)[0])
        if rows == block.count_lines() and not has_lone_returns(block):
            return block.last_line_start()
        starts = line_starts(block)
        return int(starts[-1]) if rows == len(starts) > 0 else 0


def _never_closed(window: Window, start: int, where: str) -> FatalError:
    return FatalError(
        f"{window.source.name}: a quoted value behind byte {start:,} is not closed {where}; "
        "correct the file, or set quote and escape as it was written"
    )
