"""Paths that follow the time of the rows: ``${year}/${month}/${day}/orders-${hour}.jsonl``.

The names are those of `_DIGITS`. A path is made for each bucket of time that a batch has rows of,
not for each row. Timestamps without a zone count as UTC, as in Arrow's casts; dates are days of
whatever zone they were meant in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.errors import BadRecordError, ConfigurationError, SchemaError

PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")

_DIGITS = {"year": 4, "month": 2, "day": 2, "hour": 2, "minute": 2}
_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}
_TICKS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_FIRST, _END = "0001-01-01", "10000-01-01"


def check_template(text: str) -> None:
    """Raises `ConfigurationError` for names that mean nothing."""
    for name in PLACEHOLDER.findall(text):
        if name not in _DIGITS:
            close = get_close_matches(name.lower(), _DIGITS, 1)
            hint = f"; did you mean ${{{close[0]}}}?" if close else ""
            raise ConfigurationError(
                f"{text}: ${{{name}}} in a path is none of {', '.join(_DIGITS)}{hint} Folders by "
                "the values of a column are made by partition_by=COLUMN"
            )


def patterns(text: str) -> list[re.Pattern[str]]:
    """For each level of a template, the names that it can give."""
    return [_pattern(level) for level in text.strip("/").split("/")]


def _pattern(level: str) -> re.Pattern[str]:
    between = PLACEHOLDER.split(level)
    between[::2] = map(re.escape, between[::2])
    between[1::2] = (f"[0-9]{{{_DIGITS[name]}}}" for name in between[1::2])
    return re.compile("".join(between))


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """A template (relative, without a slash at its end) and the column that fills it."""

    text: str
    column: str
    zone: str

    @property
    def finest(self) -> str:
        """The unit of the buckets: minute, hour or day."""
        used = set(PLACEHOLDER.findall(self.text))
        return next((unit for unit in ("minute", "hour") if unit in used), "day")

    def encoded(self, records: pa.RecordBatch) -> tuple[Any, list[str]]:
        """For each row the index of its path, and the paths.

        Raises `SchemaError` where the column is missing or holds no time, and `BadRecordError`
        where it is null or out of the years 1 to 9999.
        """
        ticks, resolution = self._ticks(records)
        buckets = ticks // (_SECONDS[self.finest] * resolution)
        codes, distinct = _coded(buckets)
        self._check_years(buckets, distinct)
        paths = list(self._paths(distinct))
        known = {path: at for at, path in enumerate(dict.fromkeys(paths))}
        if len(known) == len(paths):
            return codes, paths
        return np.array([known[path] for path in paths], np.int64)[codes], list(known)

    # ── from the column to buckets ──────────────────────────────────────────────────────────

    def _ticks(self, records: pa.RecordBatch) -> tuple[Any, int]:
        """Local time since 1970 as integers, and how many of them are a second."""
        column = self._checked(records)
        if pa.types.is_date(column.type):
            return column.cast(pa.timestamp("s")).view(pa.int64()).to_numpy(), 1
        unit = column.type.unit
        if self.zone != "UTC":
            try:
                column = pc.local_timestamp(column.cast(pa.timestamp(unit, self.zone)))
            except pa.ArrowException as error:
                raise SchemaError(
                    f"zone={self.zone}: this machine has no such time zone ({error}); install "
                    "the tz database (Debian: tzdata), or leave zone out for UTC"
                ) from error
        return column.view(pa.int64()).to_numpy(), _TICKS[unit]

    def _checked(self, records: pa.RecordBatch) -> pa.Array:
        at = records.schema.get_field_index(self.column)
        if at < 0:
            raise SchemaError(
                f"event_time: there is no column {self.column!r} (or two of them); the rows have "
                f"{', '.join(records.schema.names)}"
            )
        column = records.column(at)
        day = pa.types.is_date(column.type)
        if not day and not pa.types.is_timestamp(column.type):
            raise SchemaError(
                f"event_time: column {self.column!r} is {column.type}, and the path needs a "
                "timestamp or a date; cast it before"
            )
        if day and self.finest != "day":
            raise SchemaError(
                f"event_time: column {self.column!r} holds days, which have no "
                f"${{{self.finest}}}; leave that out of the path, or name a timestamp"
            )
        if column.null_count:
            self._refuse("null", int(pc.index(column.is_null(), True).as_py()))
        return column

    def _check_years(self, buckets: Any, distinct: Any) -> None:
        seconds = _SECONDS[self.finest]
        first, end = (
            int(np.datetime64(day, "s").astype(np.int64)) // seconds for day in (_FIRST, _END)
        )
        if len(distinct) and (distinct.min() < first or distinct.max() >= end):
            self._refuse(
                "outside of the years 1 to 9999",
                int(np.argmax((buckets < first) | (buckets >= end))),
            )

    def _refuse(self, what: str, row: int) -> None:
        raise BadRecordError(
            f"event_time: {self.column!r} is {what}, and the path {self.text} is made of it",
            "no event time",
            row,
        )

    def _paths(self, buckets: Any) -> Iterator[str]:
        times = (buckets * _SECONDS[self.finest]).astype("datetime64[s]")
        years, months, days, hours = (times.astype(f"datetime64[{unit}]") for unit in "YMDh")
        values = {
            "year": years.astype(np.int64) + 1970,
            "month": (months - years).astype(np.int64) + 1,
            "day": (days - months).astype(np.int64) + 1,
            "hour": (hours - days).astype(np.int64),
            "minute": (times.astype("datetime64[m]") - hours).astype(np.int64),
        }
        for at in range(len(times)):
            yield PLACEHOLDER.sub(
                lambda found, at=at: f"{values[found[1]][at]:0{_DIGITS[found[1]]}d}",  # type: ignore[misc]
                self.text,
            )


def _coded(buckets: Any) -> tuple[Any, Any]:
    """For each row the index of its bucket, and the buckets; linear where they are close to one
    another, as they are in a stream."""
    if not len(buckets):
        return buckets, buckets
    first, last = int(buckets.min()), int(buckets.max())
    if first == last:
        return np.zeros(len(buckets), np.int64), buckets[:1]
    if last - first > max(len(buckets), 1 << 16):
        distinct, codes = np.unique(buckets, return_inverse=True)
        return codes, distinct
    there = np.zeros(last - first + 1, bool)
    there[buckets - first] = True
    return (np.cumsum(there) - 1)[buckets - first], np.flatnonzero(there) + first
