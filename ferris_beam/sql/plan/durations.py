"""Lengths of time, as INTERVAL and short strings write them."""

from __future__ import annotations

import re
from decimal import Decimal

from sqlglot import exp

from ferris_beam.sql.nodes import Duration
from ferris_beam.sql.plan.rewriting import unwrapped
from ferris_beam.sql.text import SqlText

_MICROS = {
    "microsecond": 1,
    "millisecond": 1_000,
    "second": 1_000_000,
    "minute": 60_000_000,
    "hour": 3_600_000_000,
    "day": 86_400_000_000,
    "week": 604_800_000_000,
}
_MONTHS = {"month": 1, "quarter": 3, "year": 12, "decade": 120, "century": 1200}
_SHORT = {
    "us": "microsecond",
    "µs": "microsecond",
    "ms": "millisecond",
    "s": "second",
    "sec": "second",
    "secs": "second",
    "m": "minute",
    "min": "minute",
    "mins": "minute",
    "h": "hour",
    "hr": "hour",
    "hrs": "hour",
    "d": "day",
    "w": "week",
    "mon": "month",
    "mons": "month",
    "y": "year",
    "yr": "year",
    "yrs": "year",
    "centuries": "century",
}
_PART = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*([A-Za-zµ]+)\s*,?")
_CLOCK = re.compile(r"\s*([+-]?)(\d+):(\d\d)(?::(\d\d(?:\.\d{1,6})?))?\s*")
_NUMBER = re.compile(r"\s*[+-]?\d+(\.\d+)?\s*")


def duration(expression: exp.Expression, text: SqlText) -> Duration:
    """The length that ``INTERVAL '1' HOUR``, ``INTERVAL '1 day 2 hours'`` or ``'5m'`` says.

    Raises `SqlError` for anything else.
    """
    inner = unwrapped(expression)
    if isinstance(inner, exp.Neg):
        length = duration(inner.this, text)
        return Duration(-length.months, -length.micros)
    found = _parsed(inner)
    if found is None:
        raise text.error(
            "this is no length of time", expression, "write one as INTERVAL '5' MINUTE or '5m'"
        )
    return found


def _parsed(inner: exp.Expression) -> Duration | None:
    if isinstance(inner, exp.Cast) and inner.to.is_type(exp.DataType.Type.INTERVAL):
        return _parsed(inner.this)
    if isinstance(inner, exp.Literal) and inner.is_string:
        return parse_duration(inner.name)
    if not isinstance(inner, exp.Interval) or inner.this is None:
        return None
    value, unit = _value(inner.this), inner.args.get("unit")
    if value is None:
        return None
    if unit is None:
        return parse_duration(value)
    if isinstance(unit, exp.Var) and _NUMBER.fullmatch(value):
        return parse_duration(f"{value} {unit.name}")
    return None


def _value(node: exp.Expression) -> str | None:
    inner = unwrapped(node)
    if isinstance(inner, exp.Neg):
        value = _value(inner.this)
        return None if value is None else f"-{value}"
    return str(inner.name) if isinstance(inner, exp.Literal) else None


def parse_duration(text: str) -> Duration | None:
    """The length of ``1 day 2 hours``, ``5m``, ``01:30:00``; None: it is none.

    >>> parse_duration("1 month 1.5 hours")
    Duration(months=1, micros=5400000000)
    """
    months, micros, place = 0, Decimal(0), 0
    while text[place:].strip():
        part, clock = _PART.match(text, place), _CLOCK.match(text, place)
        if clock:
            micros, place = micros + _clock(clock), clock.end()
        elif part:
            more = _amount(Decimal(part[1]), part[2].lower())
            if more is None:
                return None
            months, micros, place = months + more[0], micros + more[1], part.end()
        else:
            return None
    if not text.strip() or micros != micros.to_integral_value():
        return None
    return Duration(months, int(micros))


def _amount(value: Decimal, unit: str) -> tuple[int, Decimal] | None:
    """Months and microseconds of so many units; months must be whole."""
    name = _SHORT.get(unit) or unit.removesuffix("s")
    if name in _MICROS:
        return 0, value * _MICROS[name]
    months = value * _MONTHS[name] if name in _MONTHS else Decimal("0.5")
    return (int(months), Decimal(0)) if months == months.to_integral_value() else None


def _clock(match: re.Match[str]) -> Decimal:
    seconds = int(match[2]) * 3600 + int(match[3]) * 60 + Decimal(match[4] or 0)
    return (-seconds if match[1] == "-" else seconds) * 1_000_000
