"""Values of the server as the connector's decoder gives them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import sql

from ferris_beam.connectors.postgresql import binary
from ferris_beam.connectors.postgresql.types import Choices, Column, as_relation, columns_of
from tests.services.postgresql import PostgresqlServer

SETTINGS = "-c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=postgres -c extra_float_digits=3"


def connected(server: PostgresqlServer) -> psycopg.Connection[Any]:
    """With the settings that `Server.dsn` gives the connector's own connections."""
    return server.connect("postgres", options=SETTINGS)


def selected(columns: Sequence[Column], relation: sql.Composable | str) -> sql.Composed:
    expressions = sql.SQL(", ").join(column.expression for column in columns)
    return sql.SQL("SELECT {} FROM {}").format(expressions, as_relation(relation))


def read(
    connection: psycopg.Connection[Any],
    relation: sql.Composable | str,
    batch_rows: int = 65_536,
    **choices: Any,
) -> tuple[pa.Table, dict[int, str]]:
    """All rows of a relation or query, and the bad ones."""
    columns = columns_of(connection, relation, Choices(**choices))
    query = selected(columns, relation)
    batches: list[pa.RecordBatch] = []
    bad: dict[int, str] = {}
    for records, faults in binary.copy_out(connection, query, columns, batch_rows):
        records.validate(full=True)
        before = sum(map(len, batches))
        bad |= {before + row: reason for row, reason in faults.items()}
        batches.append(records)
    schema = pa.schema([column.field for column in columns])
    return pa.Table.from_batches(batches, schema), bad


def values_of(texts: Sequence[str | None], kind: str) -> str:
    """A query of one column ``v`` with these values, which are the server's to parse."""
    literals = ["NULL" if text is None else sql.Literal(text).as_string() for text in texts]
    rows = ", ".join(f"({n}, {literal}::text)" for n, literal in enumerate(literals))
    return f"SELECT v::{kind} AS v FROM (VALUES {rows}) AS given(n, v) ORDER BY n"
