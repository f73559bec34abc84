"""The drivers that we build on, in loops of their own."""

from __future__ import annotations

from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import pgpq
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from tests.benchmarks.contenders.postgresql_table import dsn, fresh_table, timed


def read_adbc(target: str) -> None:
    """ADBC's stream of batches to Parquet."""
    with adbc.connect(dsn()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT * FROM orders")
        reader = cursor.fetch_record_batch()
        with pq.ParquetWriter(target, reader.schema, compression="snappy") as writer:
            for batch in reader:
                writer.write_batch(batch)


def write_adbc(source: str) -> dict[str, Any]:
    table = fresh_table()

    def ingest() -> None:
        with adbc.connect(dsn()) as connection, connection.cursor() as cursor:
            file = pq.ParquetFile(source)
            batches = pa.RecordBatchReader.from_batches(
                file.schema_arrow, file.iter_batches(65_536)
            )
            cursor.adbc_ingest(table, batches, mode="append")
            connection.commit()

    return timed(table, ingest)


def write_pgpq(source: str) -> dict[str, Any]:
    """COPY BINARY, encoded by pgpq."""
    table = fresh_table()

    def copy() -> None:
        file = pq.ParquetFile(source)
        encoder = pgpq.ArrowToPostgresBinaryEncoder(file.schema_arrow)
        query = f"COPY {table} FROM STDIN WITH (FORMAT BINARY)"
        with psycopg.connect(dsn()) as connection, connection.cursor().copy(query) as target:
            target.write(encoder.write_header())
            for batch in file.iter_batches(65_536):
                target.write(encoder.write_batch(batch))
            target.write(encoder.finish())

    return timed(table, copy)
