"""Which windows a query asks for."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from ferris_beam.sql.aggregation.windows.calendar import DAY, HOUR, CalendarWindows
from ferris_beam.sql.aggregation.windows.fixed import FixedWindows
from ferris_beam.sql.aggregation.windows.sessions import Sessions
from ferris_beam.sql.nodes import Duration, Window
from ferris_beam.sql.text import SqlText

Windows = FixedWindows | CalendarWindows | Sessions

_WEEK = 7 * DAY
_MONDAY = 10_959 * DAY
"""3 January 2000: where weeks are counted from (as DuckDB does)."""
_QUARTER = HOUR // 4
"""The offset of every zone is a multiple of this."""


def windows_of(window: Window, text: SqlText | None = None) -> Windows:
    """Raises `SqlError` for lengths that make no windows."""
    text = text or SqlText("")
    if window.kind == "session":
        return Sessions(_fixed(window, window.gap, "gap", text))
    for length, what in ((window.size, "size"), (window.slide, "slide")):
        if length.months < 0 or length.micros < 0 or length == Duration():
            raise text.error(f"the {what} of a window must be more than nothing", window.time)
        if length.months and length.micros:
            raise text.error(
                f"the {what} of a window is months or a fixed length, not both", window.time
            )
    offset = _with_weeks(window)
    by_calendar = window.size.months or window.slide.months or offset.months
    if by_calendar or (_zone(window, text) != "UTC" and _QUARTER % window.slide.micros):
        return CalendarWindows(window.size, window.slide, offset, _zone(window, text))
    return FixedWindows(window.size.micros, window.slide.micros, offset.micros)


def _fixed(window: Window, length: Duration, what: str, text: SqlText) -> int:
    if length.months or length.micros <= 0:
        raise text.error(f"the {what} of a session is a fixed length above zero", window.time)
    return length.micros


def _with_weeks(window: Window) -> Duration:
    """Whole weeks begin on Monday."""
    slide, offset = window.slide, window.offset
    if slide.months or slide.micros % _WEEK:
        return offset
    return Duration(offset.months, (offset.micros + _MONDAY) % slide.micros)


def _zone(window: Window, text: SqlText) -> str:
    zone = window.zone or "UTC"
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise text.error(f"there is no time zone {zone!r}", window.time) from None
    return "UTC" if zone.upper() in ("UTC", "Z", "ETC/UTC", "GMT") else zone
