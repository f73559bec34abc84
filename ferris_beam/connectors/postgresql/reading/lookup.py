"""The rows of some keys, by one statement for all of them.

COPY takes no parameters; so the keys are arrays, each one literal that psycopg quotes. That is
faster than a prepared statement, whose rows arrive as single values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
from psycopg import sql

from ferris_beam.connectors.postgresql.binary import copy_out
from ferris_beam.connectors.postgresql.reading.selection import Selection
from ferris_beam.connectors.postgresql.types import Column
from ferris_beam.errors import ConfigurationError, FatalError

_COMPARED = frozenset(
    {"bool", "int2", "int4", "int8", "float4", "float8", "numeric", "text", "varchar", "uuid"}
    | {"date", "timestamp", "timestamptz", "time", "bytea"}
)
_WIDER = dict.fromkeys(("int2", "int4", "int8"), "int8")
"""Integers of any width are compared with each other, by an index, too."""
_NO_NUL = r"^[^\x00]*$"
_POSSIBLE = {
    "text": _NO_NUL,
    "varchar": _NO_NUL,
    "uuid": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
}
_BATCH_ROWS = 65_536


def looked_up(
    connection: psycopg.Connection[Any],
    source: sql.Composable,
    columns: Sequence[Column],
    selection: Selection,
    keys: pa.RecordBatch,
) -> pa.RecordBatch:
    """The rows of ``selection`` whose columns equal a row of ``keys``, in any order.

    Raises `ConfigurationError` for a key that is no column, or whose type has no equality here,
    `FatalError` for a row with a value that Arrow can't hold, and the driver's errors.
    """
    named = {column.name: column for column in columns}
    asked = [_column(named, name) for name in keys.schema.names]
    texts = _askable(asked, keys)
    if not texts.num_rows:
        return pa.RecordBatch.from_pylist([], selection.schema)
    statement = selection.statement(source, [_matching(asked, texts)])
    found = []
    for records, bad in copy_out(connection, statement, selection.sent, _BATCH_ROWS):
        if bad:
            raise FatalError(
                f"a row that was looked up can't be read: {next(iter(bad.values()))}; numeric=text "
                "reads every number, and query= can leave such rows out"
            )
        found.append(selection.finished(records))
    return _joined(found, selection.schema)


def _joined(batches: list[pa.RecordBatch], schema: pa.Schema) -> pa.RecordBatch:
    if len(batches) == 1:
        return batches[0]
    empty = pa.RecordBatch.from_pylist([], schema)
    return pa.concat_batches([empty, *batches])


def _column(columns: dict[str, Column], name: str) -> Column:
    column = columns.get(name)
    if column is None:
        raise ConfigurationError(f"there is no column {name!r}; there are {', '.join(columns)}")
    base = column.base
    if not base.builtin or base.kind != "scalar" or base.name not in _COMPARED:
        raise ConfigurationError(
            f"rows can't be looked up by {name!r}, which has the type {base.name}; read the table "
            "as a whole: leave out lookup"
        )
    return column


def _matching(columns: Sequence[Column], texts: pa.RecordBatch) -> sql.Composable:
    arrays = [
        sql.SQL("{}::{}[]").format(
            sql.Literal(array_text(values)), sql.SQL(_WIDER.get(column.base.name, column.base.name))
        )
        for column, values in zip(columns, texts.columns, strict=True)
    ]
    names = [sql.Identifier(column.name) for column in columns]
    # A join: by an index where there is one and keys are few, else by a hash table. ANY of an
    # array would compare each row with each key where the widths of integers differ.
    return sql.SQL("({}) IN (SELECT * FROM unnest({}))").format(
        sql.SQL(", ").join(names), sql.SQL(", ").join(arrays)
    )


def _askable(columns: Sequence[Column], keys: pa.RecordBatch) -> pa.RecordBatch:
    """The keys as the server parses them, without those that hold what no value of the type can
    be, such as a text with a NUL or a UUID that is none: nothing equals them."""
    texts = [_texts(column, values) for column, values in zip(columns, keys.columns, strict=True)]
    found = pa.RecordBatch.from_arrays(texts, keys.schema.names)
    for column in columns:
        if column.base.name in _POSSIBLE:
            pattern = _POSSIBLE[column.base.name]
            found = found.filter(pc.match_substring_regex(found[column.name], pattern))
    return found


def _texts(column: Column, values: pa.Array) -> pa.Array:
    if pt.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pt.is_binary(values.type) or pt.is_large_binary(values.type):
        return pa.array(["\\x" + value.as_py().hex() for value in values], pa.string())
    kind = pa.int64() if column.base.name in _WIDER else column.type
    try:
        return values.cast(kind).cast(pa.string())
    except pa.ArrowException as error:
        raise ConfigurationError(
            f"keys of the type {values.type} can't be looked up in {column.name!r}, which is "
            f"{column.type}: {error}; cast them in the query"
        ) from error


def array_text(texts: pa.Array) -> str:
    """An array's text: ``{"a","b \\"c\\""}``. Source: array_in in arrayfuncs.c."""
    escaped = pc.replace_substring(pc.replace_substring(texts, "\\", "\\\\"), '"', '\\"')
    return '{"' + '","'.join(escaped.to_pylist()) + '"}'
