"""What some functions are in the engine depends on the types of their arguments."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.types as pt
from sqlglot import exp

from ferris_beam.sql.functions.define import engine
from ferris_beam.sql.functions.formats import postgresql

Types = Sequence[pa.DataType]
_MICROS = "Timestamp(Microsecond, None)"
_SECONDS = "Timestamp(Second, None)"
_UTC = 'Timestamp(Microsecond, Some("UTC"))'


def micros(types: Types, time: exp.Expression) -> exp.Expression:
    """A date, a timestamp or a text as a timestamp in UTC; a number is refused."""
    kind = types[0]
    text = pt.is_string(kind) or pt.is_large_string(kind) or pt.is_null(kind)
    if not (text or pt.is_date(kind) or pt.is_timestamp(kind)):
        raise ValueError(f"a date or a timestamp is needed here, not {kind}")
    return engine("arrow_cast", time, _MICROS)


def date_trunc(
    types: Types, part: exp.Expression, time: exp.Expression, zone: exp.Expression | None = None
) -> exp.Expression:
    """In the calendar of ``zone``, else of the timestamp's own time zone. The engine's own counts
    ns, which end in the year 2262."""
    kind = types[1]
    own = kind.tz if pt.is_timestamp(kind) else None
    if zone is None and own is None:
        return engine("date_trunc_micros", part, micros(types[1:], time))
    if zone is None and own in ("UTC", "+00:00"):
        truncated = engine("date_trunc_micros", part, engine("arrow_cast", time, _MICROS))
        return engine("arrow_cast", truncated, _UTC)
    if zone is None:
        return engine("date_trunc", part, time)
    local = engine("to_local_time", _zoned(engine("arrow_cast", time, _UTC), zone))
    truncated = engine("date_trunc_micros", part, engine("arrow_cast", local, _MICROS))
    return engine("arrow_cast", _zoned(truncated, zone), _UTC)


def _zoned(time: exp.Expression, zone: exp.Expression) -> exp.Expression:
    """The same instant in a zone; of a timestamp without zone: its clock in the zone."""
    if not isinstance(zone, exp.Literal):
        raise ValueError("the time zone must be a text in quotes, such as 'Europe/Berlin'")
    return engine("arrow_cast", time, f'Timestamp(Microsecond, Some("{zone.name}"))')


def to_timestamp(
    types: Types, value: exp.Expression, written: exp.Expression | None = None
) -> exp.Expression:
    """A text, or seconds since 1970, as a timestamp with time zone."""
    kind = types[0]
    if written is not None:
        text = written.name if isinstance(written, exp.Literal) else ""
        read = engine("strptime", value, postgresql(text) if text else written)
        return engine("arrow_cast", read, _UTC)
    if pt.is_integer(kind):
        seconds = engine("arrow_cast", engine("arrow_cast", value, "Int64"), _SECONDS)
        return engine("arrow_cast", seconds, _UTC)
    if pt.is_decimal(kind) or pt.is_floating(kind):
        scaled = exp.Mul(this=exp.paren(value.copy()), expression=exp.Literal.number(1_000_000))
        return engine("arrow_cast", engine("arrow_cast", engine("round", scaled), "Int64"), _UTC)
    return engine("arrow_cast", value, _UTC)


def hexadecimal(types: Types, value: exp.Expression) -> exp.Expression:
    digits = engine("to_hex", value) if pt.is_integer(types[0]) else engine("encode", value, "hex")
    return engine("upper", digits)


def array_sum(types: Types, items: exp.Expression) -> exp.Expression:
    """Integers and decimals exactly, where the engine's sum is a DOUBLE."""
    kind = types[0]
    item = kind.value_type if hasattr(kind, "value_type") else pa.null()
    if pt.is_integer(item):
        return engine("array_sum_integers", engine("arrow_cast", items, "List(Int64)"))
    if pt.is_decimal(item):
        total = engine("array_sum_decimals", engine("arrow_cast", items, "List(Utf8)"))
        return engine("arrow_cast", total, f"Decimal128(38, {item.scale})")
    return engine("array_sum", items)


def length(types: Types, value: exp.Expression) -> exp.Expression:
    """Of a text its characters, of a list its items."""
    if pt.is_nested(types[0]):
        return exp.cast(
            engine("cardinality" if pt.is_map(types[0]) else "array_length", value), "bigint"
        )
    return exp.cast(engine("character_length", value), "bigint")
