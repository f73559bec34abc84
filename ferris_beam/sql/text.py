"""A SQL text, and errors that point into it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

from sqlglot import exp

from ferris_beam.errors import SqlError


@dataclass(frozen=True)
class Replacement:
    """Where a variable stood in the user's text, and where its value stands now."""

    original: tuple[int, int]
    now: tuple[int, int]


@dataclass(frozen=True)
class SqlText:
    """``text`` as it is parsed; ``name`` says where it stands (a file), if anywhere.

    Where variables were replaced, ``written`` is the text before that: errors show it, so that
    carets point at what the user wrote, and values stay out of messages.
    """

    text: str
    name: str = ""
    written: str = ""
    replacements: tuple[Replacement, ...] = ()

    def error(
        self,
        message: str,
        at: exp.Expr | tuple[int, int] | None = None,
        hint: str = "",
    ) -> SqlError:
        """An error whose message shows the line of ``at`` with a caret under it, then ``hint``."""
        span = span_of(at) if isinstance(at, exp.Expr) else at
        lines = [message]
        if span is not None:
            start, end = self._as_written(span)
            line, column = self._lines.position(start)
            place = f"{self.name}:{line}:{column}" if self.name else f"line {line}, column {column}"
            shown = self._lines.line(line)
            width = max(1, min(end - start, len(shown) - column + 1))
            indent = "".join("\t" if char == "\t" else " " for char in shown[: column - 1])
            lines = [f"{message} ({place})", shown, indent + "^" * width]
        if hint:
            lines.append(hint)
        return SqlError("\n".join(lines))

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of a place in ``text``, both from 1, as the user wrote it."""
        return self._lines.position(self._as_written((offset, offset))[0])

    def _as_written(self, span: tuple[int, int]) -> tuple[int, int]:
        """The span in the user's text; what lies in a value is where its variable stands."""
        start, end = span
        shift = 0
        begins = ends = None
        for replacement in self.replacements:
            first, last = replacement.now
            if begins is None and start < last:
                begins = replacement.original[0] if start >= first else start + shift
            if ends is None and end <= last:
                ends = replacement.original[1] if end > first else end + shift
            shift = replacement.original[1] - last
        return (
            start + shift if begins is None else begins,
            end + shift if ends is None else ends,
        )

    @cached_property
    def _lines(self) -> _Lines:
        return _Lines(self.written or self.text)


class _Lines:
    """The lines of a text, and where each starts."""

    def __init__(self, text: str) -> None:
        self._texts = text.splitlines(keepends=True) or [""]
        self._starts = [0]
        for line in self._texts[:-1]:
            self._starts.append(self._starts[-1] + len(line))

    def position(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def line(self, number: int) -> str:
        return self._texts[number - 1].rstrip("\r\n")


def span_of(node: exp.Expr) -> tuple[int, int] | None:
    """Where ``node`` stands: from its first to its last token whose place is known."""
    found = [
        (part.meta["start"], part.meta["end"] + 1)
        for part in node.walk()
        if part.meta.get("start") is not None
    ]
    if not found:
        return None
    return min(start for start, _ in found), max(end for _, end in found)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``did you mean 'amount'?`` where something is close, else the known names."""
    names = sorted(set(known))
    close = get_close_matches(name, names, n=1)
    if not close:
        folded = {candidate.lower(): candidate for candidate in names}
        close = [folded[match] for match in get_close_matches(name.lower(), folded, n=1)]
    if close:
        return f"did you mean {close[0]!r}?"
    return f"there are: {', '.join(names)}" if names else ""
