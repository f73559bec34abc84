"""The head of a CSV file: byte order mark, lines to be skipped, names of the columns."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ferris_beam.errors import FatalError
from ferris_beam.formats.csv.rows import Dialect
from ferris_beam.formats.window import MAX_ROW, Window


@dataclass(frozen=True, slots=True)
class Head:
    """The names of the columns in the file's order, where its rows begin, and behind how many
    lines."""

    names: tuple[str, ...]
    end: int
    lines: int


def read_head(
    window: Window, dialect: Dialect, skip_lines: int, header: bool, columns: Sequence[str] | None
) -> Head:
    """Reads the head of a file; without a header and ``columns`` the names are made up.

    Raises `FatalError` where the file ends within the lines to be skipped.
    """
    window.seek(0)
    window.load(1)
    start = _skip_lines(window, skip_lines)
    first, end = _first_row(window, dialect, start)
    if header:
        lines = skip_lines + _count_lines(window, start, end)
        return Head(_unique(first), end, lines)
    names = columns if columns is not None else [f"column{at + 1}" for at in range(len(first))]
    return Head(tuple(names), start, skip_lines)


def _skip_lines(window: Window, count: int) -> int:
    at = 3 if bytes(window.block(0, min(3, window.end)).view()) == codecs.BOM_UTF8 else 0
    for _ in range(count):
        found = window.find(b"\n", at)
        if found is None:
            raise FatalError(
                f"{window.source.name}: ends before the {count} lines that skip_lines= skips; "
                "lower it"
            )
        at = found + 1
    return at


def _first_row(window: Window, dialect: Dialect, start: int) -> tuple[list[str], int]:
    """The first row that is neither blank nor a comment, as texts, and where the next one starts.

    A quoted name may hold line ends: more is read until the row is complete.
    """
    while True:
        text = window.block(start, window.end).copy()
        for found in dialect.row.finditer(text):
            complete = found.end() < len(text) or window.complete
            if not complete:
                break
            if _is_row(found.group(), dialect):
                _check_closed(window, found, start)
                return _fields(window, found.group(), dialect), start + found.end()
            if found.end() == len(text):
                return [], window.end
        if len(text) > MAX_ROW:
            raise FatalError(
                f"{window.source.name}: no row ends within {MAX_ROW >> 20} MiB behind byte "
                f"{start:,}; is it CSV, and are quote and escape set as it was written?"
            )
        window.load(start + 2 * len(text) + 1)


def _is_row(text: bytes, dialect: Dialect) -> bool:
    comment = dialect.comment is not None and text.startswith(dialect.comment.encode())
    return bool(text.strip(b"\r\n")) and not comment


def _check_closed(window: Window, row: re.Match[bytes], start: int) -> None:
    *open_quotes, _ = row.groups()
    if any(group is not None for group in open_quotes):
        raise FatalError(
            f"{window.source.name}: a quoted value in its first row, behind byte "
            f"{start + row.start():,}, is never closed; correct the file, or set quote and escape "
            "as it was written"
        )


def _fields(window: Window, row: bytes, dialect: Dialect) -> list[str]:
    try:
        text = row.decode(dialect.encoding)
    except UnicodeDecodeError as error:
        raise FatalError(
            f"{window.source.name}: its header is not {dialect.encoding} ({error.reason}); set "
            "encoding= as it was written, such as cp1252"
        ) from error
    reader = csv.reader(
        [text.rstrip("\r\n")] if dialect.quote is None else io.StringIO(text, newline=""),
        delimiter=dialect.delimiter,
        quotechar=dialect.quote,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        escapechar=dialect.escape,
    )
    try:
        return next(reader, [])
    except csv.Error as error:
        raise FatalError(
            f"{window.source.name}: its first row can't be read ({error}); is it CSV, and are "
            "delimiter and quote set as it was written?"
        ) from error


def _count_lines(window: Window, start: int, end: int) -> int:
    return window.block(start, end).count_lines()


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    """Names made usable: blank ones get their number, repeated ones a suffix."""
    found: dict[str, None] = {}
    for at, name in enumerate(names):
        base = name.strip() or f"column{at + 1}"
        unique, suffix = base, 1
        while unique in found:
            unique, suffix = f"{base}_{suffix}", suffix + 1
        found[unique] = None
    return tuple(found)
