"""Differences of timestamps (µs, without time zone) in units of the calendar."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.sql.functions.vectorised.groups import per_value

MICROS = pa.timestamp("us")
FIXED = {
    "microsecond": 1,
    "millisecond": 1_000,
    "second": 1_000_000,
    "minute": 60_000_000,
    "hour": 3_600_000_000,
    "day": 86_400_000_000,
    "week": 604_800_000_000,
}
MONTHS = {
    "month": 1,
    "quarter": 3,
    "year": 12,
    "decade": 120,
    "century": 1200,
    "millennium": 12000,
}
_SPELLINGS = {
    "us": "microsecond", "usec": "microsecond", "microseconds": "microsecond",
    "ms": "millisecond", "msec": "millisecond", "milliseconds": "millisecond",
    "s": "second", "sec": "second", "seconds": "second",
    "m": "minute", "min": "minute", "minutes": "minute",
    "h": "hour", "hr": "hour", "hours": "hour",
    "d": "day", "days": "day", "dayofmonth": "day",
    "w": "week", "weeks": "week",
    "mon": "month", "mons": "month", "months": "month",
    "quarters": "quarter",
    "y": "year", "yr": "year", "yrs": "year", "years": "year",
    "decades": "decade", "centuries": "century", "c": "century", "millennia": "millennium",
}  # fmt: skip
_DAY = FIXED["day"]


def unit(part: str) -> str:
    """The unit that ``part`` spells; ValueError where there is none."""
    name = part.lower()
    name = _SPELLINGS.get(name, name)
    if name not in FIXED and name not in MONTHS:
        known = ", ".join([*FIXED, *MONTHS])
        raise ValueError(f"there is no unit of time {part!r}; there are {known}")
    return name


def date_diff(part: pa.Array, start: pa.Array, end: pa.Array) -> pa.Array:
    """How many borders of the unit lie between start and end (negative if end is before).

    Of weeks it is a seventh of the days' borders, wherever Mondays are: as DuckDB counts.
    """
    return per_value(part, pa.int64(), lambda one, *both: _borders(unit(one), *both), start, end)


def date_sub(part: pa.Array, start: pa.Array, end: pa.Array) -> pa.Array:
    """How many whole units lie between start and end (negative if end is before)."""
    return per_value(part, pa.int64(), lambda one, *both: _whole(unit(one), *both), start, end)


def _borders(name: str, start: pa.Array, end: pa.Array) -> pa.Array:
    if name == "week":
        return _over_integers(lambda a, b: _truncated(b // _DAY - a // _DAY, 7), start, end)
    if name in FIXED:
        size = FIXED[name]
        return _over_integers(lambda a, b: b // size - a // size, start, end)
    months = MONTHS[name]
    return _over_months(lambda a, b: b // months - a // months, start, end)


def _whole(name: str, start: pa.Array, end: pa.Array) -> pa.Array:
    if name in FIXED:
        return _over_integers(lambda a, b: _truncated(b - a, FIXED[name]), start, end)
    earlier, later = pc.min_element_wise(start, end), pc.max_element_wise(start, end)
    months = _over_months(lambda a, b: b - a, earlier, later)
    too_many = pc.greater(_add_months(earlier, months), later)
    months = pc.subtract(months, pc.cast(too_many, pa.int64()))
    signed = pc.if_else(pc.greater(start, end), pc.negate(months), months)
    numbers, missing = _numbers(signed)
    return _array(_truncated(numbers, MONTHS[name]), missing | _missing(start) | _missing(end))


def _truncated(values: np.ndarray, divisor: int) -> np.ndarray:
    return np.sign(values) * (np.abs(values) // divisor)


def _over_integers(
    run: Callable[[np.ndarray, np.ndarray], np.ndarray], start: pa.Array, end: pa.Array
) -> pa.Array:
    first, no_first = _numbers(start.cast(pa.int64()))
    last, no_last = _numbers(end.cast(pa.int64()))
    return _array(run(first, last), no_first | no_last)


def _over_months(
    run: Callable[[np.ndarray, np.ndarray], np.ndarray], start: pa.Array, end: pa.Array
) -> pa.Array:
    """``run`` over months since year 0."""
    first, no_first = _numbers(start.cast(pa.int64()))
    last, no_last = _numbers(end.cast(pa.int64()))
    return _array(run(_months(first), _months(last)), no_first | no_last)


def _months(micros: np.ndarray) -> np.ndarray:
    return micros.view("datetime64[us]").astype("datetime64[M]").astype(np.int64) + 1970 * 12


def _add_months(times: pa.Array, months: pa.Array) -> pa.Array:
    """The same day and time so many months later, or the month's last day if there is none."""
    micros, missing = _numbers(times.cast(pa.int64()))
    count, _ = _numbers(months)
    exact = micros.view("datetime64[us]")
    days = exact.astype("datetime64[D]")
    month = days.astype("datetime64[M]")
    target = month + count
    length = (target + 1).astype("datetime64[D]") - target.astype("datetime64[D]")
    day = np.minimum(days - month.astype("datetime64[D]"), length - np.timedelta64(1, "D"))
    moved = (target.astype("datetime64[D]") + day).astype("datetime64[us]") + (exact - days)
    return _array(moved.view(np.int64), missing).cast(times.type)


def _numbers(values: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Integers, with 0 for NULL, and where NULL was."""
    return np.asarray(pc.fill_null(values, 0)).copy(), _missing(values)


def _missing(values: pa.Array) -> np.ndarray:
    return np.asarray(pc.is_null(values))


def _array(values: np.ndarray, missing: np.ndarray) -> pa.Array:
    return pa.array(values, pa.int64(), mask=missing)


def since_epoch(times: pa.Array, unit: int) -> pa.Array:
    """How many whole units of so many µs lie between 1970 and each time, rounded down."""
    numbers, missing = _numbers(times.cast(pa.int64()))
    return _array(numbers // unit, missing)


def duration_part(part: pa.Array, micros: pa.Array) -> pa.Array:
    """A part of durations in µs: whole days, and the clock of what is left, each with the sign."""
    return per_value(part, pa.int64(), _duration_part, micros)


def _duration_part(name: str, micros: pa.Array) -> pa.Array:
    numbers, missing = _numbers(micros)
    sign, size = np.sign(numbers), np.abs(numbers)
    if name in ("day", "week"):
        return _array(sign * (size // FIXED[name]), missing)
    within = {"hour": _DAY, "minute": FIXED["hour"]}.get(name, FIXED["minute"])
    if name not in ("hour", "minute", "second", "millisecond", "microsecond"):
        raise ValueError(f"what lies between two timestamps has no {name}")
    return _array(sign * (size % within // FIXED[name]), missing)


def make_timestamp(
    year: pa.Array,
    month: pa.Array,
    day: pa.Array,
    hour: pa.Array,
    minute: pa.Array,
    second: pa.Array,
) -> pa.Array:
    """A timestamp of its parts, the seconds with up to six places; ValueError for no such time."""
    parts = [_numbers(values) for values in (year, month, day, hour, minute)]
    missing = np.logical_or.reduce([absent for _, absent in parts] + [_missing(second)])
    years, months, days, hours, minutes = (numbers for numbers, _ in parts)
    micros = np.rint(np.asarray(pc.fill_null(second, 0.0)) * 1e6).astype(np.int64)
    result = assemble(years, months, days, hours, minutes, micros, ~missing)
    return _array(result, missing).cast(MICROS)


def assemble(
    years: np.ndarray,
    months: np.ndarray,
    days: np.ndarray,
    hours: np.ndarray,
    minutes: np.ndarray,
    micros: np.ndarray,
    checked: np.ndarray,
) -> np.ndarray:
    """Microseconds since the epoch; ValueError where a checked row is no time of the calendar."""
    wrong = impossible(years, months, days, hours, minutes, micros) & checked
    if wrong.any():
        place = int(np.argmax(wrong))
        shown = f"{years[place]}-{months[place]}-{days[place]} {hours[place]}:{minutes[place]}"
        raise ValueError(f"there is no time {shown}:{micros[place] / 1e6:g}")
    month = (years - 1970) * 12 + months - 1
    first = month.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    seconds = ((first + days - 1) * 24 + hours) * 60 + minutes
    return seconds * 60_000_000 + micros


def impossible(
    years: np.ndarray,
    months: np.ndarray,
    days: np.ndarray,
    hours: np.ndarray,
    minutes: np.ndarray,
    micros: np.ndarray,
) -> np.ndarray:
    """Which rows are no time between the years 1 and 9999."""
    fine = (years >= 1) & (years <= 9999) & (months >= 1) & (months <= 12)
    month = np.where(fine, (years - 1970) * 12 + months - 1, 0).astype("datetime64[M]")
    length = (month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")
    fine &= (days >= 1) & (days <= length.astype(np.int64))
    fine &= (hours >= 0) & (hours < 24) & (minutes >= 0) & (minutes < 60)
    return ~(fine & (micros >= 0) & (micros < 60_000_000))
