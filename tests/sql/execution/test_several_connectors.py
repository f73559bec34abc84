"""Joins in a row over files, a PostgreSQL table and memory, against DuckDB over the same rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from ferris_beam.connectors import memory
from tests.services.database import Database
from tests.sql.running import run_one

COUNTRIES = pa.table({"code": ["DE", "FR", None], "country": ["Germany", "France", "none"]})
SEGMENTS = pa.table({"customer": [1, 2, 3, 3, 99], "segment": ["a", "b", "c", "d", "e"]})
QUERY = """
SELECT o.id, c.name, n.country, s.segment
FROM {orders} o
JOIN {customers} c ON o.customer_id = c.id
LEFT JOIN {countries} n ON c.country = n.code
LEFT JOIN {segments} s ON s.customer = c.id AND s.segment <> 'd'
"""


@pytest.fixture
def countries() -> Iterator[str]:
    memory.put("countries", COUNTRIES)
    yield "'memory://countries'"
    memory.clear()


@pytest.mark.parametrize("limit", [64, 0], ids=["held", "by hash"])
def test_four_sides_of_three_connectors(
    tmp_path: Path, database: Database, countries: str, limit: int
) -> None:
    orders, segments = f"{tmp_path}/orders.csv", f"{tmp_path}/segments.parquet"
    duckdb.sql("SELECT range AS id, nullif(range % 7, 5) AS customer_id FROM range(500)").write_csv(
        orders
    )
    duckdb.sql("FROM SEGMENTS").write_parquet(segments)
    rows = "VALUES (1, 'one', 'DE'), (2, 'two', 'FR'), (3, 'three', NULL), (6, 'six', 'XX')"
    database.execute("CREATE TABLE customers (id int8, name text, country text)")
    database.execute(f"INSERT INTO customers {rows}")
    found = run_one(
        QUERY.format(
            orders=f"'file://{orders}'",
            customers=f"'{database.uri(table='customers')}'",
            countries=countries,
            segments=f"'file://{segments}'",
        ),
        f"--broadcast_limit={limit}",
    )
    expected = duckdb.sql(
        f"WITH customers(id, name, country) AS ({rows}) "
        + QUERY.format(
            orders=f"'{orders}'",
            customers="customers",
            countries="COUNTRIES",
            segments=f"'{segments}'",
        )
    ).fetchall()
    assert len(expected) > 100
    assert Counter(tuple(row.values()) for row in found.to_pylist()) == Counter(expected)
