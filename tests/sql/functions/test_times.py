"""Dates and times against Python's datetime and DuckDB."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferris_beam.errors import BadRecordError, SqlError
from ferris_beam.sql.functions.formats import chrono, java, postgresql
from tests.sql.functions.running import in_duckdb, select

MICROS = pa.timestamp("us")
TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)) | st.datetimes(
    datetime(1969, 1, 1), datetime(2001, 1, 1)
).map(lambda time: time.replace(hour=0, minute=0, second=0, microsecond=0))
PAIRS = st.lists(st.tuples(TIMES | st.none(), TIMES), min_size=1, max_size=10)
UNITS = [
    *("microsecond", "millisecond", "second", "minute", "hour", "day", "week", "month"),
    *("quarter", "year", "decade", "century", "millennium"),
]
NEAR = st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1))


@pytest.mark.parametrize("unit", UNITS)
@given(pairs=PAIRS)
@settings(deadline=None, max_examples=10)
def test_differences_are_those_of_duckdb(
    unit: str, pairs: list[tuple[datetime | None, datetime]]
) -> None:
    start = pa.array([pair[0] for pair in pairs], MICROS)
    end = pa.array([pair[1] for pair in pairs], MICROS)
    rows = pa.table({"a": start, "b": end})
    for name in ("date_diff", "date_sub"):
        call = f"{name}('{unit}', a, b)"
        wanted = in_duckdb(rows, call)
        assert select(call, a=start, b=end).to_pylist() == wanted


@given(st.lists(NEAR, min_size=1, max_size=10))
@settings(deadline=None, max_examples=10)
def test_parts_are_those_of_duckdb(times: list[datetime]) -> None:
    column = pa.array(times, MICROS)
    rows = pa.table({"t": column})
    parts = [
        *("year", "quarter", "month", "week", "day", "dayofweek", "isodow", "dayofyear"),
        *("isoyear", "hour", "minute", "second", "millisecond", "microsecond", "dayname"),
        *("monthname", "last_day", "epoch_us", "yearweek"),
    ]
    for part in parts:
        wanted = in_duckdb(rows, f"{part}(t)")
        assert select(f"{part}(t)", t=column).to_pylist() == wanted, part
    for part in ("decade", "century", "millennium"):
        call = f"date_part('{part}', t)"
        wanted = in_duckdb(rows, call)
        assert select(call, t=column).to_pylist() == wanted, part


@given(st.lists(NEAR, min_size=1, max_size=10))
@settings(deadline=None, max_examples=10)
def test_whole_units_since_1970_are_rounded_down(times: list[datetime]) -> None:
    column = pa.array(times, MICROS)
    for function, unit in (
        ("epoch_ms", timedelta(milliseconds=1)),
        ("epoch_us", timedelta(microseconds=1)),
        ("to_unixtime", timedelta(seconds=1)),
    ):
        wanted = [(time - datetime(1970, 1, 1)) // unit for time in times]
        assert select(f"{function}(t)", t=column).to_pylist() == wanted


FORMATS = [
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%d/%b/%Y:%H:%M:%S",
    "%B %d, %Y %I:%M %p",
    "%Y%m%d",
    "%Y-%j",
    "%A %d.%m.%Y",
]


@pytest.mark.parametrize("written", FORMATS)
@given(times=st.lists(st.datetimes(datetime(1000, 1, 1)), min_size=1, max_size=10))
@settings(deadline=None, max_examples=10)
def test_formats_are_written_and_read_as_python_does(written: str, times: list[datetime]) -> None:
    column = pa.array(times, MICROS)
    texts = [time.strftime(written) for time in times]
    assert select(f"strftime(t, '{written}')", t=column).to_pylist() == texts
    read = select(f"strptime(s, '{written}')", s=pa.array(texts))
    assert read.to_pylist() == [datetime.strptime(text, written) for text in texts]


@given(st.lists(st.text("0123456789-: /abMar", max_size=12), min_size=1, max_size=10))
@settings(deadline=None)
def test_try_strptime_is_null_where_python_refuses(texts: list[str]) -> None:
    read = select("try_strptime(s, '%Y-%m-%d %H:%M')", s=pa.array(texts, pa.string()))
    assert read.to_pylist() == [_parsed(text) for text in texts]


def _parsed(text: str) -> datetime | None:
    try:
        return datetime.strptime(text.strip(" "), "%Y-%m-%d %H:%M")
    except ValueError:
        return None


@pytest.mark.parametrize("zone", ["Z", "+02:00", "-0330", "+05"])
def test_offsets_are_taken_off(zone: str) -> None:
    read = select("strptime(s, '%Y-%m-%d %H:%M%z')", s=pa.array([f"2026-01-31 10:00{zone}"]))
    minutes = {"Z": 0, "+02:00": 120, "-0330": -210, "+05": 300}[zone]
    assert read.to_pylist() == [datetime(2026, 1, 31, 10) - timedelta(minutes=minutes)]


def test_a_text_of_another_format_is_the_fault_of_its_row() -> None:
    with pytest.raises(BadRecordError, match="'2026-02-30' is no time of the format '%Y-%m-%d'"):
        select("strptime(s, '%Y-%m-%d')", s=pa.array(["2026-02-28", "2026-02-30"]))


def test_formats_may_differ_from_row_to_row() -> None:
    read = select(
        "strptime(s, f)",
        s=pa.array(["2026-01-31", "31.01.2026", None]),
        f=pa.array(["%Y-%m-%d", "%d.%m.%Y", "%Y"]),
    )
    assert read.to_pylist() == [datetime(2026, 1, 31)] * 2 + [None]


def test_units_may_differ_from_row_to_row() -> None:
    found = select(
        "date_diff(u, DATE '2026-01-31', DATE '2027-02-01')",
        u=pa.array(["year", "month", None, "days", "year"]),
    )
    assert found.to_pylist() == [1, 13, None, 366, 1]


def test_an_unknown_unit_is_named() -> None:
    with pytest.raises(BadRecordError, match="there is no unit of time 'fortnight'"):
        select("date_diff('fortnight', t, t)", t=pa.array([datetime(2026, 1, 1)], MICROS))


def test_differences_take_dates_zoned_times_and_texts_but_no_numbers() -> None:
    zoned = pa.array([datetime(2026, 1, 31, tzinfo=timezone.utc)], pa.timestamp("us", "UTC"))
    assert select("date_diff('day', t, '2026-02-02')", t=zoned).to_pylist() == [2]
    assert select("datediff(d, t)", t=zoned, d=pa.array([date(2026, 2, 1)])).to_pylist() == [1]
    with pytest.raises(SqlError, match="a date or a timestamp is needed here, not int64"):
        select("date_diff('day', n, n)", n=pa.array([1]))


@pytest.mark.parametrize(
    ("translate", "given_format", "expected"),
    [
        (postgresql, "YYYY-MM-DD HH24:MI:SS.MS", "%Y-%m-%d %H:%M:%S.%g"),
        (postgresql, 'DD"of"Mon', "%dof%b"),
        (postgresql, "%Y", "%Y"),
        (java, "dd.MM.yyyy HH:mm", "%d.%m.%Y %H:%M"),
        (java, "yyyy-MM-dd'T'HH", "%Y-%m-%dT%H"),
    ],
)
def test_formats_of_others(translate: object, given_format: str, expected: str) -> None:
    assert callable(translate)
    assert translate(given_format) == expected


@pytest.mark.parametrize("translate", [postgresql, java, chrono])
def test_a_format_that_is_not_known_is_refused(translate: object) -> None:
    assert callable(translate)
    with pytest.raises(ValueError, match=r"known here|doesn't know"):
        translate("%Q" if translate is chrono else "YYYY qqq")


def test_a_format_that_is_not_known_is_refused_with_a_caret() -> None:
    with pytest.raises(SqlError, match=r"strftime: %Q is no directive(.|\n)*\^"):
        select("strftime(TIMESTAMP '2026-01-31 00:00:00', '%Q')")


def test_truncation_in_a_time_zone() -> None:
    instant = pa.array(
        [datetime(2026, 3, 29, 22, 30, tzinfo=timezone.utc)], pa.timestamp("us", "UTC")
    )
    found = select("date_trunc('day', t, 'Europe/Berlin')", t=instant)[0].as_py()
    assert found == datetime(2026, 3, 29, 22, tzinfo=timezone.utc)


@given(st.lists(st.none() | st.integers(-(10**6), 10**6), min_size=1, max_size=8))
@settings(deadline=None, max_examples=10)
def test_intervals_of_columns(counts: list[int | None]) -> None:
    start = datetime(5000, 1, 1)
    found = select("TIMESTAMP '5000-01-01 00:00:00' + to_days(n)", n=pa.array(counts, pa.int64()))
    wanted = [None if n is None else start + timedelta(days=n) for n in counts]
    assert found.to_pylist() == wanted


def test_a_day_that_is_not_in_the_calendar_is_the_fault_of_its_row() -> None:
    with pytest.raises(BadRecordError, match="there is no time 2026-2-30 10:0:0"):
        select("make_timestamp(2026, 2, d, 10, 0, 0)", d=pa.array([28, 30]))


@pytest.mark.parametrize("unit", [*UNITS[:-2], "week"])
@given(times=st.lists(TIMES | st.none(), min_size=1, max_size=10))
@settings(deadline=None, max_examples=8)
def test_truncation_is_that_of_duckdb_in_all_years(unit: str, times: list[datetime | None]) -> None:
    column = pa.array(times, MICROS)
    rows = pa.table({"t": column})
    call = f"date_trunc('{unit}', t)"
    wanted = in_duckdb(rows, call)
    found = select(call, t=column)
    assert found.to_pylist() == wanted
    assert found.type == MICROS


@pytest.mark.parametrize(
    ("unit", "year", "expected"),
    [
        ("century", 2000, 1901),
        ("century", 2001, 2001),
        ("millennium", 2000, 1001),
        ("millennium", 2001, 2001),
        ("decade", 1999, 1990),
    ],
)
def test_centuries_start_as_in_postgresql(unit: str, year: int, expected: int) -> None:
    found = select(f"date_trunc('{unit}', d)", d=pa.array([date(year, 5, 5)]))
    assert found.to_pylist() == [datetime(expected, 1, 1)]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_zoned_times_are_truncated_in_their_zone(zone: str) -> None:
    instant = datetime(2026, 3, 29, 22, 30, tzinfo=timezone.utc)
    found = select("date_trunc('day', t)", t=pa.array([instant], pa.timestamp("us", zone)))
    assert found.type == pa.timestamp("us", zone)
    expected = datetime(2026, 3, 29, 0 if zone == "UTC" else 22, tzinfo=timezone.utc)
    assert found.cast(pa.timestamp("us", "UTC")).to_pylist() == [expected]


@given(st.lists(st.tuples(NEAR, NEAR), min_size=1, max_size=8))
@settings(deadline=None, max_examples=10)
def test_parts_of_what_lies_between_two_times(pairs: list[tuple[datetime, datetime]]) -> None:
    start = pa.array([pair[0] for pair in pairs], MICROS)
    end = pa.array([pair[1] for pair in pairs], MICROS)
    rows = pa.table({"a": start, "b": end})
    for part in ("day", "hour", "minute", "second", "millisecond", "microsecond"):
        call = f"date_part('{part}', b - a)"
        wanted = in_duckdb(rows, call)
        assert select(call, a=start, b=end).to_pylist() == wanted, part
    seconds = [(later - earlier) / timedelta(seconds=1) for earlier, later in pairs]
    found = select("extract(epoch FROM b - a)", a=start, b=end).to_pylist()
    assert found == pytest.approx(seconds, rel=1e-15)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1774779330", datetime(2026, 3, 29, 10, 15, 30)),
        ("1774779330.25", datetime(2026, 3, 29, 10, 15, 30, 250000)),
        ("-0.5e0", datetime(1969, 12, 31, 23, 59, 59, 500000)),
        ("253402300799", datetime(9999, 12, 31, 23, 59, 59)),
        ("'9999-12-31 10:00:00+02:00'", datetime(9999, 12, 31, 8)),
        ("DATE '9999-12-31'", datetime(9999, 12, 31)),
    ],
)
def test_timestamps_of_numbers_and_texts(value: str, expected: datetime) -> None:
    assert select(f"to_timestamp({value})")[0].as_py() == expected.replace(tzinfo=timezone.utc)


def test_a_part_that_is_not_there_is_refused() -> None:
    with pytest.raises(SqlError, match=r"a time has no part 'fortnight'(.|\n)*\^"):
        select("date_part('fortnight', t)", t=pa.array([datetime(2026, 1, 1)], MICROS))
