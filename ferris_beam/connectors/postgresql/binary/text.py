"""PostgreSQL's text output to Arrow: for types that pgoutput has no binary format for.

Source: the out functions in src/backend/utils/adt, under DateStyle ISO, IntervalStyle postgres,
TimeZone UTC and bytea_output hex.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from ferris_beam.connectors.postgresql.binary.scalars import texts
from ferris_beam.connectors.postgresql.binary.text_nested import NestedText, fields_of, items_of
from ferris_beam.connectors.postgresql.binary.values import Faults, Positions, Values
from ferris_beam.connectors.postgresql.types.column import Column, ServerType
from ferris_beam.errors import BadRecordError

_DATE = re.compile(r"(\d{4,})-(\d\d)-(\d\d)(?: (\d\d:\d\d:\d\d(?:\.\d+)?))?(?:\+00)?( BC)?")
_INTERVAL_PART = re.compile(r"([+-]?\d+) (year|mon|day)s?")
_INTERVAL_TIME = re.compile(r"([+-]?)(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?$")
_MONTHS = {"year": 12, "mon": 1}
_MAX_NANOSECONDS = 2**63 - 1


def decode_column(
    column: Column,
    data: npt.NDArray[np.uint8],
    starts: Positions,
    lengths: npt.NDArray[np.integer],
) -> pa.Array:
    """The values of one column; `BadRecordError`, naming column and row, for one that Arrow's
    type can't hold."""
    faults = Faults()
    found = decode_text(column.base, column.type, Values(data, starts, lengths), faults)
    for row, reason in faults.reasons.items():
        raise BadRecordError(f"column {column.name!r}: {reason}", reason, row)
    return found


def decode_text(base: ServerType, to: pa.DataType, values: Values, faults: Faults) -> pa.Array:
    """Values in text format as ``to``; what doesn't fit is NULL and a fault."""
    return _converted(base, to, texts(pa.string(), values, faults), faults)


def _converted(base: ServerType, to: pa.DataType, written: pa.Array, faults: Faults) -> pa.Array:
    if pt.is_string(to):
        return written
    if pt.is_list(to):
        return _lists(base, to, written, faults)
    if pt.is_struct(to):
        return _structs(base, to, written, faults)
    if pt.is_boolean(to):
        return pc.starts_with(written, "t")  # boolout writes t, a cast to text writes true
    one = _one_by_one(to)
    if one is None:
        return _salvaged(written, to, faults, 0)
    try:
        if not pt.is_interval(to) and not pt.is_binary(to):
            return written.cast(to)
    except pa.ArrowInvalid:
        pass  # infinity, years before Christ, or with five digits
    return _each(written, to, one, faults)


def _cast(written: pa.Array, to: pa.DataType) -> pa.Array:
    if not pt.is_time(to):
        return written.cast(to)
    days = pc.binary_join_element_wise(pa.scalar("1970-01-01"), written, " ")
    return days.cast(pa.timestamp(to.unit)).cast(to)


def _salvaged(written: pa.Array, to: pa.DataType, faults: Faults, first: int) -> pa.Array:
    """A cast of what can be cast, by halves; ``first`` is the row of the first value."""
    try:
        return _cast(written, to)
    except pa.ArrowInvalid:
        if len(written) == 1:
            faults.add_one(first, f"{written[0].as_py()[:40]!r} doesn't fit {to}")
            return pa.nulls(1, to)
    middle = len(written) // 2
    halves = (
        _salvaged(written[:middle], to, faults, first),
        _salvaged(written[middle:], to, faults, first + middle),
    )
    return pa.concat_arrays(halves)


def _each(
    written: pa.Array, to: pa.DataType, convert: Callable[[str], object], faults: Faults
) -> pa.Array:
    found: list[object] = []
    for row, text in enumerate(written.to_pylist()):
        try:
            found.append(None if text is None else convert(text))
        except (ValueError, OverflowError):
            found.append(None)
            faults.add_one(row, f"{text[:40]!r} doesn't fit {to}")
    return pa.array(found, to)


def _one_by_one(to: pa.DataType) -> Callable[[str], object] | None:
    if pt.is_date(to):
        return lambda text: int(_moment(text, "D").astype(np.int64))
    if pt.is_timestamp(to):
        return lambda text: int(_moment(text, "us").astype(np.int64))
    if pt.is_interval(to):
        return _interval
    return _bytes if pt.is_binary(to) else None


def _moment(text: str, unit: str) -> np.datetime64:
    """Of any year; ValueError for infinity, and where 64 bits don't suffice."""
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError(text)
    year = 1 - int(match[1]) if match[5] else int(match[1])
    days = np.datetime64(f"{year:0{4 + (year < 0)}d}-{match[2]}-{match[3]}", "D")
    if unit == "D":
        return days
    time = match[4] or "00:00:00"
    since_midnight = np.datetime64(f"1970-01-01T{time}", "us").astype(np.int64)
    microseconds = int(days.astype(np.int64)) * 86_400_000_000 + int(since_midnight)
    return np.datetime64(microseconds, "us")  # an OverflowError behind the year 294246


def _interval(text: str) -> pa.MonthDayNano:
    """`1 year 2 mons -3 days +04:05:06.789`."""
    months = days = nanoseconds = 0
    rest = text
    for number, unit in _INTERVAL_PART.findall(text):
        months += int(number) * _MONTHS.get(unit, 0)
        days += int(number) if unit == "day" else 0
    rest = _INTERVAL_PART.sub("", text).strip()
    if rest:
        match = _INTERVAL_TIME.fullmatch(rest)
        if match is None:
            raise ValueError(text)
        seconds = int(match[2]) * 3600 + int(match[3]) * 60 + int(match[4])
        nanoseconds = seconds * 10**9 + int((match[5] or "").ljust(6, "0")) * 1000
        nanoseconds = -nanoseconds if match[1] == "-" else nanoseconds
    if abs(nanoseconds) > _MAX_NANOSECONDS:
        raise ValueError(text)
    return pa.MonthDayNano([months, days, nanoseconds])


def _bytes(text: str) -> bytes:
    if not text.startswith("\\x"):
        raise ValueError("bytea_output is not hex")
    return bytes.fromhex(text[2:])


# ── nested ──────────────────────────────────────────────────────────────────────────────────────


def _lists(base: ServerType, to: pa.DataType, written: pa.Array, faults: Faults) -> pa.Array:
    parts = _parts(written, items_of, faults)
    assert base.element is not None
    sizes = [len(items) if items is not None else 0 for items in parts]
    owners = np.repeat(np.arange(len(parts)), sizes)
    elements = pa.array([item for items in parts for item in items or ()], pa.string())
    inner = _converted(base.element, to.value_type, elements, faults.of_parts(owners))
    offsets = pa.array(np.concatenate([[0], np.cumsum(sizes)]), pa.int32())
    mask = pa.array([items is None for items in parts], pa.bool_())
    return pa.ListArray.from_arrays(offsets, inner, type=to, mask=mask)


def _structs(base: ServerType, to: pa.DataType, written: pa.Array, faults: Faults) -> pa.Array:
    width = len(base.fields)
    parts = _parts(written, lambda text: fields_of(text, width), faults)
    children = [
        _converted(
            inner,
            to.field(at).type,
            pa.array([None if row is None else row[at] for row in parts], pa.string()),
            faults,
        )
        for at, (_, inner) in enumerate(base.fields)
    ]
    mask = pa.array([row is None for row in parts], pa.bool_())
    return pa.StructArray.from_arrays(children, fields=list(to), mask=mask)


def _parts(
    written: pa.Array, parse: Callable[[str], list[str | None]], faults: Faults
) -> list[list[str | None] | None]:
    found: list[list[str | None] | None] = []
    for row, text in enumerate(written.to_pylist()):
        try:
            found.append(None if text is None else parse(text))
        except NestedText as error:
            found.append(None)
            faults.add_one(row, str(error))
    return found
