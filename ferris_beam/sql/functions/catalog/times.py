"""Functions of dates and timestamps. Without a time zone named, everything is UTC."""

from __future__ import annotations

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.functions import typed_calls
from ferris_beam.sql.functions.define import Render, as_micros, category, engine, over
from ferris_beam.sql.functions.definition import Vectorised
from ferris_beam.sql.functions.formats import chrono, java, postgresql
from ferris_beam.sql.functions.vectorised import calendar, intervals, parsing, truncation

_time = category("dates and times")
_TEXT, _INTEGER, _MICROS = pa.string(), pa.int64(), calendar.MICROS
_UTC = 'Timestamp(Microsecond, Some("UTC"))'
_TS = "TIMESTAMP '2026-03-29 10:15:30.5'"


def _part(name: str) -> Render:
    return lambda time: exp.cast(engine("date_part", name, time), "bigint")


def _date_part(part: exp.Expression, time: exp.Expression) -> exp.Expression:
    """The engine knows no epoch in whole units, no decades; and its seconds lack the fraction."""
    if not isinstance(part, exp.Literal):
        raise ValueError("the part must be a text in quotes, such as 'year'")
    name = _PARTS.get(part.name.lower(), part.name.lower())
    if name in ("decade", "century", "millennium"):
        return _long_part(name, time)
    if name == "epoch":
        return engine("date_part", "epoch", time)
    return exp.cast(engine("date_part", name, time), "bigint")


_PARTS = {
    **dict.fromkeys(("dayofweek", "weekday", "dow"), "dow"),
    **dict.fromkeys(("dayofyear", "doy"), "doy"),
    **dict.fromkeys(("dayofmonth", "days"), "day"),
    **dict.fromkeys(("weekofyear", "weeks"), "week"),
    **dict.fromkeys(("milliseconds", "ms"), "millisecond"),
    **dict.fromkeys(("microseconds", "us"), "microsecond"),
    **dict.fromkeys(("decades",), "decade"),
}


def _long_part(name: str, time: exp.Expression) -> exp.Expression:
    """Centuries and millennia count from 1; a decade is the year divided by 10."""
    year = engine("date_part", "year", time)
    if name == "decade":
        return _floor_divided(year, 10, 0)
    return _floor_divided(year, 100 if name == "century" else 1000, 1)


def _floor_divided(year: exp.Expression, size: int, first: int) -> exp.Expression:
    shifted = exp.paren(exp.Sub(this=exp.cast(year, "double"), expression=_number(first)))
    return exp.paren(
        exp.Add(
            this=exp.cast(
                engine("floor", exp.Div(this=shifted, expression=_number(size))), "bigint"
            ),
            expression=_number(first),
        )
    )


def _number(value: int) -> exp.Expression:
    return exp.Literal.number(value)


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


def _of_micros(name: str) -> Render:
    return lambda time: engine(name, as_micros(time))


def _epoch(units: int) -> Vectorised:
    """Whole units since 1970, those before it counted downwards."""
    return over(lambda times: calendar.since_epoch(times, units), _MICROS, _INTEGER)


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


def _yearweek(time: exp.Expression) -> exp.Expression:
    year = exp.cast(engine("date_part", "isoyear", time), "bigint")
    week = exp.cast(engine("date_part", "week", time.copy()), "bigint")
    return exp.paren(exp.Add(this=exp.Mul(this=year, expression=_number(100)), expression=week))


def _timezone(zone: exp.Expression, time: exp.Expression) -> exp.Expression:
    return exp.paren(exp.AtTimeZone(this=exp.paren(time), zone=zone))


FUNCTIONS = (
    _time(
        "now()",
        "The time of the query, with time zone: the same for all rows.",
        ("now() > TIMESTAMPTZ '2020-01-01 00:00:00+00'", "true"),
        volatile=True,
        aliases=(
            "current_timestamp",
            "get_current_timestamp",
            "transaction_timestamp",
            "localtimestamp",
        ),
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
        render=_date_part,
        aliases=("datepart", "date_extract"),
    ),
    *(
        _time(
            f"{name}(time)",
            summary,
            (f"{name}({_TS})", result),
            render=_part(part),
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
    _time(
        "epoch(time)",
        "Seconds since 1970-01-01 UTC, a DOUBLE.",
        (f"epoch({_TS})", "1774779330.5"),
        render=lambda time: engine("date_part", "epoch", time),
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
        ours=over(parsing.strptime, _TEXT, _TEXT, _MICROS),
    ),
    _time(
        "try_strptime(text, format)",
        "A text of this format as a timestamp in UTC, another one as NULL.",
        ("try_strptime('today', '%Y-%m-%d')", "NULL"),
        ours=over(parsing.try_strptime, _TEXT, _TEXT, _MICROS),
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
        "to_time(text)",
        "A text as a time of day.",
        ("to_time('10:15:30')", "10:15:30"),
        render=lambda text: exp.cast(text, "time"),
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
