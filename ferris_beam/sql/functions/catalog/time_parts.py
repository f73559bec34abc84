"""The time of the query, and parts of dates and timestamps, in UTC."""

from __future__ import annotations

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.functions import time_parts
from ferris_beam.sql.functions.define import Render, as_micros, category, engine, over
from ferris_beam.sql.functions.definition import Vectorised
from ferris_beam.sql.functions.vectorised import calendar

_time = category("dates and times")
_TEXT, _INTEGER, _MICROS = pa.string(), pa.int64(), calendar.MICROS
_TS = "TIMESTAMP '2026-03-29 10:15:30.5'"


def _of_micros(name: str) -> Render:
    return lambda time: engine(name, as_micros(time))


def _epoch(units: int) -> Vectorised:
    """Whole units since 1970, those before it counted downwards."""
    return over(lambda times: calendar.since_epoch(times, units), _MICROS, _INTEGER)


def _yearweek(time: exp.Expression) -> exp.Expression:
    year = exp.cast(engine("date_part", "isoyear", time), "bigint")
    week = exp.cast(engine("date_part", "week", time.copy()), "bigint")
    return exp.paren(
        exp.Add(this=exp.Mul(this=year, expression=exp.Literal.number(100)), expression=week)
    )


FUNCTIONS = (
    _time(
        "now()",
        "The time of the query, with time zone: the same for all rows.",
        ("now() > TIMESTAMPTZ '2020-01-01 00:00:00+00'", "true"),
        volatile=True,
        aliases=("current_timestamp", "get_current_timestamp", "transaction_timestamp"),
    ),
    _time(
        "localtimestamp()",
        "The time of the query in UTC, without time zone.",
        ("localtimestamp > TIMESTAMP '2020-01-01 00:00:00'", "true"),
        render=lambda: exp.cast(engine("now"), "timestamp"),
        volatile=True,
    ),
    _time(
        "current_date()",
        "The date of the query in UTC.",
        ("current_date() > DATE '2020-01-01'", "true"),
        volatile=True,
        aliases=("today",),
    ),
    _time(
        "current_time()",
        "The time of day of the query in UTC.",
        ("current_time() IS NOT NULL", "true"),
        volatile=True,
    ),
    _time(
        "date_part(part, time)",
        "A part as a number: year, quarter, month, week (ISO), day, hour, minute, second, "
        "millisecond, microsecond (both with the seconds), dow (Sunday 0), isodow (Sunday 7), doy, "
        "isoyear, decade, century, millennium, epoch (seconds, a DOUBLE). Also written "
        "EXTRACT(part FROM time).",
        (f"date_part('quarter', {_TS})", "1"),
        (f"extract(epoch FROM {_TS})", "1774779330.5"),
        by_type=time_parts.date_part,
        aliases=("datepart", "date_extract"),
    ),
    *(
        _time(
            f"{name}(time)",
            summary,
            (f"{name}({_TS})", result),
            by_type=time_parts.part(part),
            aliases=aliases,
        )
        for name, part, summary, result, aliases in (
            ("year", "year", "The year.", "2026", ()),
            ("quarter", "quarter", "The quarter, 1 … 4.", "1", ()),
            ("month", "month", "The month, 1 … 12.", "3", ()),
            ("week", "week", "The week of ISO 8601, 1 … 53.", "13", ("weekofyear",)),
            ("day", "day", "The day of the month.", "29", ("dayofmonth",)),
            ("dayofweek", "dow", "The day of the week, Sunday is 0.", "0", ("weekday",)),
            ("isodow", "isodow", "The day of the week, Monday is 1, Sunday 7.", "7", ()),
            ("dayofyear", "doy", "The day of the year.", "88", ()),
            ("isoyear", "isoyear", "The year that the week of ISO 8601 belongs to.", "2026", ()),
            ("hour", "hour", "The hour.", "10", ()),
            ("minute", "minute", "The minute.", "15", ()),
            ("second", "second", "The second, without its fraction.", "30", ()),
            ("millisecond", "millisecond", "The seconds in milliseconds.", "30500", ()),
            ("microsecond", "microsecond", "The seconds in microseconds.", "30500000", ()),
        )
    ),
    _time(
        "yearweek(time)",
        "Year and week of ISO 8601 as one number.",
        (f"yearweek({_TS})", "202613"),
        render=_yearweek,
    ),
    _time(
        "dayname(time)",
        "The name of the day.",
        (f"dayname({_TS})", "Sunday"),
        render=lambda time: engine("to_char", time, "%A"),
    ),
    _time(
        "monthname(time)",
        "The name of the month.",
        (f"monthname({_TS})", "March"),
        render=lambda time: engine("to_char", time, "%B"),
    ),
    _time(
        "epoch(time)",
        "Seconds since 1970-01-01 UTC, a DOUBLE.",
        (f"epoch({_TS})", "1774779330.5"),
        by_type=time_parts.part("epoch"),
    ),
    _time(
        "epoch_ms(time)",
        "Milliseconds since 1970-01-01 UTC.",
        (f"epoch_ms({_TS})", "1774779330500"),
        render=_of_micros("epoch_ms"),
        ours=_epoch(1000),
    ),
    _time(
        "epoch_us(time)",
        "Microseconds since 1970-01-01 UTC.",
        (f"epoch_us({_TS})", "1774779330500000"),
        render=_of_micros("epoch_us"),
        ours=_epoch(1),
    ),
    _time(
        "to_unixtime(time)",
        "Seconds since 1970-01-01 UTC, whole ones.",
        (f"to_unixtime({_TS})", "1774779330"),
        render=_of_micros("epoch_s"),
        engine="epoch_s",
        ours=_epoch(1_000_000),
        aliases=("unix_timestamp",),
    ),
    _time(
        "duration_part(part, micros)",
        "A part of what lies between two timestamps.",
        ours=over(calendar.duration_part, _TEXT, _INTEGER, _INTEGER),
        internal=True,
    ),
)
