"""What a contender wrote, told by DuckDB: counts, sums and a checksum of whole rows."""

from __future__ import annotations

from typing import Any

import duckdb

_COLUMNS = {
    "order_id": ("BIGINT", "order_id"),
    "customer_id": ("BIGINT", "customer_id"),
    "country": ("VARCHAR", "country"),
    "status": ("VARCHAR", "status"),
    "amount": ("DOUBLE", "round(amount * 100)::BIGINT"),
    "ordered_at": ("TIMESTAMP", "epoch_us(ordered_at)"),
}
"""Type, and the form in which values are compared, of every column there may be."""


def facts(files: list[str]) -> dict[str, Any]:
    """Equal for equal rows, in whatever order, files and precision of timestamps.

    ``checksum`` is a sum, not an exclusive or, so that rows that stand there twice don't cancel.
    """
    scan = _scan(files)
    present = [name for name, *_ in _rows(f"DESCRIBE FROM {scan}")]
    if not _COLUMNS.keys() >= set(present):
        return _other_facts(scan, present)
    casts = ", ".join(f"{name}::{_COLUMNS[name][0]} AS {name}" for name in present)
    compared = ", ".join(_COLUMNS[name][1] for name in sorted(present))
    query = f"""
        SELECT count(*), sum(order_id), sum(amount::DECIMAL(18, 2)), sum(hash({compared})::HUGEINT)
        FROM (SELECT {casts} FROM {scan})
    """
    rows, orders, amounts, checksum = _rows(query)[0]
    return {
        "columns": sorted(present),
        "rows": rows,
        "order_ids": str(orders),
        "amounts": str(amounts),
        "checksum": str(checksum),
    }


def _other_facts(scan: str, present: list[str]) -> dict[str, Any]:
    """Of rows that are no orders: their values must be the same to the last bit."""
    names = sorted(present)
    rows, checksum = _rows(f"SELECT count(*), sum(hash({', '.join(names)})::HUGEINT) FROM {scan}")[
        0
    ]
    return {"columns": names, "rows": rows, "checksum": str(checksum)}


def _rows(query: str) -> list[Any]:
    with duckdb.connect() as connection:
        return connection.execute(query).fetchall()


def _scan(files: list[str]) -> str:
    if not files:
        raise ValueError("no data files were written")
    quoted = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    if files[0].endswith(".parquet"):
        return f"read_parquet([{quoted}])"
    if files[0].endswith(".csv"):
        return f"read_csv([{quoted}], header = true)"
    return f"read_json([{quoted}], format = 'newline_delimited')"
