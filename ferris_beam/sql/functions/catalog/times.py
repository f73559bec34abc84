"""Functions that reckon with dates and timestamps. Without a time zone named, all is UTC."""

from __future__ import annotations

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.functions import typed_calls
from ferris_beam.sql.functions.define import Render, as_micros, category, engine, over
from ferris_beam.sql.functions.vectorised import calendar, intervals, truncation

_time = category("dates and times")
_TEXT, _INTEGER, _MICROS = pa.string(), pa.int64(), calendar.MICROS
_TS = "TIMESTAMP '2026-03-29 10:15:30.5'"


def _difference(name: str) -> Render:
    return lambda part, start, end: engine(name, part, as_micros(start), as_micros(end))


def _datediff(*given: exp.Expression) -> exp.Expression:
    """Two arguments are MySQL's, Spark's and Flink's: days from the second to the first."""
    if len(given) == 2:
        return engine("date_diff", "day", as_micros(given[1]), as_micros(given[0]))
    return _difference("date_diff")(*given)


def _moved(operator: type[exp.Binary]) -> Render:
    return lambda time, interval: exp.paren(operator(this=exp.paren(time), expression=interval))


def _date_sub(*given: exp.Expression) -> exp.Expression:
    if len(given) == 2:
        return _moved(exp.Sub)(*given)
    return _difference("date_sub")(*given)


def _last_day(time: exp.Expression) -> exp.Expression:
    month = engine("date_trunc_micros", "month", as_micros(time))
    moved = exp.paren(exp.Add(this=month, expression=_interval(1, "month")))
    before = exp.paren(exp.Sub(this=moved, expression=_interval(1, "day")))
    return exp.cast(before, "date")


def _interval(count: int, unit: str) -> exp.Expression:
    return exp.Interval(this=exp.Literal.string(str(count)), unit=exp.Var(this=unit.upper()))


def _time_bucket(
    width: exp.Expression, time: exp.Expression, origin: exp.Expression | None = None
) -> exp.Expression:
    start = exp.Literal.string("2000-01-03T00:00:00") if origin is None else origin
    return engine("date_bin", width, as_micros(time), as_micros(start))


def _timezone(zone: exp.Expression, time: exp.Expression) -> exp.Expression:
    return exp.paren(exp.AtTimeZone(this=exp.paren(time), zone=zone))


FUNCTIONS = (
    _time(
        "last_day(time)",
        "The last day of the month.",
        (f"last_day({_TS})", "2026-03-31"),
        render=_last_day,
    ),
    _time(
        "date_trunc(part, time[, zone])",
        "The start of the unit (microsecond … year, decade, century, millennium) that holds the "
        "time, in the calendar of the zone.",
        (f"date_trunc('hour', {_TS})", "2026-03-29 10:00:00"),
        by_type=typed_calls.date_trunc,
        ours=over(truncation.date_trunc, _TEXT, _MICROS, _MICROS),
        engine="date_trunc_micros",
        aliases=("datetrunc",),
    ),
    _time(
        "date_bin(width, time[, origin])",
        "The start of the stretch of this width that holds the time, counted from the origin "
        "(1970-01-01).",
        (f"date_bin(INTERVAL '15' MINUTE, {_TS})", "2026-03-29 10:15:00"),
    ),
    _time(
        "time_bucket(width, time[, origin])",
        "date_bin counted from 2000-01-03, a Monday.",
        (f"time_bucket(INTERVAL '7' DAY, {_TS})", "2026-03-23 00:00:00"),
        render=_time_bucket,
    ),
    _time(
        "date_diff([part, ]start, end)",
        "How many borders of the unit lie between both (of weeks: a seventh of the days'). "
        "datediff(end, start) counts days.",
        ("date_diff('month', DATE '2026-01-31', DATE '2026-02-01')", "1"),
        ("datediff(DATE '2026-02-01', DATE '2026-01-31')", "1"),
        render=_datediff,
        ours=over(calendar.date_diff, _TEXT, _MICROS, _MICROS, _INTEGER),
        aliases=("datediff",),
    ),
    _time(
        "date_sub([part, ]start, end)",
        "How many whole units lie between both. date_sub(time, interval): earlier.",
        ("date_sub('month', DATE '2026-01-31', DATE '2026-02-01')", "0"),
        ("date_sub(DATE '2026-02-01', INTERVAL '1' DAY)", "2026-01-31 00:00:00"),
        render=_date_sub,
        ours=over(calendar.date_sub, _TEXT, _MICROS, _MICROS, _INTEGER),
        aliases=("datesub", "timestampdiff"),
    ),
    _time(
        "date_add(time, interval)",
        "A later time.",
        ("date_add(DATE '2026-01-31', INTERVAL '1' MONTH)", "2026-02-28 00:00:00"),
        render=_moved(exp.Add),
    ),
    *(
        _time(
            f"to_{unit}s(count)",
            f"An interval of so many {unit}s.",
            (f"DATE '2026-01-31' + to_{unit}s(1)", result),
            ours=over(intervals.of(unit), _INTEGER, intervals.INTERVAL),
        )
        for unit, result in (
            ("year", "2027-01-31 00:00:00"),
            ("month", "2026-02-28 00:00:00"),
            ("week", "2026-02-07 00:00:00"),
            ("day", "2026-02-01 00:00:00"),
            ("hour", "2026-01-31 01:00:00"),
            ("minute", "2026-01-31 00:01:00"),
            ("second", "2026-01-31 00:00:01"),
            ("millisecond", "2026-01-31 00:00:00.001000"),
            ("microsecond", "2026-01-31 00:00:00.000001"),
        )
    ),
    _time(
        "micros_of(time)",
        "A time as a timestamp in UTC.",
        by_type=typed_calls.micros,
        internal=True,
    ),
    _time(
        "timezone(zone, time)",
        "A timestamp in a time zone, also written time AT TIME ZONE zone.",
        (
            "timezone('Europe/Berlin', TIMESTAMPTZ '2026-03-29 10:15:30+00')",
            "2026-03-29 12:15:30",
        ),
        render=_timezone,
    ),
    _time(
        "to_local_time(time)",
        "A timestamp with time zone as its zone's clock shows it.",
        ("to_local_time(TIMESTAMPTZ '2026-03-29 10:15:30+00')", "2026-03-29 10:15:30"),
    ),
)
