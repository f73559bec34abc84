"""A table for one run of a contender, made and counted off the clock."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from typing import Any

import psycopg

COLUMNS = (
    "order_id int8, customer_id int8, country text, status text, amount float8, "
    "ordered_at timestamp"
)


def dsn() -> str:
    return os.environ["BENCH_POSTGRESQL"]


def fresh_table() -> str:
    name = f"copied_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(dsn(), autocommit=True) as connection:
        connection.execute(f"CREATE TABLE {name} ({COLUMNS})")
    return name


def timed(table: str, write: Callable[[], Any]) -> dict[str, Any]:
    """The seconds of ``write``, and how many rows there are then; the table is dropped."""
    began = time.perf_counter()
    write()
    seconds = time.perf_counter() - began
    with psycopg.connect(dsn(), autocommit=True) as connection:
        row = connection.execute(f"SELECT count(*), sum(order_id) FROM {table}").fetchone()
        connection.execute(f"DROP TABLE {table}")
    assert row is not None
    return {"seconds": seconds, "rows": row[0], "checksum": int(row[1])}
