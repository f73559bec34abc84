"""Types of Arrow to types of the server, for CREATE TABLE."""

from __future__ import annotations

import pyarrow as pa

from ferris_beam.errors import SchemaError

_TYPES: dict[str, str] = {
    "null": "text",
    "bool": "boolean",
    "int8": "smallint",
    "int16": "smallint",
    "int32": "integer",
    "int64": "bigint",
    "uint8": "smallint",
    "uint16": "integer",
    "uint32": "bigint",
    "uint64": "numeric(20,0)",
    "halffloat": "real",
    "float": "real",
    "double": "double precision",
    "string": "text",
    "large_string": "text",
    "string_view": "text",
    "binary": "bytea",
    "large_binary": "bytea",
    "binary_view": "bytea",
    "date32[day]": "date",
    "date64[ms]": "date",
    "month_day_nano_interval": "interval",
}


def ddl_type(kind: pa.DataType, column: str = "") -> str:
    """The column type of CREATE TABLE that holds every value of an Arrow type.

    Times, timestamps and durations keep microseconds. Structs, maps and lists of lists become
    jsonb: PostgreSQL's arrays of arrays must be rectangular, and composites need a type of their
    own. Raises `SchemaError`, naming ``column``, where there is none.
    """
    known = _TYPES.get(str(kind))
    if known is not None:
        return known
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return ddl_type(kind.value_type, column)
    if isinstance(kind, pa.BaseExtensionType):
        return _extension(kind, column)
    if pa.types.is_decimal(kind):
        return _numeric(kind)
    return _temporal(kind) or _nested(kind, column)


def is_list(kind: pa.DataType) -> bool:
    """Whether a type is one of Arrow's five list types."""
    checks = (
        "is_list",
        "is_large_list",
        "is_fixed_size_list",
        "is_list_view",
        "is_large_list_view",
    )
    return any(getattr(pa.types, check)(kind) for check in checks)


def _extension(kind: pa.BaseExtensionType, column: str) -> str:
    names = {"arrow.uuid": "uuid", "arrow.json": "jsonb"}
    return names.get(kind.extension_name) or ddl_type(kind.storage_type, column)


def _numeric(kind: pa.DataType) -> str:
    """A negative scale is written out, since servers before 15 don't know it."""
    scale = max(kind.scale, 0)
    return f"numeric({max(kind.precision - min(kind.scale, 0), scale)},{scale})"


def _temporal(kind: pa.DataType) -> str:
    if pa.types.is_time(kind):
        return "time"
    if pa.types.is_timestamp(kind):
        return "timestamp" if kind.tz is None else "timestamptz"
    return "interval" if pa.types.is_duration(kind) else ""


def _nested(kind: pa.DataType, column: str) -> str:
    if is_list(kind):
        item = ddl_type(kind.value_type, column)
        return "jsonb" if item == "jsonb" or item.endswith("[]") else f"{item}[]"
    if pa.types.is_struct(kind) or pa.types.is_map(kind):
        for n in range(kind.num_fields):  # each must be known, even inside a document
            ddl_type(kind.field(n).type, column)
        return "jsonb"
    if pa.types.is_fixed_size_binary(kind):
        return "bytea"
    raise SchemaError(
        f"column {column!r} has the type {kind}, which PostgreSQL can't hold; cast it to another "
        "type, or leave it out"
    )
