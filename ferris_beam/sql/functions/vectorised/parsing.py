"""Times read from text by a format of strptime: one regular expression for all rows at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.sql.functions.vectorised.calendar import MICROS, assemble, impossible
from ferris_beam.sql.functions.vectorised.groups import per_value

_MONTHS = [
    *("january", "february", "march", "april", "may", "june", "july", "august", "september"),
    *("october", "november", "december"),
]
_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def _names(names: list[str]) -> str:
    return "|".join(sorted([*names, *(name[:3] for name in names)], key=len, reverse=True))


_PATTERNS = {
    "Y": ("year", "[0-9]{4}"),
    "y": ("short_year", "[0-9]{2}"),
    "m": ("month", "[0-9]{1,2}"),
    "d": ("day", "[0-9]{1,2}"),
    "e": ("day", " ?[0-9]{1,2}"),
    "H": ("hour", "[0-9]{1,2}"),
    "I": ("half_hour", "[0-9]{1,2}"),
    "M": ("minute", "[0-9]{1,2}"),
    "S": ("second", "[0-9]{1,2}"),
    "f": ("fraction", "[0-9]{1,9}"),
    "g": ("fraction", "[0-9]{1,3}"),
    "j": ("day_of_year", "[0-9]{1,3}"),
    "b": ("month_name", f"(?i:{_names(_MONTHS)})"),
    "B": ("month_name", f"(?i:{_names(_MONTHS)})"),
    "a": ("day_name", f"(?i:{_names(_DAYS)})"),
    "A": ("day_name", f"(?i:{_names(_DAYS)})"),
    "p": ("half", "(?i:am|pm)"),
    "z": ("zone", "Z|[+-][0-9]{2}:?[0-9]{2}|[+-][0-9]{2}"),
}
_WHOLE = {"F": "%Y-%m-%d", "T": "%H:%M:%S", "D": "%m/%d/%y", "R": "%H:%M"}


@dataclass(frozen=True)
class Reader:
    """``pattern`` (RE2) with a named group for each of ``fields``."""

    format: str
    pattern: str
    fields: frozenset[str]


def strptime(text: pa.Array, formats: pa.Array) -> pa.Array:
    """Timestamps in UTC; ValueError for a text that isn't of the format."""
    return per_value(formats, MICROS, lambda one, texts: _read(texts, reader(one), True), text)


def try_strptime(text: pa.Array, formats: pa.Array) -> pa.Array:
    """Timestamps in UTC; NULL for a text that isn't of the format."""
    return per_value(formats, MICROS, lambda one, texts: _read(texts, reader(one), False), text)


@lru_cache(maxsize=256)
def reader(written: str) -> Reader:
    """The regular expression for a format; ValueError where it is none."""
    for directive, meaning in _WHOLE.items():
        written = written.replace(f"%{directive}", meaning)
    parts: list[str] = []
    fields: list[str] = []
    for match in re.finditer(r"%-?(.)|[^%]+|%", written, re.S):
        directive = match[1]
        if directive is None:
            parts.append(re.escape(match[0]).replace("\\ ", " +"))
        elif directive == "%":
            parts.append("%")
        elif directive not in _PATTERNS:
            raise ValueError(f"{match[0]} is no directive of strptime that is known here")
        else:
            name, pattern = _PATTERNS[directive]
            fields.append(name)
            parts.append(f"(?P<{name}>{pattern})")
    if len(set(fields)) != len(fields):
        raise ValueError(f"the format {written!r} names a part of the time twice")
    return Reader(written, f"^ *{''.join(parts)} *$", frozenset(fields))


def _read(text: pa.Array, by: Reader, strict: bool) -> pa.Array:
    found = pc.extract_regex(text, by.pattern) if by.fields else None
    if found is None:
        raise ValueError(f"the format {by.format!r} has no directive, such as %Y")
    matched = np.asarray(pc.is_valid(found))
    fields = _Fields(found, by.fields)
    clock = fields.clock()
    wrong = (~matched | impossible(*clock) | fields.out_of_range()) & np.asarray(pc.is_valid(text))
    if strict and wrong.any():
        value = text[int(np.argmax(wrong))].as_py()
        raise ValueError(f"{value!r} is no time of the format {by.format!r}")
    fine = ~wrong & matched
    filled = [np.where(fine, part, default) for part, default in zip(clock, _EPOCH, strict=True)]
    year, month, day, hour, minute, second = filled
    micros = assemble(year, month, day, hour, minute, second, fine)
    micros += fields.days_more() - fields.offset()
    return pa.array(micros, pa.int64(), mask=~fine).cast(MICROS)


_EPOCH = (1970, 1, 1, 0, 0, 0)


class _Fields:
    """The groups of a match as integers, one array for each."""

    def __init__(self, found: pa.Array, names: frozenset[str]) -> None:
        self.found = found
        self.names = names
        self.rows = len(found)

    def clock(self) -> tuple[np.ndarray, ...]:
        """Year, month, day, hour, minute and microseconds."""
        hour = self._number("hour", 0)
        if "half_hour" in self.names:
            hour = self._number("half_hour", 12) % 12
            hour = hour + 12 * self._is("half", "pm")
        micros = self._number("second", 0) * 1_000_000 + self._fraction()
        return self._year(), self._month(), self._number("day", 1), hour, self._minute(), micros

    def out_of_range(self) -> np.ndarray:
        """Which rows have a number that the other checks don't see."""
        wrong = np.zeros(self.rows, dtype=bool)
        if "half_hour" in self.names:
            half = self._number("half_hour", 12)
            wrong |= (half < 1) | (half > 12)
        if "day_of_year" in self.names:
            year, day = self._year(), self._number("day_of_year", 1)
            leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
            wrong |= (day < 1) | (day > 365 + leap)
        return wrong

    def days_more(self) -> np.ndarray:
        """What a day of the year adds to January 1st, in µs."""
        return (self._number("day_of_year", 1) - 1) * 86_400_000_000

    def offset(self) -> np.ndarray:
        """What the zone is ahead of UTC, in µs."""
        if "zone" not in self.names:
            return np.zeros(self.rows, dtype=np.int64)
        zone = pc.replace_substring(pc.struct_field(self.found, "zone"), ":", "")
        zone = pc.if_else(pc.equal(zone, "Z"), "+0000", zone)
        digits = pc.utf8_rpad(pc.utf8_slice_codeunits(zone, 1), 4, "0")
        hours = _integers(pc.utf8_slice_codeunits(digits, 0, 2), 0)
        minutes = _integers(pc.utf8_slice_codeunits(digits, 2, 4), 0)
        sign = np.where(_true(pc.starts_with(zone, "-")), -1, 1)
        return sign * (hours * 60 + minutes) * 60_000_000

    def _year(self) -> np.ndarray:
        if "short_year" in self.names:
            short = self._number("short_year", 70)
            return np.where(short < 69, 2000 + short, 1900 + short)
        return self._number("year", 1900)

    def _month(self) -> np.ndarray:
        if "month_name" not in self.names:
            return self._number("month", 1)
        short = pc.utf8_slice_codeunits(
            pc.utf8_lower(pc.struct_field(self.found, "month_name")), 0, 3
        )
        place = pc.index_in(short, pa.array([name[:3] for name in _MONTHS]))
        return np.asarray(pc.fill_null(place, 0)).astype(np.int64) + 1

    def _minute(self) -> np.ndarray:
        return self._number("minute", 0)

    def _fraction(self) -> np.ndarray:
        if "fraction" not in self.names:
            return np.zeros(self.rows, dtype=np.int64)
        digits = pc.struct_field(self.found, "fraction")
        return _integers(pc.utf8_slice_codeunits(pc.utf8_rpad(digits, 6, "0"), 0, 6), 0)

    def _is(self, name: str, value: str) -> np.ndarray:
        if name not in self.names:
            return np.zeros(self.rows, dtype=np.int64)
        return _true(pc.equal(pc.utf8_lower(pc.struct_field(self.found, name)), value)).astype(
            np.int64
        )

    def _number(self, name: str, default: int) -> np.ndarray:
        if name not in self.names:
            return np.full(self.rows, default, dtype=np.int64)
        return _integers(pc.utf8_trim_whitespace(pc.struct_field(self.found, name)), default)


def _integers(digits: pa.Array, default: int) -> np.ndarray:
    return np.asarray(pc.fill_null(pc.cast(digits, pa.int64()), default))


def _true(values: pa.Array) -> np.ndarray:
    return np.asarray(pc.fill_null(values, False))
