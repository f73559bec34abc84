"""Which windows an event belongs to, by its time in microseconds since 1970."""

from ferris_beam.sql.aggregation.windows.calendar import CalendarWindows
from ferris_beam.sql.aggregation.windows.choice import Windows, windows_of
from ferris_beam.sql.aggregation.windows.fixed import FixedWindows
from ferris_beam.sql.aggregation.windows.sessions import Sessions
from ferris_beam.sql.aggregation.windows.times import instants, micros_of

__all__ = [
    "CalendarWindows",
    "FixedWindows",
    "Sessions",
    "Windows",
    "instants",
    "micros_of",
    "windows_of",
]
