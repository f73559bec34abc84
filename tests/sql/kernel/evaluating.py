"""Expressions computed by the kernel, from their text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from ferris_beam.sql.kernel import Fragment, Kernel, fragment
from ferris_beam.sql.syntax import parse
from ferris_beam.sql.text import SqlText


def planned(query: str, *schemas: pa.Schema) -> Fragment:
    """The fragment of a query over `input_0`, …"""
    text = SqlText(query)
    return fragment(parse(text)[0].query, schemas, text)


def computed(query: str, *tables: pa.RecordBatch, seed: str = "") -> pa.RecordBatch:
    """The result of a query over tables, one batch each."""
    kernel = Kernel(planned(query, *(table.schema for table in tables)))
    return kernel.run(*([table] for table in tables), seed=seed)


def values(expression: str, table: pa.RecordBatch) -> list[Any]:
    """An expression's value for each row."""
    return computed(f"SELECT {expression} AS value FROM input_0", table).column(0).to_pylist()


def value(expression: str, **columns: pa.Scalar | pa.Array | object) -> Any:
    """An expression's value for one row of these columns."""
    return values(expression, one_row(**columns))[0]


def type_of(expression: str, **columns: object) -> pa.DataType:
    return (
        planned(f"SELECT {expression} AS value FROM input_0", one_row(**columns).schema)
        .schema[0]
        .type
    )


def one_row(**columns: object) -> pa.RecordBatch:
    arrays = {name: _array(given) for name, given in columns.items()} or {"nothing": pa.nulls(1)}
    return pa.record_batch(arrays)


def _array(given: object) -> pa.Array:
    if isinstance(given, pa.Array):
        return given
    if isinstance(given, pa.Scalar):
        return pa.array([given])
    return pa.array([given])


def column(values: Sequence[object], type: pa.DataType) -> pa.RecordBatch:
    """A table with the one column `a`."""
    return pa.record_batch({"a": pa.array(values, type)})
