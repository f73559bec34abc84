"""Types of options with a notation of their own: sizes in bytes and durations.

Models annotate options with `ByteSize` and `Duration`; `byte_size("64MB")` and `duration("5s")`
give their defaults. Further types say by `InWords` how errors and docs describe them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator

__all__ = ["ByteSize", "Duration", "InWords", "byte_size", "duration"]

_SIZE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*")
_SIZE_UNITS = {
    "": 1,
    "b": 1,
    "kb": 1000,
    "mb": 1000**2,
    "gb": 1000**3,
    "tb": 1000**4,
    "kib": 1024,
    "mib": 1024**2,
    "gib": 1024**3,
    "tib": 1024**4,
}
_SIZES_SHOWN = ("TiB", "TB", "GiB", "GB", "MiB", "MB", "KiB", "kB")

_DURATION = re.compile(r"\s*(?:[0-9]+(?:\.[0-9]+)?\s*(?:us|ms|s|m|h|d)\s*)+")
_DURATION_ITEM = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(us|ms|s|m|h|d)")
_MICROSECONDS = {
    "d": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "s": 1_000_000,
    "ms": 1_000,
    "us": 1,
}


@dataclass(frozen=True)
class InWords:
    """In an `Annotated` type: what is allowed, in words, and how a value is written."""

    allowed: str
    show: Callable[[Any], str] = str


def byte_size(value: str | int) -> int:
    """Bytes of `64MB` (10⁶), `64MiB` (2²⁰), `1.5GB` or `4096`; ValueError if it is no size."""
    if isinstance(value, int):
        return value
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    unit = _SIZE_UNITS.get(match[2].lower()) if match else None
    if match is None or unit is None:
        raise ValueError("not a size")
    number = float(match[1]) * unit if "." in match[1] else int(match[1]) * unit
    if number != int(number):
        raise ValueError("not a whole number of bytes")
    return int(number)


def show_byte_size(size: int) -> str:
    """With the largest unit that divides the size: `64MB`, `128MiB`, `1001`."""
    for unit in _SIZES_SHOWN:
        number, rest = divmod(size, _SIZE_UNITS[unit.lower()])
        if number and not rest:
            return f"{number}{unit}"
    return str(size)


def duration(value: str | timedelta) -> timedelta:
    """The duration `500ms`, `5s`, `1h30m` or `0`; ValueError if it has no unit.

    Microseconds are the finest, as in Arrow and Beam.
    """
    if isinstance(value, timedelta):
        return value
    if value in ("0", 0):
        return timedelta()
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        raise ValueError("not a duration")
    items = _DURATION_ITEM.findall(value)
    microseconds = sum(float(number) * _MICROSECONDS[unit] for number, unit in items)
    try:
        return timedelta(microseconds=round(microseconds))
    except OverflowError:
        raise ValueError("too long a duration") from None


def show_duration(value: timedelta) -> str:
    """As `duration` reads it: `1h30m`, `500ms`."""
    rest = value // timedelta(microseconds=1)
    shown = ""
    for unit, length in _MICROSECONDS.items():
        number, rest = divmod(rest, length)
        if number:
            shown += f"{number}{unit}"
    return shown or "0"


ByteSize: TypeAlias = Annotated[
    int,
    BeforeValidator(byte_size),
    InWords("a size such as 500kB, 64MB or 1GiB", show_byte_size),
]
Duration: TypeAlias = Annotated[
    timedelta,
    BeforeValidator(duration),
    InWords("a duration such as 500ms, 5s, 2m or 1h30m", show_duration),
]
