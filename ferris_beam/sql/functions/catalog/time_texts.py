"""Dates and timestamps of their parts, of numbers and texts, and as text."""

from __future__ import annotations

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.functions import typed_calls
from ferris_beam.sql.functions.define import Render, as_micros, category, engine, over
from ferris_beam.sql.functions.formats import chrono, java, postgresql
from ferris_beam.sql.functions.vectorised import calendar, parsing

_time = category("dates and times")
_TEXT, _INTEGER, _MICROS = pa.string(), pa.int64(), calendar.MICROS
_TS = "TIMESTAMP '2026-03-29 10:15:30.5'"


def _formatted(written: exp.Expression, spelling: object = None) -> exp.Expression:
    """The format as the engine spells it; one that isn't known before is taken as it is."""
    if not isinstance(written, exp.Literal) or not written.is_string:
        raise ValueError("the format must be a text in quotes, such as '%Y-%m-%d'")
    text = written.name
    return exp.Literal.string(chrono(spelling(text) if callable(spelling) else text))


def _strftime(time: exp.Expression, written: exp.Expression) -> exp.Expression:
    if isinstance(time, exp.Literal) and "%" in time.name:
        time, written = written, time
    return engine("to_char", time, _formatted(written))


def _to_char(time: exp.Expression, written: exp.Expression) -> exp.Expression:
    return engine("to_char", time, _formatted(written, postgresql))


def _date_format(time: exp.Expression, written: exp.Expression) -> exp.Expression:
    return engine("to_char", time, _formatted(written, java))


def _to_date(value: exp.Expression, written: exp.Expression | None = None) -> exp.Expression:
    if written is None:
        return exp.cast(value, "date")
    text = written.name if isinstance(written, exp.Literal) else ""
    return exp.cast(engine("strptime", value, postgresql(text) if text else written), "date")


def _from_units(unit: str) -> Render:
    return lambda value: as_micros(
        engine("arrow_cast", exp.cast(value, "bigint"), f"Timestamp({unit}, None)")
    )


FUNCTIONS = (
    _time(
        "make_date(year, month, day)",
        "A date of its parts.",
        ("make_date(2026, 2, 28)", "2026-02-28"),
    ),
    _time(
        "make_time(hour, minute, second)",
        "A time of day of its parts.",
        ("make_time(10, 15, 30)", "10:15:30"),
    ),
    _time(
        "make_timestamp(year, month, day, hour, minute, second)",
        "A timestamp of its parts.",
        ("make_timestamp(2026, 2, 28, 10, 15, 30.5)", "2026-02-28 10:15:30.500000"),
        ours=over(calendar.make_timestamp, *[_INTEGER] * 5, pa.float64(), _MICROS),
    ),
    _time(
        "make_timestamp_us(number)",
        "The timestamp so many microseconds after 1970-01-01.",
        ("make_timestamp_us(1774779330500000)", "2026-03-29 10:15:30.500000"),
        render=_from_units("Microsecond"),
        aliases=("to_timestamp_micros",),
    ),
    _time(
        "make_timestamp_ms(number)",
        "The timestamp so many milliseconds after 1970-01-01.",
        ("make_timestamp_ms(1774779330500)", "2026-03-29 10:15:30.500000"),
        render=_from_units("Millisecond"),
        aliases=("to_timestamp_millis", "to_timestamp_ms"),
    ),
    _time(
        "from_unixtime(number)",
        "The timestamp so many seconds after 1970-01-01.",
        ("from_unixtime(1774779330)", "2026-03-29 10:15:30"),
        render=_from_units("Second"),
        aliases=("to_timestamp_seconds",),
    ),
    _time(
        "to_timestamp(value[, format])",
        "A text (ISO 8601, or of a format as strptime or PostgreSQL write it) or seconds "
        "since 1970-01-01 as a timestamp with time zone.",
        ("to_timestamp(1774779330)", "2026-03-29 10:15:30+00:00"),
        ("to_timestamp('29.03.2026', 'DD.MM.YYYY')", "2026-03-29 00:00:00+00:00"),
        by_type=typed_calls.to_timestamp,
    ),
    _time(
        "to_date(text[, format])",
        "A text as a date.",
        ("to_date('29.03.2026', 'DD.MM.YYYY')", "2026-03-29"),
        render=_to_date,
    ),
    _time(
        "strftime(time, format)",
        "As text, by a format of C's strftime (%f: µs).",
        (f"strftime({_TS}, '%d.%m.%Y %H:%M:%S.%f')", "29.03.2026 10:15:30.500000"),
        render=_strftime,
    ),
    _time(
        "date_format(time, format)",
        "As text, by a format of strftime, or of Java (yyyy-MM-dd HH:mm:ss).",
        (f"date_format({_TS}, 'yyyy-MM-dd')", "2026-03-29"),
        render=_date_format,
    ),
    _time(
        "to_char(time, format)",
        "As text, by a format of PostgreSQL (YYYY-MM-DD HH24:MI:SS), or of strftime.",
        (f"to_char({_TS}, 'YYYY-MM-DD HH24:MI')", "2026-03-29 10:15"),
        render=_to_char,
    ),
    _time(
        "strptime(text, format)",
        "A text of this format as a timestamp in UTC; another text is an error.",
        ("strptime('29/Mar/2026 10:15', '%d/%b/%Y %H:%M')", "2026-03-29 10:15:00"),
        aliases=("date_parse",),
        ours=over(parsing.strptime, _TEXT, _TEXT, _MICROS),
    ),
    _time(
        "try_strptime(text, format)",
        "A text of this format as a timestamp in UTC, another one as NULL.",
        ("try_strptime('today', '%Y-%m-%d')", "NULL"),
        ours=over(parsing.try_strptime, _TEXT, _TEXT, _MICROS),
    ),
    _time(
        "to_time(text)",
        "A text as a time of day.",
        ("to_time('10:15:30')", "10:15:30"),
        render=lambda text: exp.cast(text, "time"),
    ),
)
