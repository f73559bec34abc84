"""Formats of times in three spellings, as one: strftime's (C, Python, DuckDB).

PostgreSQL and Oracle write ``YYYY-MM-DD HH24:MI:SS``, Java, Spark and Flink ``yyyy-MM-dd
HH:mm:ss``. A format with a percent sign is strftime's already.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_POSTGRESQL = {
    "YYYY": "%Y", "IYYY": "%G", "YY": "%y", "MM": "%m", "MONTH": None, "Month": "%B", "Mon": "%b",
    "DDD": "%j", "DD": "%d", "Day": "%A", "Dy": "%a", "ID": "%u", "IW": "%V", "HH24": "%H",
    "HH12": "%I", "HH": "%I", "MI": "%M", "SS": "%S", "MS": "%g", "US": "%f", "AM": "%p",
    "PM": "%p", "TZH": None, "TZ": None, "OF": None, "Q": None, "WW": None,
}  # fmt: skip
_JAVA = {
    "yyyy": "%Y", "uuuu": "%Y", "yy": "%y", "MM": "%m", "MMM": "%b", "MMMM": "%B", "dd": "%d",
    "d": "%-d", "M": "%-m", "D": "%-j", "DDD": "%j", "EEE": "%a", "E": "%a", "EEEE": "%A",
    "HH": "%H", "H": "%-H", "hh": "%I", "h": "%-I", "mm": "%M", "m": "%-M", "ss": "%S",
    "s": "%-S", "SSS": "%g", "SSSSSS": "%f", "a": "%p", "Z": "%z", "xx": "%z",
}  # fmt: skip
_POSTGRESQL_TOKEN = re.compile(
    "|".join(sorted(_POSTGRESQL, key=len, reverse=True)) + r'|"(?P<text>[^"]*)"|(?P<other>.)', re.S
)
_JAVA_TOKEN = re.compile(r"(?P<letter>[A-Za-z])(?P=letter)*|'(?P<text>[^']*)'|(?P<other>.)", re.S)
_DIRECTIVE = re.compile(r"%(-?)(.)", re.S)
_KNOWN = frozenset("aAbBdeHIjmMpSuUVwWyYGfgzZcxXFTDRn%") - frozenset("cxXn")


def postgresql(template: str) -> str:
    """strftime's format for a template of ``to_char``.

    >>> postgresql('YYYY-MM-DD"T"HH24:MI:SS.US')
    '%Y-%m-%dT%H:%M:%S.%f'
    """
    return _translated(template, _POSTGRESQL_TOKEN, _POSTGRESQL, "to_char")


def java(pattern: str) -> str:
    """strftime's format for a pattern of Java's DateTimeFormatter.

    >>> java("yyyy-MM-dd'T'HH:mm:ss.SSS")
    '%Y-%m-%dT%H:%M:%S.%g'
    """
    return _translated(pattern, _JAVA_TOKEN, _JAVA, "date_format")


def _translated(
    written: str, token: re.Pattern[str], known: Mapping[str, str | None], name: str
) -> str:
    if "%" in written:
        return written
    parts: list[str] = []
    for match in token.finditer(written):
        if match["text"] is not None:
            parts.append(match["text"])
        elif match["other"] is not None and not match["other"].isalpha():
            parts.append(match["other"])
        else:
            directive = known.get(match[0])
            if directive is None:
                raise ValueError(
                    f"{name} doesn't know {match[0]!r} of the format {written!r}; "
                    "write it with strftime's directives: %Y-%m-%d %H:%M:%S"
                )
            parts.append(directive)
    return "".join(parts)


def chrono(written: str) -> str:
    """strftime's format as the engine (Rust's chrono) spells it: %f µs, %g ms.

    >>> chrono("%H:%M:%S.%f")
    '%H:%M:%S.%6f'
    """
    for match in _DIRECTIVE.finditer(written):
        if match[2] not in _KNOWN:
            raise ValueError(f"{match[0]} is no directive of strftime that is known here")
    if written.replace("%%", "").count("%") != len(
        [match for match in _DIRECTIVE.finditer(written) if match[2] != "%"]
    ):
        raise ValueError(f"the format {written!r} ends within a directive")
    replaced = {"f": "%6f", "g": "%3f"}
    return _DIRECTIVE.sub(lambda match: replaced.get(match[2], match[0]), written)
