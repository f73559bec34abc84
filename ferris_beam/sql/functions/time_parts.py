"""Parts of dates, timestamps and of what lies between two of them, by their types."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.types as pt
from sqlglot import exp

from ferris_beam.sql.functions.define import engine
from ferris_beam.sql.functions.definition import ByType

Types = Sequence[pa.DataType]
_OTHER_NAMES = {
    **dict.fromkeys(("dayofweek", "weekday"), "dow"),
    "dayofyear": "doy",
    "dayofmonth": "day",
    "weekofyear": "week",
    "ms": "millisecond",
    "us": "microsecond",
    "centuries": "century",
    "millennia": "millennium",
}
_PLURALS = frozenset(
    [
        *("years", "quarters", "months", "weeks", "days", "hours", "minutes", "seconds"),
        *("milliseconds", "microseconds", "decades"),
    ]
)
_KNOWN = frozenset(
    [
        *("year", "quarter", "month", "week", "day", "hour", "minute", "second", "millisecond"),
        *("microsecond", "dow", "isodow", "doy", "isoyear", "decade", "century", "millennium"),
        "epoch",
    ]
)


def date_part(types: Types, part: exp.Expression, time: exp.Expression) -> exp.Expression:
    """``date_part('hour', time)``: a BIGINT, the epoch a DOUBLE."""
    if not isinstance(part, exp.Literal) or not part.is_string:
        raise ValueError("the part must be a text in quotes, such as 'year'")
    name = part.name.lower()
    name = _OTHER_NAMES.get(name[:-1] if name in _PLURALS else name, name)
    name = name[:-1] if name in _PLURALS else name
    if name not in _KNOWN:
        raise ValueError(f"a time has no part {part.name!r}; there are {', '.join(sorted(_KNOWN))}")
    if pt.is_duration(types[1]):
        return _of_duration(name, time)
    if name in ("decade", "century", "millennium"):
        return _long_part(name, time)
    if name == "epoch":
        return engine("date_part", "epoch", time)
    return exp.cast(engine("date_part", name, time), "bigint")


def part(name: str) -> ByType:
    """``year(time)`` and its like."""
    literal = exp.Literal.string(name)
    return lambda types, time: date_part((pa.string(), types[0]), literal, time)


def _of_duration(name: str, time: exp.Expression) -> exp.Expression:
    """What lies between two timestamps: days, and a time of less than a day. The engine would
    take hours without days, and drop the fraction of seconds."""
    micros = engine("arrow_cast", engine("arrow_cast", time, "Duration(Microsecond)"), "Int64")
    if name == "epoch":
        million = exp.cast(exp.Literal.number(1_000_000), "double")
        return exp.paren(exp.Div(this=exp.cast(micros, "double"), expression=million))
    return engine("duration_part", name, micros)


def _long_part(name: str, time: exp.Expression) -> exp.Expression:
    """Centuries and millennia count from 1; a decade is the year divided by 10."""
    year = engine("date_part", "year", time)
    if name == "decade":
        return _floor_divided(year, 10, 0)
    return _floor_divided(year, 100 if name == "century" else 1000, 1)


def _floor_divided(year: exp.Expression, size: int, first: int) -> exp.Expression:
    shifted = exp.paren(exp.Sub(this=exp.cast(year, "double"), expression=_number(first)))
    floor = engine("floor", exp.Div(this=shifted, expression=_number(size)))
    return exp.paren(exp.Add(this=exp.cast(floor, "bigint"), expression=_number(first)))


def _number(value: int) -> exp.Expression:
    number = exp.Literal.number(value)
    assert isinstance(number, exp.Expression)
    return number
