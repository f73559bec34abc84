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
class SqlText:
    """``text`` as the user wrote it; ``name`` says where it stands (a file), if anywhere."""

    text: str
    name: str = ""

    def error(
        self,
        message: str,
        at: exp.Expression | tuple[int, int] | None = None,
        hint: str = "",
    ) -> SqlError:
        """An error whose message shows the line of ``at`` with a caret under it, then ``hint``."""
        span = span_of(at) if isinstance(at, exp.Expression) else at
        lines = [message]
        if span is not None:
            line, column = self.position(span[0])
            place = f"{self.name}:{line}:{column}" if self.name else f"line {line}, column {column}"
            shown = self._lines[line - 1].rstrip("\n")
            width = max(1, min(span[1], self._starts[line - 1] + len(shown)) - span[0])
            lines = [f"{message} ({place})", shown, " " * (column - 1) + "^" * width]
        if hint:
            lines.append(hint)
        return SqlError("\n".join(lines))

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.splitlines(keepends=True) or [""]

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        for line in self._lines[:-1]:
            starts.append(starts[-1] + len(line))
        return starts


def span_of(node: exp.Expression) -> tuple[int, int] | None:
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
