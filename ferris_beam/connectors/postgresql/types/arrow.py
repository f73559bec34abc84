"""Types of the server to types of Arrow."""

from __future__ import annotations

import pyarrow as pa

from ferris_beam.connectors.postgresql.types.column import Column, ServerType, TypeOptions
from ferris_beam.errors import ConfigurationError

UNCONSTRAINED = pa.decimal128(38, 9)
"""What `numeric=decimal` makes of a numeric that declares no precision, or one above 76 digits."""

_MAX_DIGITS_128, _MAX_DIGITS_256 = 38, 76
_TYPMOD_HEADER = 4

_SCALARS: dict[str, pa.DataType] = {
    "bool": pa.bool_(),
    "int2": pa.int16(),
    "int4": pa.int32(),
    "int8": pa.int64(),
    "oid": pa.int64(),  # unsigned 32 bits on the server
    "float4": pa.float32(),
    "float8": pa.float64(),
    "text": pa.string(),
    "varchar": pa.string(),
    "bpchar": pa.string(),
    "name": pa.string(),
    "json": pa.string(),
    "jsonb": pa.string(),
    "xml": pa.string(),
    "bytea": pa.binary(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", "UTC"),
    "interval": pa.month_day_nano_interval(),
    # Text, as in this framework's SQL, where a UUID is a text: such columns can be compared and
    # joined with what JSON and CSV say, and every format can hold them.
    "uuid": pa.string(),
}
_TEXTUAL = frozenset(
    # Values that people know by their text; Arrow has no type for them.
    {"timetz", "inet", "cidr", "macaddr", "macaddr8", "bit", "varbit", "pg_lsn", "jsonpath"}
    | {
        '"char"',
        "char",
        "xid",
        "xid8",
        "cid",
        "tid",
        "regclass",
        "regtype",
        "regproc",
        "regprocedure",
    }
    | {"regoper", "regoperator", "regrole", "regnamespace", "regconfig", "regdictionary"}
    | {"regcollation"}
)
_EXTENSION_TEXTS = frozenset({"citext"})  # sent as text is


class Unmapped(Exception):
    """Arrow has no type for this one."""


def column_of(
    name: str, oid: int, typmod: int, nullable: bool, base: ServerType, options: TypeOptions
) -> Column:
    """The column, or a `ConfigurationError` that names it, its type and what can be done."""
    try:
        kind, cast = _mapped(base, options)
    except Unmapped as unmapped:
        if options.unmapped == "error":
            raise ConfigurationError(
                f"column {name!r} has the type {unmapped}, which Arrow doesn't have; read it as "
                "text with unmapped=text, or leave the column out"
            ) from None
        kind, cast = pa.string(), "text"
    return Column(name, oid, typmod, kind, nullable, base, cast)


def _mapped(base: ServerType, options: TypeOptions) -> tuple[pa.DataType, str]:
    """The type in Arrow and the cast that the server must do ('': none)."""
    if is_text(base):
        return pa.string(), ""
    if base.kind == "range" or (base.builtin and base.name in _TEXTUAL):
        return pa.string(), "text"
    if base.kind == "array" and base.element is not None:
        item, cast = _mapped(base.element, options)
        return pa.list_(item), cast and f"{cast}[]"
    if base.kind == "composite":
        return _struct(base, options), ""
    if base.builtin and base.name == "numeric":
        return _numeric(base.typmod, options), ""
    if base.builtin and base.kind == "scalar" and base.name in _SCALARS:
        return _SCALARS[base.name], ""
    raise Unmapped(base.name)


def is_text(base: ServerType) -> bool:
    """Whether values are sent as the bytes of their text."""
    if base.kind == "enum":
        return True
    if not base.builtin:
        return base.name in _EXTENSION_TEXTS
    return base.name in ("text", "varchar", "bpchar", "name", "json", "xml")


def _struct(base: ServerType, options: TypeOptions) -> pa.DataType:
    """Casts can't be spelled inside a composite value: a field that needs one isn't mapped."""
    fields = []
    for name, inner in base.fields:
        kind, cast = _mapped(inner, options)
        if cast:
            raise Unmapped(f"{base.name} with a field {name!r} of type {inner.name}")
        fields.append(pa.field(name, kind))
    return pa.struct(fields)


def _numeric(typmod: int, options: TypeOptions) -> pa.DataType:
    digits = precision_and_scale(typmod)
    if digits is not None and digits[0] <= _MAX_DIGITS_256:
        return pa.decimal128(*digits) if digits[0] <= _MAX_DIGITS_128 else pa.decimal256(*digits)
    others = {"decimal": UNCONSTRAINED, "float": pa.float64(), "text": pa.string()}
    return others[options.numeric]


def precision_and_scale(typmod: int) -> tuple[int, int] | None:
    """Digits of a numeric(p, s), all and behind the point, such that every value fits; None
    where none were declared.

    Source: make_numeric_typmod in src/backend/utils/adt/numeric.c. Since PostgreSQL 15 the scale
    may be negative (numeric(3,-2): hundreds up to 99,900) or above the precision (numeric(2,4)).
    """
    if typmod < _TYPMOD_HEADER:
        return None
    packed = typmod - _TYPMOD_HEADER
    precision, scale = (packed >> 16) & 0xFFFF, ((packed & 0x7FF) ^ 1024) - 1024
    return max(precision - min(scale, 0), scale), max(scale, 0)
