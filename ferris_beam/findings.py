"""What is found when an endpoint is looked at: well or not, and what mends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ferris_beam.errors import FerrisError


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that `Reader.diagnose` or `Writer.diagnose` looked at.

    ``check`` names it in a word or two ('authentication'); ``seen``, what was found, in a sentence;
    ``fix``, what to do about a warning or a problem: an option, a command, SQL to run; empty where
    ``seen`` says it. Both without secrets; ``fix`` may have several lines.
    """

    check: str
    state: Literal["ok", "warning", "problem"]
    seen: str
    fix: str = ""

    @classmethod
    def of_error(cls, check: str, error: FerrisError) -> Finding:
        """A problem: what happened is an error's first line, what to do the rest of it."""
        seen, _, fix = error.message.partition("\n")
        return cls(check, "problem", seen, fix)


def attempted(check: str, action: Callable[[], str]) -> Finding:
    """What ``action`` says was seen, or the problem that its error stands for."""
    try:
        return Finding(check, "ok", action())
    except FerrisError as error:
        return Finding.of_error(check, error)
