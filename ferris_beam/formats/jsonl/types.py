"""How JSON values are read so that none is changed on the way to the type that is wanted."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.types as pt

WIDE_INTEGER = pa.decimal128(38, 10)
"""Holds every 64-bit integer, and the fraction that must not be lost unnoticed. (With 18 digits
behind the point pyarrow refuses to cast the largest uint64.)"""


def read_as(wanted: pa.DataType, nested: bool = False) -> pa.DataType:
    """The type to let the JSON reader make of what is to become ``wanted``."""
    if pt.is_dictionary(wanted):
        return read_as(wanted.value_type, nested)
    if pt.is_integer(wanted):
        return WIDE_INTEGER if nested else pa.float64()
    if pt.is_floating(wanted):
        return pa.float64()
    if pt.is_decimal(wanted):
        return pa.decimal256(76, min(76, wanted.scale + 20))
    if pt.is_list(wanted) or pt.is_large_list(wanted) or pt.is_fixed_size_list(wanted):
        return pa.list_(wanted.value_field.with_type(read_as(wanted.value_type, nested=True)))
    if pt.is_struct(wanted):
        return pa.struct([field.with_type(read_as(field.type, nested=True)) for field in wanted])
    if pt.is_map(wanted):
        return pa.map_(pa.string(), read_as(wanted.item_type, nested=True))
    if nested and pt.is_time(wanted):  # Arrow casts no texts to times within others
        return wanted
    if pt.is_boolean(wanted) or pt.is_null(wanted) or pt.is_large_string(wanted):
        return wanted
    return pa.string()
