"""The tables that SQL tests ask: seeded, of several files each, in three formats.

`write_tables` writes ``folder/<table>/``; a query reads ``file://folder/<table>/``, and DuckDB the
same files (`load_tables`). What is hard is in the data: NULL and NaN, times before 1970 and on
borders, keys without a match, empty lists, texts of any script, dictionaries, a table without rows.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from tests.sql import hard_values

SEED = 20_240_229
TEXT = pa.dictionary(pa.int32(), pa.string())
MICROS = pa.timestamp("us")
ZONED = pa.timestamp("us", tz="UTC")

Rows = list[dict[str, Any]]


def maybe(chance: random.Random, value: Any, share: float = 0.15) -> Any:
    """``value``, or NULL in ``share`` of the cases."""
    return None if chance.random() < share else value


BUYERS = [number for number in range(1, 67) if number % 7]
"""Every seventh customer never buys; some buyers are no customers."""


def orders(chance: random.Random) -> pa.Table:
    start = datetime(2024, 2, 27)
    rows = [
        {
            "order_id": number,
            "customer_id": maybe(chance, chance.choice(BUYERS), 0.05),
            "product_id": chance.randint(1, 26),
            "status": maybe(chance, chance.choice(["new", "paid", "shipped", "cancelled"]), 0.05),
            "quantity": chance.randint(1, 9),
            "amount": Decimal(chance.randint(100, 99_999)) / 100,
            "discount": maybe(chance, chance.choice([0.0, 0.05, 0.1, 0.25]), 0.3),
            "ordered_at": start + timedelta(minutes=chance.choice([10, 15, 60]) * number % 5_760),
            "shipped_on": maybe(chance, date(2024, 2, 27) + timedelta(chance.randint(0, 9)), 0.3),
            "gift": maybe(chance, chance.random() < 0.4, 0.1),
            "note": maybe(chance, chance.choice(["", "fragile", "über eilig", "ring twice"]), 0.5),
        }
        for number in range(1, 361)
    ]
    schema = pa.schema(
        {
            "order_id": pa.int64(),
            "customer_id": pa.int64(),
            "product_id": pa.int32(),
            "status": TEXT,
            "quantity": pa.int32(),
            "amount": pa.decimal128(10, 2),
            "discount": pa.float64(),
            "ordered_at": MICROS,
            "shipped_on": pa.date32(),
            "gift": pa.bool_(),
            "note": pa.string(),
        }
    )
    return pa.Table.from_pylist(rows, schema)


COUNTRIES = ["AT", "BR", "DE", "FR", "JP", "US"]
CITIES = ["Graz", "Olinda", "Köln", "Lyon", "京都", "Salem"]


def customers(chance: random.Random) -> Rows:
    def customer(number: int) -> dict[str, Any]:
        place = chance.randrange(len(COUNTRIES))
        geo = {"lat": round(chance.uniform(-60, 60), 4), "lon": round(chance.uniform(-180, 180), 4)}
        return {
            "customer_id": number,
            "name": f"{chance.choice(['Ada', 'Bo', 'Chloé', 'Dmitri', 'Eve'])} {number:03d}",
            "country": maybe(chance, COUNTRIES[place], 0.08) if number > 1 else "AT",
            "signed_up": str(date(2019, 12, 28) + timedelta(chance.randint(0, 1_400))),
            "vip": chance.random() < 0.3,
            "referrer": maybe(chance, chance.randint(1, 60), 0.4) if number > 1 else 7,
            "address": {"street": f"{number} Main St", "city": CITIES[place], "geo": geo},
            "tags": chance.sample(["new", "loyal", "b2b", "trial"], chance.randint(0, 3)),
            "profile": json.dumps(
                {"level": chance.randint(1, 5), "theme": chance.choice(["dark", "light", None])}
            ),
        }

    return [customer(number) for number in range(1, 61)]


def products(chance: random.Random) -> pa.Table:
    names = ["anvil", "bolt", "cable", "drill", "ember", "flask", "gauge", "hinge"]
    rows = [
        {
            "product_id": number,
            "name": f"{names[number % 8]} {number}",
            "category": ["tools", "parts", "lab", "toys"][number % 4],
            "price": chance.randint(50, 20_000) / 100,
            "weight": maybe(chance, chance.randint(1, 900)),
            "launched": date(2020, 1, 1) + timedelta(37 * number),
        }
        for number in range(1, 25)
    ]
    return pa.Table.from_pylist(rows)


def events(chance: random.Random) -> pa.Table:
    """From two hours before 1970 to four hours after, one in five exactly on a border of 5 min."""
    epoch, rows = datetime(1970, 1, 1), []
    for number in range(1, 421):
        micros = chance.randint(-7_200_000_000, 14_400_000_000)
        if number % 5 == 0:
            micros -= micros % 300_000_000
        at = epoch + timedelta(microseconds=micros)
        page = chance.choice(["/", "/cart?item=3&coupon=x%20y", "/help#top", "/a/b.html"])
        rows.append(
            {
                "event_id": number,
                "user_id": maybe(chance, chance.randint(1, 12), 0.04),
                "kind": chance.choice(["click", "view", "buy"]),
                "seen_at": at,
                "seen_utc": at,
                "value": maybe(chance, chance.randint(-4_000, 4_000) / 8),
                "url": f"https://shop.example:8443{page}",
            }
        )
    kinds = {"event_id": pa.int64(), "user_id": pa.int32(), "kind": TEXT, "seen_at": MICROS}
    more = {"seen_utc": ZONED, "value": pa.float64(), "url": pa.string()}
    return pa.Table.from_pylist(rows, pa.schema(kinds | more))


def readings(chance: random.Random) -> pa.Table:
    start, rows = datetime(2024, 3, 30, 12), []
    for _ in range(300):
        warm = chance.choice([float("nan"), -0.0, 0.0, None, *[chance.randint(-80, 160) / 4] * 12])
        rows.append(
            {
                "sensor": maybe(chance, f"s{chance.randint(1, 5)}", 0.05),
                "taken_at": start + timedelta(seconds=chance.randint(0, 180_000)),
                "temperature": warm,
                "humidity": maybe(chance, chance.randint(0, 400) / 4),
                "level": maybe(chance, chance.randint(-300, 300)),
                "alarm": maybe(chance, chance.random() < 0.2),
            }
        )
    schema = pa.schema(
        {
            "sensor": TEXT,
            "taken_at": MICROS,
            "temperature": pa.float64(),
            "humidity": pa.float32(),
            "level": pa.int16(),
            "alarm": pa.bool_(),
        }
    )
    return pa.Table.from_pylist(rows, schema)


def employees(chance: random.Random) -> pa.Table:
    rows = [
        {
            "id": number,
            "name": f"{chance.choice('KLMNOP')}{number}",
            "boss": None if number == 1 else chance.randint(1, max(1, number // 3)),
            "department": maybe(chance, chance.randint(1, 4), 0.1),
            "salary": Decimal(chance.randint(20, 90)) * 100,
            "hired": date(2010, 1, 31) + timedelta(chance.randint(0, 4_000)),
        }
        for number in range(1, 41)
    ]
    kinds = {"id": pa.int32(), "name": pa.string(), "boss": pa.int32(), "department": pa.int32()}
    more = {"salary": pa.decimal128(10, 2), "hired": pa.date32()}
    return pa.Table.from_pylist(rows, pa.schema(kinds | more))


def departments(_: random.Random) -> pa.Table:
    names = ["research", "sales", "support", "legal", "archive"]
    budgets = [Decimal("250000.50"), Decimal("99000.00"), None, Decimal("10.25"), Decimal("0.00")]
    columns = {"id": pa.array(range(1, 6), pa.int32()), "name": names}
    return pa.table(columns | {"budget": pa.array(budgets, pa.decimal128(12, 2))})


MAKERS: dict[str, Callable[[random.Random], Any]] = {
    "orders": orders,
    "customers": customers,
    "products": products,
    "events": events,
    "readings": readings,
    "employees": employees,
    "departments": departments,
    "nested": hard_values.nested,
    "numerics": hard_values.numerics,
    "extremes": hard_values.extremes,
    "texts": hard_values.texts,
    "days": hard_values.days,
    "empty": hard_values.empty,
    "hollow": hard_values.hollow,
}
"""Each table by its name."""

PIECES = {"orders": 4, "events": 3, "readings": 3, "customers": 2, "products": 2, "nested": 2}
"""In how many files a table stands; one where it isn't named."""

_CUSTOMERS = """
    SELECT * FROM read_json('{files}', columns = {{
        customer_id: 'BIGINT', name: 'VARCHAR', country: 'VARCHAR', signed_up: 'DATE',
        vip: 'BOOLEAN', referrer: 'BIGINT',
        address: 'STRUCT(street VARCHAR, city VARCHAR, geo STRUCT(lat DOUBLE, lon DOUBLE))',
        tags: 'VARCHAR[]', profile: 'VARCHAR'}})
"""
_PRODUCTS = """
    SELECT * FROM read_csv('{files}', header = true, columns = {{
        product_id: 'BIGINT', name: 'VARCHAR', category: 'VARCHAR', price: 'DOUBLE',
        weight: 'BIGINT', launched: 'DATE'}})
"""
_QUERIES = {"customers": _CUSTOMERS, "products": _PRODUCTS}


def write_tables(folder: Path) -> None:
    """Writes every table to ``folder/<name>/``."""
    for name, maker in MAKERS.items():
        chance = random.Random(f"{SEED} {name}")
        (folder / name).mkdir(parents=True)
        content = maker(chance)
        count = PIECES.get(name, 1)
        size = -(-len(content) // count) or 1
        for piece in range(count):
            _write(folder / name / f"part-{piece}", name, content, piece * size, size)


def _write(path: Path, name: str, content: Any, first: int, size: int) -> None:
    if name == "customers":
        lines = [json.dumps(row, ensure_ascii=False) for row in content[first : first + size]]
        path.with_suffix(".jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    elif name == "products":
        pyarrow.csv.write_csv(content.slice(first, size), path.with_suffix(".csv"))
    else:
        rows = content.slice(first, size)
        pq.write_table(rows, path.with_suffix(".parquet"), row_group_size=64)


def load_tables(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Makes each table known to DuckDB under its name, read from the same files."""
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET default_null_order = 'nulls_last_on_asc_first_on_desc'")
    for name in MAKERS:
        query = _QUERIES.get(name, "SELECT * FROM read_parquet('{files}')")
        files = f"{folder / name}/*"
        connection.execute(f"CREATE TABLE {name} AS {query.format(files=files)}")
