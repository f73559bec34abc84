"""Runs what stands behind a SELECT, and shows values as the examples of the docs do."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa

from ferris_beam.sql.kernel import Kernel, fragment
from ferris_beam.sql.syntax import parse
from ferris_beam.sql.text import SqlText


def select(expression: str, **columns: pa.Array) -> pa.Array:
    """The values of one expression, over columns of ``input_0`` if there are any."""
    of = " FROM input_0" if columns else ""
    text = SqlText(f"SELECT {expression} AS value{of}")
    query = parse(text)[0].query  # type: ignore[union-attr]
    tables = [pa.RecordBatch.from_pydict(columns)] if columns else []
    planned = fragment(query, [table.schema for table in tables], text)
    return Kernel(planned).run(*([table] for table in tables)).column(0)


_DUCKDB = duckdb.connect()


def in_duckdb(rows: pa.Table, expression: str) -> list[Any]:
    """The values of one expression over ``rows`` as DuckDB computes them."""
    _DUCKDB.register("given_rows", rows)
    return [row[0] for row in _DUCKDB.sql(f"SELECT {expression} FROM given_rows").fetchall()]


def show(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(show, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {show(item)}" for key, item in value.items()) + "}"
    if isinstance(value, tuple):
        return f"{show(value[0])}: {show(value[1])}"
    return str(value)
