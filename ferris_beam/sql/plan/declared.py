"""Columns that CREATE STREAM declares: their SQL types as Arrow's."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
from sqlglot import exp
from sqlglot.errors import SqlglotError

from ferris_beam.formats.types import data_type
from ferris_beam.sql.statements import ColumnDefinition
from ferris_beam.sql.text import SqlText

_Type = exp.DataType.Type
_ARROW = {
    _Type.BOOLEAN: "bool",
    _Type.TINYINT: "int8",
    _Type.SMALLINT: "int16",
    _Type.INT: "int32",
    _Type.BIGINT: "int64",
    _Type.UTINYINT: "uint8",
    _Type.USMALLINT: "uint16",
    _Type.UINT: "uint32",
    _Type.UBIGINT: "uint64",
    _Type.FLOAT: "float",
    _Type.DOUBLE: "double",
    _Type.VARCHAR: "string",
    _Type.TEXT: "string",
    _Type.CHAR: "string",
    _Type.VARBINARY: "binary",
    _Type.BINARY: "binary",
    _Type.BLOB: "binary",
    _Type.DATE: "date32",
    _Type.TIME: "time64[us]",
    _Type.TIMESTAMP: "timestamp[us]",
    _Type.DATETIME: "timestamp[us]",
    _Type.TIMESTAMPNTZ: "timestamp[us]",
    _Type.TIMESTAMPTZ: "timestamp[us, UTC]",
}
_OWN = {"string": "string", "double": "double", "float": "float", "timestamptz": "timestamptz"}


def declared_schema(columns: Iterable[ColumnDefinition], text: SqlText) -> pa.Schema:
    """The columns and their types. Raises `SqlError` for types that there aren't, for names that
    stand twice, and for NOT NULL, which no source holds its rows against."""
    fields: dict[str, pa.Field] = {}
    for column in columns:
        if column.name in fields:
            raise text.error(f"the column {column.name!r} is declared twice", column.span)
        if not column.nullable:
            raise text.error(
                f"{column.name}: NOT NULL is not checked by sources",
                column.span,
                "leave it out, and keep the rows you want with WHERE … IS NOT NULL",
            )
        fields[column.name] = pa.field(column.name, arrow_type(column, text))
    return pa.schema(list(fields.values()))


def arrow_type(column: ColumnDefinition, text: SqlText) -> pa.DataType:
    """The Arrow type of ``BIGINT``, ``DECIMAL(10, 2)``, ``VARCHAR(20)[]``, ``int64`` and so on."""
    own = _OWN.get(column.type.lower())
    if own is not None:
        return data_type(own)
    try:
        return _of(exp.DataType.build(column.type, dialect="duckdb"))
    except (SqlglotError, ValueError, KeyError):
        pass
    try:
        return data_type(column.type)
    except ValueError:
        raise text.error(
            f"{column.name}: there is no type {column.type!r}",
            column.span,
            "types are BOOLEAN, SMALLINT, INT, BIGINT, FLOAT, DOUBLE, DECIMAL(p, s), TEXT, BLOB, "
            "DATE, TIME, TIMESTAMP, TIMESTAMPTZ, STRUCT(…), MAP(…, …) and lists (TEXT[])",
        ) from None


def _of(kind: exp.DataType) -> pa.DataType:
    inner = kind.expressions
    if kind.this == _Type.DECIMAL:
        digits = [int(part.name) for part in inner] or [18, 3]
        return pa.decimal128(digits[0], digits[1] if len(digits) > 1 else 0)
    if kind.this in (_Type.ARRAY, _Type.LIST):
        return pa.list_(_of(inner[0]))
    if kind.this == _Type.MAP:
        return pa.map_(_of(inner[0]), _of(inner[1]))
    if kind.this == _Type.STRUCT:
        return pa.struct([(part.this.name, _of(part.args["kind"])) for part in inner])
    return data_type(_ARROW[kind.this])
