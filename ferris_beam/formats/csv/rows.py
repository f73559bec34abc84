"""Where rows of CSV text start and end, exactly as pyarrow's parser sees it.

The parser itself says only how many rows there are. Whoever needs their offsets (of rejected rows)
or the state at a block's end (may the text be cut here?) asks this module. It first tries what
numpy can tell of the whole block at once, and only then goes through it row by row.

The grammar: a field is quoted only if its first character is the quote; in it a doubled quote, or
whatever follows the escape character, is text; behind the closing quote all is text up to the next
delimiter or line end. A quote within an unquoted field is text. A lone CR ends a row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ferris_beam.formats.window import Block, Offsets

_LF, _CR = 10, 13
_LINE_END = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True)
class Dialect:
    """How a file is written; ``quote`` and ``escape`` are None where there is none."""

    delimiter: str = ","
    quote: str | None = '"'
    escape: str | None = None
    null_values: tuple[str, ...] = ("",)
    encoding: str = "utf-8"

    @cached_property
    def row(self) -> re.Pattern[bytes]:
        """Matches one row with its line end. A group that took part says that the row's last
        value is quoted and never closed. Only one branch fits at each character: no backtracking.
        """
        ends = rf"\{self.delimiter}"
        escape = f"\\{self.escape}" if self.escape else ""
        escaped = rf"|{escape}(?:[\s\S]|\Z)" if self.escape else ""
        plain = rf"(?:[^{ends}{escape}\r\n]+{escaped})*"
        field = plain
        if self.quote:
            quote = rf"\{self.quote}"
            inside = rf"(?:[^{quote}{escape}]+|{quote}{quote}{escaped})*"
            field = rf"(?:{quote}{inside}(?:{quote}{plain}|(\Z))|(?!{quote}){plain})"
        return re.compile(rf"{field}(?:{ends}{field})*(?:\r\n|\r|\n|\Z)".encode())


def row_starts(block: Block, dialect: Dialect, rows: int) -> Offsets:
    """The starts of the ``rows`` rows that the parser found in ``block``; blank lines are none."""
    starts = line_starts(block)
    if len(starts) == rows:  # a quoted line end would have made fewer rows than lines
        return starts
    quotes = _quotes(block, dialect)
    if quotes is not None:
        starts = starts[np.searchsorted(quotes, starts) % 2 == 0]
        if len(starts) == rows:
            return starts
    return np.fromiter((start for start, _, _ in _scan(block, dialect)), np.int64)


def line_starts(block: Block) -> Offsets:
    """The starts of all lines that aren't empty, in quotes or not."""
    text = block.array()
    ends = text == _LF
    returns = np.flatnonzero(text == _CR)
    if len(returns):
        followed = text[np.minimum(returns + 1, len(text) - 1)] == _LF
        ends[returns[~followed]] = True
    starts = np.concatenate(([0], np.flatnonzero(ends) + 1))
    starts = starts[starts < len(text)]
    first = text[starts]
    return starts[(first != _LF) & (first != _CR)]


def ends_inside_quotes(block: Block, dialect: Dialect) -> bool:
    """Whether a quoted value is still open at the end of ``block``, which starts with a row."""
    quotes = _quotes(block, dialect)
    if quotes is not None:
        return len(quotes) % 2 == 1
    return any(inside for _, _, inside in _scan(block, dialect))


def row_end(block: Block, dialect: Dialect, minimum: int) -> int | None:
    """The end of the first row that ends at or behind ``minimum`` (> 0), both counted from the
    block's start, which is a row's; None if no such row ends in the block."""
    quotes = _quotes(block, dialect)
    if quotes is not None:
        for found in _LINE_END.finditer(block.view(), max(0, minimum - 1)):
            if np.searchsorted(quotes, found.start()) % 2 == 0:
                return found.end()
        return None
    ends = (end for _, end, inside in _scan(block, dialect, blank=True) if not inside)
    last = next((end for end in ends if end >= minimum), None)
    return last if last is None or block.view()[last - 1] in (_LF, _CR) else None


def _quotes(block: Block, dialect: Dialect) -> Offsets | None:
    """The offsets of all quotes if they open and close values in turn, else None.

    They do if each first one of a pair stands at a field's start and each second one at a field's
    end, or is doubled (which closes the value and opens it again at once).
    """
    if dialect.escape is not None:
        return None
    if dialect.quote is None:
        return np.empty(0, np.int64)
    text = block.array()
    quotes = np.flatnonzero(text == ord(dialect.quote))
    opening, closing = quotes[0::2], quotes[1::2]
    ends = np.array([ord(dialect.delimiter), _LF, _CR], np.uint8)
    starts_field = np.isin(text[opening - 1], ends) | (opening == 0)
    starts_field[1:] |= opening[1:] - 1 == closing[: len(opening) - 1]
    ends_field = np.isin(text[np.minimum(closing + 1, len(text) - 1)], ends)
    ends_field |= closing == len(text) - 1
    ends_field[: len(opening) - 1] |= closing[: len(opening) - 1] + 1 == opening[1:]
    return quotes if starts_field.all() and ends_field.all() else None


def _scan(block: Block, dialect: Dialect, blank: bool = False) -> Iterator[tuple[int, int, bool]]:
    """Start, end and whether a quoted value never ends, of each row in turn."""
    text = block.view()
    match = dialect.row.match
    at = 0
    while at < len(text):
        found = match(text, at)
        assert found is not None, "every part of the pattern may be empty"
        if blank or text[at] not in (_LF, _CR):
            yield at, found.end(), any(group is not None for group in found.groups())
        at = found.end()
