"""Formats of dates and times as strptime has them: `%d.%m.%Y %H:%M:%S`.

Read by a regular expression of our own: the C library's strptime takes 30 February for 1 March,
knows no fractions of seconds, and depends on the locale. Loads no Arrow: options are checked by it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)

_NUMBER = "[0-9]{1,2}"
_DIRECTIVES = {
    "Y": "[0-9]{4}",
    "y": "[0-9]{2}",
    "m": _NUMBER,
    "d": _NUMBER,
    "H": _NUMBER,
    "I": _NUMBER,
    "M": _NUMBER,
    "S": _NUMBER,
    "f": "[0-9]{1,9}",
    "p": "(?i:am|pm)",
    "b": f"(?i:{'|'.join(name[:3] for name in MONTHS)})",
    "B": f"(?i:{'|'.join(MONTHS)})",
    "z": "(?:Z|[+-][0-9]{2}:?[0-9]{2})",
    "a": "(?i:mon|tue|wed|thu|fri|sat|sun)",
    "A": "(?i:monday|tuesday|wednesday|thursday|friday|saturday|sunday)",
}
_SHORT = {"%F": "%Y-%m-%d", "%T": "%H:%M:%S", "%R": "%H:%M", "%D": "%m/%d/%y", "%e": "%d"}
_YEAR, _MONTH, _TIME = set("Yy"), set("mbB"), set("HIMSfpz")


@dataclass(frozen=True)
class DateFormat:
    """A format that is known to make sense. ``directives`` are the letters in it, in order, and
    ``pattern`` captures each by its letter."""

    text: str
    directives: str
    pattern: str

    @classmethod
    def parse(cls, text: str) -> DateFormat:
        """Raises `ValueError` with what is wrong."""
        plain = re.sub("%[FTRDe]", lambda found: _SHORT[found[0]], text)
        directives, pattern = "", ""
        for directive, other in re.findall(r"%-?(.?)|([^%]+)", plain):
            if other or directive == "%":
                pattern += re.escape(other or "%")
            elif directive not in _DIRECTIVES:
                raise ValueError(f"%{directive} is no directive; there are {_known()}")
            elif directive in directives:
                raise ValueError(f"%{directive} stands in it twice")
            else:
                directives += directive
                pattern += f"(?P<{directive}>{_DIRECTIVES[directive]})"
        _check(set(directives))
        return cls(text, directives, f"^{pattern}$")

    @property
    def has_time(self) -> bool:
        return not _TIME.isdisjoint(self.directives)

    @property
    def has_zone(self) -> bool:
        return "z" in self.directives


def _check(found: set[str]) -> None:
    if len(found & _YEAR) != 1 or len(found & _MONTH) != 1 or "d" not in found:
        raise ValueError("not a year (%Y or %y), a month (%m, %b or %B) and a day (%d)")
    if len(found & set("HI")) != (1 if found & _TIME else 0):
        raise ValueError("a time needs its hour (%H, or %I with %p)")
    if ("I" in found) != ("p" in found):
        raise ValueError("%I needs %p, and %H goes without")
    if "f" in found and "S" not in found:
        raise ValueError("fractions of a second (%f) need seconds (%S)")
    if "S" in found and "M" not in found:
        raise ValueError("seconds (%S) need minutes (%M)")


def _known() -> str:
    return " ".join(f"%{letter}" for letter in _DIRECTIVES)
