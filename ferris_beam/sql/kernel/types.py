"""Types in three spellings: SQL's (sqlglot), Arrow's, and the names that `arrow_cast` takes.

INTEGER has 32 bits, BIGINT 64, timestamps count µs, TIMESTAMPTZ is in UTC: everywhere the same,
where DataFusion's own CAST would choose ns, or drop the zone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.types as pt
from sqlglot import exp

_Kind = exp.DataType.Type

_UTC = pa.timestamp("us", "UTC")
_SIMPLE: dict[Any, pa.DataType] = {
    _Kind.BOOLEAN: pa.bool_(),
    _Kind.TINYINT: pa.int8(),
    _Kind.SMALLINT: pa.int16(),
    _Kind.INT: pa.int32(),
    _Kind.BIGINT: pa.int64(),
    _Kind.INT128: pa.decimal128(38, 0),
    _Kind.UTINYINT: pa.uint8(),
    _Kind.USMALLINT: pa.uint16(),
    _Kind.UINT: pa.uint32(),
    _Kind.UBIGINT: pa.uint64(),
    _Kind.FLOAT: pa.float32(),
    _Kind.DOUBLE: pa.float64(),
    _Kind.CHAR: pa.string(),
    _Kind.NCHAR: pa.string(),
    _Kind.VARCHAR: pa.string(),
    _Kind.NVARCHAR: pa.string(),
    _Kind.TEXT: pa.string(),
    _Kind.JSON: pa.string(),
    _Kind.JSONB: pa.string(),
    _Kind.UUID: pa.string(),
    _Kind.BINARY: pa.binary(),
    _Kind.VARBINARY: pa.binary(),
    _Kind.BLOB: pa.binary(),
    _Kind.DATE: pa.date32(),
    _Kind.TIME: pa.time64("us"),
    _Kind.DATETIME: pa.timestamp("us"),
    _Kind.TIMESTAMP: pa.timestamp("us"),
    _Kind.TIMESTAMPNTZ: pa.timestamp("us"),
    _Kind.TIMESTAMP_S: pa.timestamp("s"),
    _Kind.TIMESTAMP_MS: pa.timestamp("ms"),
    _Kind.TIMESTAMP_NS: pa.timestamp("ns"),
    _Kind.TIMESTAMPTZ: _UTC,
    _Kind.TIMESTAMPLTZ: _UTC,
    _Kind.INTERVAL: pa.month_day_nano_interval(),
}
_DECIMAL = (38, 10)
"""What DECIMAL means where no digits are given."""
_UNITS = {"s": "Second", "ms": "Millisecond", "us": "Microsecond", "ns": "Nanosecond"}


def arrow_type(written: exp.DataType) -> pa.DataType:
    """The type that SQL's ``written`` means; ValueError where there is none.

    >>> str(arrow_type(exp.DataType.build("decimal(10, 2)")))
    'decimal128(10, 2)'
    """
    kind = written.this
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if kind == _Kind.DECIMAL:
        return _decimal(written)
    inner = written.expressions
    if kind in (_Kind.ARRAY, _Kind.LIST) and len(inner) == 1:
        return pa.list_(arrow_type(inner[0]))
    if kind == _Kind.MAP and len(inner) == 2:
        return pa.map_(arrow_type(inner[0]), arrow_type(inner[1]))
    if kind == _Kind.STRUCT and inner:
        return pa.struct([(field.name, arrow_type(field.args["kind"])) for field in inner])
    raise ValueError(f"there is no type {written.sql()}")


def _decimal(written: exp.DataType) -> pa.DataType:
    digits = [int(parameter.name) for parameter in written.expressions]
    precision, scale = (*digits, 0)[:2] if digits else _DECIMAL
    if not 1 <= precision <= 38 or not 0 <= scale <= precision:
        raise ValueError(
            f"{written.sql()}: there are 1 to 38 digits, of which so many are decimals"
        )
    return pa.decimal128(precision, scale)


@cache
def arrow_name(given: pa.DataType) -> str:
    """The name of ``given`` as DataFusion's `arrow_cast` and `arrow_typeof` write it.

    >>> arrow_name(pa.timestamp("us", "UTC")), arrow_name(pa.list_(pa.int32()))
    ('Timestamp(Microsecond, Some("UTC"))', 'List(Int32)')
    """
    for is_kind, spelled in _NAMES:
        if is_kind(given):
            return spelled(given)
    raise ValueError(f"{given} is a type that SQL can't name")


def spoken(given: pa.DataType) -> str:
    """The type as SQL writes it, for messages.

    >>> spoken(pa.int64()), spoken(pa.list_(pa.string())), spoken(pa.decimal128(10, 2))
    ('BIGINT', 'VARCHAR[]', 'DECIMAL(10, 2)')
    """
    if given in _SPOKEN:
        return _SPOKEN[given]
    if pt.is_decimal(given):
        return f"DECIMAL({given.precision}, {given.scale})"
    if pt.is_timestamp(given):
        return "TIMESTAMP" if given.tz is None else f"TIMESTAMPTZ ({given.tz})"
    if pt.is_list(given) or pt.is_large_list(given) or pt.is_fixed_size_list(given):
        return f"{spoken(given.value_type)}[]"
    if pt.is_map(given):
        return f"MAP({spoken(given.key_type)}, {spoken(given.item_type)})"
    if pt.is_struct(given):
        return f"STRUCT({', '.join(f'{field.name} {spoken(field.type)}' for field in given)})"
    if pt.is_dictionary(given):
        return spoken(given.value_type)
    return str(given).upper()


def is_text(given: pa.DataType) -> bool:
    return pt.is_string(given) or pt.is_large_string(given) or pt.is_string_view(given)


def is_number(given: pa.DataType) -> bool:
    return pt.is_integer(given) or pt.is_floating(given) or pt.is_decimal(given)


def plain(given: pa.DataType) -> pa.DataType:
    """Without dictionaries, views and large offsets, which say how values are stored and not what
    they are."""
    if pt.is_dictionary(given) or pt.is_run_end_encoded(given):
        return plain(given.value_type)
    if pt.is_string_view(given) or pt.is_large_string(given):
        return pa.string()
    if pt.is_binary_view(given) or pt.is_large_binary(given):
        return pa.binary()
    if pt.is_date64(given):
        return pa.date32()
    if pt.is_list(given) or pt.is_large_list(given):
        return pa.list_(_plain_field(given.value_field))
    if pt.is_fixed_size_list(given):
        return pa.list_(_plain_field(given.value_field), given.list_size)
    if pt.is_struct(given):
        return pa.struct([_plain_field(field) for field in given])
    if pt.is_map(given):
        return pa.map_(_plain_field(given.key_field), _plain_field(given.item_field))
    return given


def _plain_field(field: pa.Field) -> pa.Field:
    """Nested fields may be NULL: which of them are not, DataFusion's functions forget."""
    return pa.field(field.name, plain(field.type), field.nullable)


_SPOKEN: dict[pa.DataType, str] = {
    pa.null(): "NULL",
    pa.bool_(): "BOOLEAN",
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.uint8(): "UTINYINT",
    pa.uint16(): "USMALLINT",
    pa.uint32(): "UINTEGER",
    pa.uint64(): "UBIGINT",
    pa.float16(): "HALF",
    pa.float32(): "REAL",
    pa.float64(): "DOUBLE",
    pa.string(): "VARCHAR",
    pa.large_string(): "VARCHAR",
    pa.string_view(): "VARCHAR",
    pa.binary(): "BLOB",
    pa.large_binary(): "BLOB",
    pa.binary_view(): "BLOB",
    pa.date32(): "DATE",
    pa.date64(): "DATE",
    pa.time32("s"): "TIME",
    pa.time32("ms"): "TIME",
    pa.time64("us"): "TIME",
    pa.time64("ns"): "TIME",
    pa.month_day_nano_interval(): "INTERVAL",
}
_ARROW_NAMES: dict[pa.DataType, str] = {
    pa.null(): "Null",
    pa.bool_(): "Boolean",
    pa.int8(): "Int8",
    pa.int16(): "Int16",
    pa.int32(): "Int32",
    pa.int64(): "Int64",
    pa.uint8(): "UInt8",
    pa.uint16(): "UInt16",
    pa.uint32(): "UInt32",
    pa.uint64(): "UInt64",
    pa.float16(): "Float16",
    pa.float32(): "Float32",
    pa.float64(): "Float64",
    pa.string(): "Utf8",
    pa.large_string(): "LargeUtf8",
    pa.string_view(): "Utf8View",
    pa.binary(): "Binary",
    pa.large_binary(): "LargeBinary",
    pa.binary_view(): "BinaryView",
    pa.date32(): "Date32",
    pa.date64(): "Date64",
    pa.month_day_nano_interval(): "Interval(MonthDayNano)",
}


def _field_name(field: pa.Field) -> str:
    escaped = field.name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}": {"" if field.nullable else "non-null "}{arrow_name(field.type)}'


def _timestamp_name(given: pa.DataType) -> str:
    zone = "None" if given.tz is None else f'Some("{given.tz}")'
    return f"Timestamp({_UNITS[given.unit]}, {zone})"


def _map_name(given: pa.DataType) -> str:
    key, item = _field_name(given.key_field), _field_name(given.item_field)
    return f'Map("entries": non-null Struct({key}, {item}), unsorted)'


_NAMES: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.DataType], str]], ...] = (
    (_ARROW_NAMES.__contains__, _ARROW_NAMES.__getitem__),
    (pt.is_decimal128, lambda given: f"Decimal128({given.precision}, {given.scale})"),
    (pt.is_decimal256, lambda given: f"Decimal256({given.precision}, {given.scale})"),
    (pt.is_timestamp, _timestamp_name),
    (pt.is_time32, lambda given: f"Time32({_UNITS[given.unit]})"),
    (pt.is_time64, lambda given: f"Time64({_UNITS[given.unit]})"),
    (pt.is_duration, lambda given: f"Duration({_UNITS[given.unit]})"),
    (pt.is_list, lambda given: f"List({arrow_name(given.value_type)})"),
    (pt.is_large_list, lambda given: f"LargeList({arrow_name(given.value_type)})"),
    (pt.is_map, _map_name),
    (pt.is_struct, lambda given: f"Struct({', '.join(_field_name(f) for f in given)})"),
)


def spoken_name(name: str) -> str:
    """`Int64`, as DataFusion writes a type, as users do; other names stay.

    >>> spoken_name("Int64"), spoken_name("Decimal128(10, 2)"), spoken_name("Timestamp(µs)")
    ('BIGINT', 'DECIMAL(10, 2)', 'TIMESTAMP')
    """
    for given, arrow in _ARROW_NAMES.items():
        if arrow == name.strip():
            return _SPOKEN[given]
    return _spoken_by_prefix(name.strip())


def _spoken_by_prefix(name: str) -> str:
    if name.startswith("Decimal"):
        return f"DECIMAL{name[name.index('(') :]}" if "(" in name else "DECIMAL"
    if name.startswith("Timestamp"):
        return "TIMESTAMP" if '"' not in name else "TIMESTAMPTZ"
    for prefix, word in (("Time", "TIME"), ("Interval", "INTERVAL"), ("Date", "DATE")):
        if name.startswith(prefix):
            return word
    for prefix in ("LargeList(", "List("):
        if name.startswith(prefix):
            return f"{spoken_name(name[len(prefix) : -1])}[]"
    return name
