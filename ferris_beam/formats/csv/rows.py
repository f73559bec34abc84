"""Where rows of CSV text start and end, exactly as pyarrow's parser sees it.

The parser itself says only how many rows there are. Whoever needs their offsets (of rejected rows)
or the state at a block's end (may the text be cut here?) asks this module. It first tries what
numpy can tell of the whole block at once, and only then goes through it row by row.

The grammar: a field is quoted only if its first character is the quote; in it a doubled quote, or
whatever follows the escape character, is text; behind the closing quote all is text up to the next
delimiter or line end. A quote within an unquoted field is text. A lone CR ends a row. Outside of
quotes, too, a line end behind the escape character is text. A row that begins with the comment
character ends with its line, whatever is in it, and is none.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ferris_beam.formats.csv.notation import USUAL, Notation
from ferris_beam.formats.window import Block, Offsets

Bytes = np.ndarray[Any, np.dtype[np.uint8]]

_LF, _CR = 10, 13
_LINE_END = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True)
class Dialect:
    """How a file is written; ``quote``, ``escape`` and ``comment`` are None where there is none."""

    delimiter: str = ","
    quote: str | None = '"'
    escape: str | None = None
    null_values: tuple[str, ...] = ("",)
    encoding: str = "utf-8"
    comment: str | None = None
    notation: Notation = USUAL

    @cached_property
    def row(self) -> re.Pattern[bytes]:
        """Matches one row with its line end, the last group; another group that took part says
        that the row's last value is quoted and never closed. Only one branch fits at each
        character: no backtracking.
        """
        ends = re.escape(self.delimiter)
        escape = re.escape(self.escape or "")
        escaped = rf"|{escape}(?:[\s\S]|\Z)" if self.escape else ""
        plain = rf"(?:[^{ends}{escape}\r\n]+{escaped})*"
        field = plain
        if self.quote:
            quote = re.escape(self.quote)
            inside = rf"(?:[^{quote}{escape}]+|{quote}{quote}{escaped})*"
            field = rf"(?:{quote}{inside}(?:{quote}{plain}|(\Z))|(?!{quote}){plain})"
        row = f"{field}(?:{ends}{field})*"
        if self.comment:
            comment = re.escape(self.comment)
            row = rf"(?:{comment}[^\r\n]*|(?!{comment}){row})"
        return re.compile(rf"{row}(\r\n|\r|\n|\Z)".encode())


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
    return np.array([row.start for row in _scan(block, dialect) if row.stop > row.start], np.int64)


def line_starts(block: Block) -> Offsets:
    """The starts of all lines that aren't empty, in quotes or not."""
    text = block.array()
    starts = _all_line_starts(text)
    first = text[starts]
    return starts[(first != _LF) & (first != _CR)]


def _all_line_starts(text: Bytes) -> Offsets:
    ends = text == _LF
    returns = np.flatnonzero(text == _CR)
    if len(returns):
        followed = text[np.minimum(returns + 1, len(text) - 1)] == _LF
        ends[returns[~followed]] = True
    starts = np.concatenate(([0], np.flatnonzero(ends) + 1))
    return starts[starts < len(text)]


def comments(block: Block, dialect: Dialect) -> tuple[Offsets, Offsets]:
    """The starts and the ends, behind their line ends, of all comments in ``block``, which starts
    with a row or a comment."""
    if not _may_hold_comments(block, dialect):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    assert dialect.comment is not None
    mark = ord(dialect.comment)
    text = block.array()
    if dialect.escape is None and (dialect.quote is None or dialect.quote.encode() not in block):
        starts = _all_line_starts(text)
        found = np.flatnonzero(text[starts] == mark)
        return starts[found], np.append(starts[1:], len(text))[found]
    rows = [(row.start, row.end) for row in _scan(block, dialect) if text[row.start] == mark]
    spans = np.array(rows, np.int64).reshape(-1, 2)
    return spans[:, 0], spans[:, 1]


def _may_hold_comments(block: Block, dialect: Dialect) -> bool:
    """Whether a line begins with the comment character, in quotes or not."""
    if dialect.comment is None:
        return False
    mark = dialect.comment.encode()
    if mark not in block:  # looked for much faster than two characters
        return False
    return block.copy(0, 1) == mark or b"\n" + mark in block or b"\r" + mark in block


def ends_inside_quotes(block: Block, dialect: Dialect) -> bool:
    """Whether a quoted value is still open at the end of ``block``, which starts with a row."""
    quotes = _quotes(block, dialect)
    if quotes is not None:
        return len(quotes) % 2 == 1
    return any(row.unclosed for row in _scan(block, dialect))


def ends_inside_value(block: Block, dialect: Dialect) -> bool:
    """Whether the line end at the end of ``block``, which starts with a row, is a value's."""
    quotes = _quotes(block, dialect)
    if quotes is not None:
        return len(quotes) % 2 == 1
    last = next(iter(deque(_scan(block, dialect), maxlen=1)), None)
    return last is not None and (last.unclosed or not last.ended)


def holds_line_ends(block: Block, dialect: Dialect) -> bool:
    """Whether a value in ``block``, which starts with a row, holds a line end."""
    quoted = dialect.quote is not None and dialect.quote.encode() in block
    escaped = dialect.escape is not None and dialect.escape.encode() in block
    if not quoted and not escaped:
        return False
    quotes = _quotes(block, dialect)
    if quotes is not None:
        ends = np.flatnonzero(block.array() == _LF)
        return bool(np.any(np.searchsorted(quotes, ends) % 2))
    text = block.view()
    return any(b"\n" in text[row.start : row.stop].tobytes() for row in _scan(block, dialect))


def has_lone_returns(block: Block) -> bool:
    """Whether a CR stands for a line end, or a part of one, without a LF."""
    return b"\r" in block and block.count(b"\r") != block.count(b"\r\n")


def row_end(block: Block, dialect: Dialect, minimum: int) -> int | None:
    """The end of the first row that ends at or behind ``minimum`` (> 0), both counted from the
    block's start, which is a row's; None if no such row ends in the block."""
    quotes = _quotes(block, dialect)
    if quotes is not None:
        return _end_outside(block, quotes, max(0, minimum - 1))
    ends = (row.end for row in _scan(block, dialect) if row.ended)
    return next((end for end in ends if end >= minimum), None)


def _end_outside(block: Block, quotes: Offsets, at: int) -> int | None:
    """The end of the first line end at or behind ``at`` that is not between two quotes."""
    text = block.view()
    following = int(np.searchsorted(quotes, at))
    while True:
        if following % 2:  # inside: on behind the closing quote
            if following == len(quotes):
                return None
            at, following = int(quotes[following]) + 1, following + 1
        stop = int(quotes[following]) if following < len(quotes) else len(block)
        found = _LINE_END.search(text, at, stop)
        if found is not None:
            return found.end()
        if stop == len(block):
            return None
        at, following = stop + 1, following + 1


def _quotes(block: Block, dialect: Dialect) -> Offsets | None:
    """The offsets of all quotes if they open and close values in turn, else None.

    They do if each first one of a pair stands at a field's start and each second one at a field's
    end, or is doubled (which closes the value and opens it again at once).
    """
    if dialect.escape is not None or _may_hold_comments(block, dialect):
        return None
    if dialect.quote is None or dialect.quote.encode() not in block:
        return np.empty(0, np.int64)
    text = block.array()
    quotes = np.flatnonzero(text == ord(dialect.quote))
    opening, closing = quotes[0::2], quotes[1::2]
    ends = np.zeros(256, np.bool_)
    ends[[ord(dialect.delimiter), _LF, _CR]] = True
    starts_field = ends[text[opening - 1]] | (opening == 0)
    starts_field[1:] |= opening[1:] - 1 == closing[: len(opening) - 1]
    ends_field = ends[text[np.minimum(closing + 1, len(text) - 1)]]
    ends_field |= closing == len(text) - 1
    ends_field[: len(opening) - 1] |= closing[: len(opening) - 1] + 1 == opening[1:]
    return quotes if starts_field.all() and ends_field.all() else None


class _Row(NamedTuple):
    """One row, comment or blank line: where it starts, where it ends before its line end and
    behind that, and whether it ends within quotes."""

    start: int
    stop: int
    end: int
    unclosed: bool

    @property
    def ended(self) -> bool:
        return self.end > self.stop


def _scan(block: Block, dialect: Dialect) -> Iterator[_Row]:
    text = block.view()
    match = dialect.row.match
    at = 0
    while at < len(text):
        found = match(text, at)
        assert found is not None, "every part of the pattern may be empty"
        *open_quotes, line_end = found.groups()
        unclosed = any(group is not None for group in open_quotes)
        yield _Row(at, found.end() - len(line_end), found.end(), unclosed)
        at = found.end()
