"""Joins and orders in SQL, from Parquet to Parquet: ours and DuckDB's, at one thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.customers import Customers
from tests.benchmarks.datasets import Dataset
from tests.benchmarks.model import Case, Contender, Paths, times_as_fast

_CONTENDERS = "tests.benchmarks.contenders"
_CUSTOMERS = 100_000


@dataclass(frozen=True)
class _Query:
    """``text`` over ``{left}`` and ``{right}``, which both of us understand."""

    name: str
    title: str
    text: str
    at_least: float | None


_BROADCAST = _Query(
    "join-broadcast",
    "joined with 100,000 customers, which every worker holds",
    "SELECT o.order_id, o.amount, c.name, c.credit FROM '{left}' o "
    "JOIN '{right}' c ON o.customer_id = c.id",
    1.0,
)
_HASH = _Query(
    "join-hash",
    "joined with as many, by hash partitions",
    "SELECT a.order_id, a.amount, b.customer_id FROM '{left}' a "
    "JOIN '{right}' b ON a.order_id = b.order_id",
    0.3,
)
_FIRST = _Query(
    "first-of-each",
    "the latest order of each of 100,000 customers, by ROW_NUMBER",
    "SELECT order_id, customer_id, amount FROM '{left}' QUALIFY row_number() OVER "
    "(PARTITION BY customer_id ORDER BY ordered_at DESC, order_id) = 1",
    None,
)
_TOP = _Query(
    "top-rows",
    "the 100 largest, by ORDER BY and LIMIT",
    "SELECT order_id, amount FROM '{left}' ORDER BY amount DESC, order_id LIMIT 100",
    None,
)


def cases(rows: int | None = None) -> tuple[Case, ...]:
    count = rows or 5_000_000
    orders = Dataset("parquet", count)
    return (
        _case(_BROADCAST, orders, Customers("parquet", _CUSTOMERS)),
        _case(_HASH, orders, Dataset("parquet", count + 1)),
        _case(_FIRST, orders, orders),
        _case(_TOP, orders, orders),
    )


def _case(query: _Query, left: Dataset, right: Dataset) -> Case:
    def ours(paths: Paths) -> Mapping[str, Any]:
        text = query.text.format(left=f"file://{paths.of(left)}", right=f"file://{paths.of(right)}")
        sink = f"file://{paths.folder}?format=parquet&compression=snappy"
        return {"text": f"{text} INTO '{sink}'", "threads": 1}

    def duckdb(paths: Paths) -> Mapping[str, Any]:
        text = query.text.format(left=paths.of(left), right=paths.of(right))
        return {"text": text, "target": f"{paths.folder}all.parquet", "threads": 1}

    def contender(
        name: str, function: str, arguments: Callable[[Paths], Mapping[str, Any]], rival: str | None
    ) -> Contender:
        function = f"{_CONTENDERS}.{function}"
        return Contender(name, function, left.rows, arguments, rival, ".parquet")

    return Case(
        f"sql-{query.name}",
        f"{left.rows:,} rows of Parquet, {query.title}",
        (
            contender("ours-1", "sql_ours:query", ours, None),
            contender("duckdb-1", "with_duckdb:query", duckdb, "ours-1"),
        ),
        [times_as_fast("ours-1", "duckdb-1", at_least=query.at_least)],
        [left, right],
    )
