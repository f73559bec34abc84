"""Months, weeks and zones against Python's own calendar, hour by hour."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferris_beam.sql.aggregation.windows import CalendarWindows, FixedWindows, windows_of
from ferris_beam.sql.nodes import Duration, Window, column

UTC = timezone.utc
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = 3_600_000_000
_DAY = 24 * _HOUR
_BERLIN = ZoneInfo("Europe/Berlin")


def micros(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(microseconds=1)


def moment(time: int, zone: ZoneInfo | timezone = UTC) -> datetime:
    return (_EPOCH + timedelta(microseconds=time)).astimezone(zone)


def asked(
    size: Duration, slide: Duration | None = None, zone: str = "", **more: Duration
) -> Window:
    kind = "tumble" if slide is None else "hop"
    return Window(kind, column("t"), "s", "e", size=size, slide=slide or size, zone=zone, **more)  # type: ignore[arg-type]


def one(window: Window, time: int) -> tuple[int, int]:
    """The one window that holds ``time``."""
    windows = windows_of(window)
    assert isinstance(windows, (CalendarWindows, FixedWindows))
    rows, numbers = windows.assign(np.array([time]))
    places, starts = windows.windows(windows.starts(numbers))
    assert rows is None
    assert places is None
    return int(starts[0]), int(windows.ends(starts)[0])


_TIMES = st.integers(
    micros(datetime(1890, 1, 1, tzinfo=UTC)), micros(datetime(2037, 1, 1, tzinfo=UTC))
)


@settings(max_examples=200, deadline=None)
@given(_TIMES, st.sampled_from([1, 3, 12]), st.sampled_from(["", "Europe/Berlin"]))
def test_months_quarters_and_years(time: int, months: int, zone: str) -> None:
    start, end = one(asked(Duration(months), zone=zone), time)
    known = ZoneInfo(zone) if zone else UTC
    local = moment(time, known)
    first = local.month - (local.month - 1) % months
    border = datetime(local.year, first, 1)
    later = datetime(local.year + (first + months > 12), (first + months - 1) % 12 + 1, 1)
    assert start == micros(border.replace(tzinfo=known))
    assert end == micros(later.replace(tzinfo=known))
    assert start <= time < end


@settings(max_examples=100, deadline=None)
@given(_TIMES)
def test_weeks_begin_on_monday(time: int) -> None:
    start, end = one(asked(Duration(micros=7 * _DAY)), time)
    assert moment(start).weekday() == 0
    assert moment(start).time() == datetime.min.time()
    assert start <= time < end == start + 7 * _DAY


_CHANGES = [datetime(2024, 3, 31, 1, tzinfo=UTC), datetime(2024, 10, 27, 1, tzinfo=UTC)]
_AROUND = st.sampled_from(_CHANGES).flatmap(
    lambda change: st.integers(-30 * 3600, 30 * 3600).map(
        lambda seconds: micros(change) + seconds * 1_000_000
    )
)


@settings(max_examples=200, deadline=None)
@given(_AROUND)
def test_days_of_a_zone_have_23_to_25_hours(time: int) -> None:
    start, end = one(asked(Duration(micros=_DAY), zone="Europe/Berlin"), time)
    today = moment(time, _BERLIN).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    tomorrow = (today.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=_BERLIN)
    assert (start, end) == (micros(today), micros(tomorrow))


@settings(max_examples=200, deadline=None)
@given(_AROUND, st.sampled_from([_HOUR, _HOUR // 2, 2 * _HOUR, 6 * _HOUR]))
def test_hours_of_a_zone_follow_each_other_without_gap(time: int, size: int) -> None:
    window = asked(Duration(micros=size), zone="Europe/Berlin")
    start, end = one(window, time)
    assert start <= time < end
    local = moment(start, _BERLIN)
    within = (local.hour * 3600 + local.minute * 60) * 1_000_000
    skipped = moment(start - 1, _BERLIN).utcoffset() != local.utcoffset()
    assert within % size == 0 or skipped
    assert one(window, end)[0] == end
    assert one(window, end - 1) == (start, end)
    assert one(window, start) == (start, end)
    if size <= _HOUR:
        assert end - start == size


@settings(max_examples=100, deadline=None)
@given(_AROUND, st.sampled_from([(2 * _HOUR, _HOUR), (_DAY, 6 * _HOUR), (_HOUR, 2 * _HOUR)]))
def test_hop_in_a_zone_finds_all_windows(time: int, lengths: tuple[int, int]) -> None:
    size, slide = lengths
    window = asked(Duration(micros=size), Duration(micros=slide), zone="Europe/Berlin")
    windows = windows_of(window)
    assert isinstance(windows, CalendarWindows)
    rows, starts = windows.assign(np.array([time]))
    grid = {
        border
        for border in range(micros(_EPOCH) + (time // _HOUR - 60) * _HOUR, time + 1, _HOUR)
        if moment(border, _BERLIN).hour * _HOUR % slide == 0
        or (
            moment(border - 1, _BERLIN).utcoffset() != moment(border, _BERLIN).utcoffset()
            and moment(border, _BERLIN).hour == 3
            and 2 * _HOUR % slide == 0
        )
    }
    holding = {border for border in grid if border <= time < windows.ends(np.array([border]))[0]}
    assert sorted(starts.tolist()) == sorted(holding)
    assert rows is not None
    assert len(rows) == len(starts)


def test_months_that_slide_by_days() -> None:
    window = asked(Duration(1), Duration(micros=_DAY))
    windows = windows_of(window)
    assert isinstance(windows, CalendarWindows)
    time = micros(datetime(2024, 3, 1, 12, tzinfo=UTC))
    _, starts = windows.assign(np.array([time]))
    first, last = moment(int(starts.min())), moment(int(starts.max()))
    assert first == datetime(2024, 2, 2, tzinfo=UTC)
    assert last == datetime(2024, 3, 1, tzinfo=UTC)
    assert len(starts) == 29
    assert moment(int(windows.ends(np.array([micros(datetime(2024, 1, 31, tzinfo=UTC))]))[0])) == (
        datetime(2024, 2, 29, tzinfo=UTC)
    )


def test_fiscal_years_by_an_offset() -> None:
    window = asked(Duration(12), offset=Duration(months=3, micros=6 * _HOUR))
    start, end = one(window, micros(datetime(2024, 4, 1, 5, 59, tzinfo=UTC)))
    assert moment(start) == datetime(2023, 4, 1, 6, tzinfo=UTC)
    assert moment(end) == datetime(2024, 4, 1, 6, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu"])
def test_minutes_are_the_same_in_every_zone(zone: str) -> None:
    window = asked(Duration(micros=_HOUR // 12), zone=zone)
    assert isinstance(windows_of(window), FixedWindows)
