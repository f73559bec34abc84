"""What some functions are in the engine depends on the types of their arguments."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.types as pt
from sqlglot import exp

from ferris_beam.sql.functions.define import engine

Types = Sequence[pa.DataType]
_MICROS = "Timestamp(Microsecond, None)"


def micros(types: Types, time: exp.Expression) -> exp.Expression:
    """A date, a timestamp or a text as a timestamp in UTC; a number is refused."""
    kind = types[0]
    text = pt.is_string(kind) or pt.is_large_string(kind) or pt.is_null(kind)
    if not (text or pt.is_date(kind) or pt.is_timestamp(kind)):
        raise ValueError(f"a date or a timestamp is needed here, not {kind}")
    return engine("arrow_cast", time, _MICROS)


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
