"""DuckDB with its extension for PostgreSQL, at one thread and at two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import duckdb_extension_postgres_scanner

from tests.benchmarks.contenders.postgresql_table import dsn, fresh_table, timed


def _connected(threads: int) -> duckdb.DuckDBPyConnection:
    folder = Path(duckdb_extension_postgres_scanner.__file__).parent
    (extension,) = folder.rglob("*.duckdb_extension")
    connection = duckdb.connect()
    connection.execute(f"LOAD '{extension}'")
    connection.execute(f"SET threads = {threads}")
    connection.execute("SET preserve_insertion_order = false")
    connection.execute(f"ATTACH '{dsn()}' AS server (TYPE postgres)")
    return connection


def read(target: str, threads: int) -> None:
    query = f"COPY server.public.orders TO '{target}' (FORMAT parquet, COMPRESSION snappy)"
    _connected(threads).execute(query)


def write(source: str, threads: int) -> dict[str, Any]:
    table = fresh_table()
    query = f"INSERT INTO server.public.{table} SELECT * FROM '{source}'"
    return timed(table, lambda: _connected(threads).execute(query))
