"""dlt: its fastest ways with PostgreSQL, ConnectorX to read and CSV to write."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import connectorx
import psycopg
import pyarrow.parquet as pq

from tests.benchmarks.contenders.postgresql_table import dsn, timed

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"


def read_connectorx(target: str) -> None:
    """ConnectorX alone, by two partitions."""
    table = connectorx.read_sql(
        dsn(),
        "SELECT * FROM orders",
        partition_on="order_id",
        partition_num=2,
        return_type="arrow",
    )
    pq.write_table(table, target, compression="snappy")


def write(source: str) -> dict[str, Any]:
    import dlt

    folder = tempfile.mkdtemp()
    pipeline = dlt.pipeline(
        "bench",
        destination=dlt.destinations.postgres(dsn().replace("@", ":any@", 1)),  # it demands one
        dataset_name="public",
        pipelines_dir=folder,
    )
    table = f"copied_{Path(folder).name.lower()}"

    @dlt.resource(name=table, write_disposition="append")
    def orders() -> Any:
        yield from pq.ParquetFile(source).iter_batches(1_000_000)

    def load() -> None:
        pipeline.run(orders(), loader_file_format="csv")
        with psycopg.connect(dsn(), autocommit=True) as connection:
            connection.execute(f'ALTER TABLE "{table}" RENAME TO copied_by_dlt')

    return timed("copied_by_dlt", load)
