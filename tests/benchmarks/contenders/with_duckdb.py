"""DuckDB at its best: columns declared, the order of rows not kept."""

from __future__ import annotations

from typing import Any

import duckdb

_COLUMNS = (
    "{order_id: 'BIGINT', customer_id: 'BIGINT', country: 'VARCHAR', status: 'VARCHAR', "
    "amount: 'DOUBLE', ordered_at: 'TIMESTAMP'}"
)


def csv_to_parquet(source: str, target: str, threads: int) -> None:
    _copy(f"FROM read_csv('{source}', columns = {_COLUMNS}, header = true)", target, threads)


def jsonl_to_parquet(source: str, target: str, threads: int) -> None:
    scan = f"FROM read_json('{source}', format = 'newline_delimited', columns = {_COLUMNS})"
    _copy(scan, target, threads)


def filter_parquet(source: str, target: str, threads: int, columns: list[str]) -> None:
    _copy(f"SELECT {', '.join(columns)} FROM '{source}' WHERE amount > 50", target, threads)


def parquet_to_csv(source: str, target: str, threads: int) -> None:
    _copy(f"FROM '{source}'", target, threads, "FORMAT csv, HEADER")


def parquet_to_jsonl(source: str, target: str, threads: int) -> None:
    _copy(f"FROM '{source}'", target, threads, "FORMAT json")


def query(text: str, target: str, threads: int) -> None:
    _copy(text, target, threads)


def _copy(
    query: str, target: str, threads: int, settings: str = "FORMAT parquet, COMPRESSION snappy"
) -> None:
    config: dict[str, Any] = {"threads": threads, "preserve_insertion_order": False}
    with duckdb.connect(config=config) as connection:
        connection.execute(f"COPY ({query}) TO '{target}' ({settings})")
