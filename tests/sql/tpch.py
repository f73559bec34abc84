"""Small tables of TPC-H's shape (specification 3.0.1, 1.4): seeded, in Parquet, of several files.

Names, types, ranges and words are the specification's; amounts are drawn evenly, and the tables are
so small that every nation has two suppliers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

SUPPLIERS, PARTS, CUSTOMERS, ORDERS = 50, 200, 150, 1500
MONEY = pa.decimal128(15, 2)
SEED = 19_921_213

REGIONS = ("AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST")
NATIONS = (
    *(("ALGERIA", 0), ("ARGENTINA", 1), ("BRAZIL", 1), ("CANADA", 1), ("EGYPT", 4)),
    *(("ETHIOPIA", 0), ("FRANCE", 3), ("GERMANY", 3), ("INDIA", 2), ("INDONESIA", 2)),
    *(("IRAN", 4), ("IRAQ", 4), ("JAPAN", 2), ("JORDAN", 4), ("KENYA", 0)),
    *(("MOROCCO", 0), ("MOZAMBIQUE", 0), ("PERU", 1), ("CHINA", 2), ("ROMANIA", 3)),
    *(("SAUDI ARABIA", 4), ("VIETNAM", 2), ("RUSSIA", 3), ("UNITED KINGDOM", 3)),
    ("UNITED STATES", 1),
)
COLORS = ("almond", "azure", "blue", "brown", "coral", "forest", "green", "ivory", "plum", "red")
TYPES = (
    ("STANDARD", "SMALL", "MEDIUM", "LARGE", "ECONOMY", "PROMO"),
    ("ANODIZED", "BURNISHED", "PLATED", "POLISHED", "BRUSHED"),
    ("TIN", "NICKEL", "BRASS", "STEEL", "COPPER"),
)
CONTAINERS = (
    ("SM", "LG", "MED", "JUMBO", "WRAP"),
    ("CASE", "BOX", "BAG", "JAR", "PKG", "PACK", "CAN", "DRUM"),
)
SEGMENTS = ("AUTOMOBILE", "BUILDING", "FURNITURE", "MACHINERY", "HOUSEHOLD")
PRIORITIES = ("1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW")
MODES = ("REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB")
INSTRUCTIONS = ("DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN")
WORDS = (
    "carefully",
    "special",
    "requests",
    "sleep",
    "furiously",
    "Customer",
    "Complaints",
    "deposits",
)
FIRST_DAY, LAST_DAY = date(1992, 1, 1), date(1998, 8, 2)
TODAY = date(1995, 6, 17)
"""CURRENTDATE of the specification: what was received before is returned or accepted."""

Random = np.random.Generator


def money(cents: np.ndarray) -> pa.Array:
    whole = pa.array(cents.astype(np.int64)).cast(pa.decimal128(19, 0))
    return pc.multiply(whole, pa.scalar("0.01").cast(pa.decimal128(3, 2))).cast(MONEY)


def days(numbers: np.ndarray) -> pa.Array:
    return pa.array(numbers.astype(np.int32)).cast(pa.date32())


def day(of: date) -> int:
    return (of - date(1970, 1, 1)).days


def drawn(random: Random, words: Sequence[str], count: int) -> list[str]:
    return [words[at] for at in random.integers(0, len(words), count)]


def phrases(random: Random, parts: Sequence[Sequence[str]], count: int) -> list[str]:
    return [
        " ".join(found) for found in zip(*(drawn(random, p, count) for p in parts), strict=True)
    ]


def comments(random: Random, count: int) -> list[str]:
    return phrases(random, [WORDS] * 4, count)


def phones(nations: np.ndarray) -> list[str]:
    return [f"{nation + 10}-{at:03}-555-{at:04}" for at, nation in enumerate(nations.tolist())]


def numbered(prefix: str, keys: np.ndarray) -> list[str]:
    return [f"{prefix}#{key:09}" for key in keys.tolist()]


def region(random: Random) -> pa.Table:
    keys = pa.array(range(len(REGIONS)), pa.int32())
    return pa.table(
        {"r_regionkey": keys, "r_name": REGIONS, "r_comment": comments(random, len(REGIONS))}
    )


def nation(random: Random) -> pa.Table:
    return pa.table(
        {
            "n_nationkey": pa.array(range(len(NATIONS)), pa.int32()),
            "n_name": [name for name, _ in NATIONS],
            "n_regionkey": pa.array([region for _, region in NATIONS], pa.int32()),
            "n_comment": comments(random, len(NATIONS)),
        }
    )


def supplier(random: Random) -> pa.Table:
    keys = np.arange(1, SUPPLIERS + 1)
    nations = keys % len(NATIONS)
    return pa.table(
        {
            "s_suppkey": keys,
            "s_name": numbered("Supplier", keys),
            "s_address": [f"{key} Main Street" for key in keys.tolist()],
            "s_nationkey": nations.astype(np.int32),
            "s_phone": phones(nations),
            "s_acctbal": money(random.integers(-99_999, 999_999, SUPPLIERS)),
            "s_comment": comments(random, SUPPLIERS),
        }
    )


def part(random: Random) -> pa.Table:
    keys = np.arange(1, PARTS + 1)
    makers = random.integers(1, 6, PARTS)
    brands = makers * 10 + random.integers(1, 6, PARTS)
    return pa.table(
        {
            "p_partkey": keys,
            "p_name": phrases(random, [COLORS] * 3, PARTS),
            "p_mfgr": [f"Manufacturer#{maker}" for maker in makers.tolist()],
            "p_brand": [f"Brand#{brand}" for brand in brands.tolist()],
            "p_type": phrases(random, TYPES, PARTS),
            "p_size": random.integers(1, 51, PARTS).astype(np.int32),
            "p_container": phrases(random, CONTAINERS, PARTS),
            "p_retailprice": money(90_000 + keys * 10),
            "p_comment": comments(random, PARTS),
        }
    )


def supplier_of(parts: np.ndarray, which: np.ndarray) -> np.ndarray:
    """The four suppliers of a part; ``which``: 0 to 3."""
    return (parts + which * (SUPPLIERS // 4 + 1)) % SUPPLIERS + 1


def partsupp(random: Random) -> pa.Table:
    parts, which = np.repeat(np.arange(1, PARTS + 1), 4), np.tile(np.arange(4), PARTS)
    return pa.table(
        {
            "ps_partkey": parts,
            "ps_suppkey": supplier_of(parts, which),
            "ps_availqty": random.integers(1, 10_000, len(parts)).astype(np.int32),
            "ps_supplycost": money(random.integers(100, 100_001, len(parts))),
            "ps_comment": comments(random, len(parts)),
        }
    )


def customer(random: Random) -> pa.Table:
    keys = np.arange(1, CUSTOMERS + 1)
    nations = random.integers(0, len(NATIONS), CUSTOMERS)
    return pa.table(
        {
            "c_custkey": keys,
            "c_name": numbered("Customer", keys),
            "c_address": [f"{key} High Street" for key in keys.tolist()],
            "c_nationkey": nations.astype(np.int32),
            "c_phone": phones(nations),
            "c_acctbal": money(random.integers(-99_999, 999_999, CUSTOMERS)),
            "c_mktsegment": drawn(random, SEGMENTS, CUSTOMERS),
            "c_comment": comments(random, CUSTOMERS),
        }
    )


def order_days() -> np.ndarray:
    """Drawn apart, since the lines need them too."""
    random = np.random.default_rng(SEED)
    return random.integers(day(FIRST_DAY), day(LAST_DAY) - 121, ORDERS)


def order_keys() -> np.ndarray:
    """Eight of every 32 numbers are used."""
    at = np.arange(ORDERS)
    return at // 8 * 32 + at % 8 + 1


def orders(random: Random) -> pa.Table:
    ordered = order_days()
    status = np.where(ordered < day(TODAY) - 100, "F", np.where(ordered < day(TODAY), "P", "O"))
    buyers = random.integers(0, CUSTOMERS // 3, ORDERS) * 3 + random.integers(1, 3, ORDERS)
    return pa.table(
        {
            "o_orderkey": order_keys(),
            "o_custkey": buyers,  # every third customer never buys
            "o_orderstatus": status.tolist(),
            "o_totalprice": money(random.integers(100_000, 50_000_000, ORDERS)),
            "o_orderdate": days(ordered),
            "o_orderpriority": drawn(random, PRIORITIES, ORDERS),
            "o_clerk": numbered("Clerk", random.integers(1, 50, ORDERS)),
            "o_shippriority": np.zeros(ORDERS, np.int32),
            "o_comment": comments(random, ORDERS),
        }
    )


def lineitem(random: Random) -> pa.Table:
    counts = random.integers(1, 8, ORDERS)
    keys, ordered = np.repeat(order_keys(), counts), np.repeat(order_days(), counts)
    lines = len(keys)
    parts = random.integers(1, PARTS + 1, lines)
    quantities = random.integers(1, 51, lines)
    shipped = ordered + random.integers(1, 122, lines)
    received = shipped + random.integers(1, 31, lines)
    returned = np.where(received > day(TODAY), "N", np.where(random.random(lines) < 0.5, "R", "A"))
    return pa.table(
        {
            "l_orderkey": keys,
            "l_partkey": parts,
            "l_suppkey": supplier_of(parts, random.integers(0, 4, lines)),
            "l_linenumber": np.concatenate([np.arange(1, n + 1) for n in counts]).astype(np.int32),
            "l_quantity": money(quantities * 100),
            "l_extendedprice": money(quantities * (90_000 + parts * 10)),
            "l_discount": money(random.integers(0, 11, lines)),
            "l_tax": money(random.integers(0, 9, lines)),
            "l_returnflag": returned.tolist(),
            "l_linestatus": np.where(shipped > day(TODAY), "O", "F").tolist(),
            "l_shipdate": days(shipped),
            "l_commitdate": days(ordered + random.integers(30, 91, lines)),
            "l_receiptdate": days(received),
            "l_shipinstruct": drawn(random, INSTRUCTIONS, lines),
            "l_shipmode": drawn(random, MODES, lines),
            "l_comment": comments(random, lines),
        }
    )


MAKERS: tuple[Callable[[Random], pa.Table], ...] = (
    region,
    nation,
    supplier,
    part,
    partsupp,
    customer,
    orders,
    lineitem,
)
PIECES = {"orders": 2, "lineitem": 3, "partsupp": 2}
"""In how many files a table stands; one where it isn't named."""


def tables() -> dict[str, pa.Table]:
    return {
        maker.__name__: maker(np.random.default_rng(SEED + at)) for at, maker in enumerate(MAKERS)
    }


def write_tables(folder: Path) -> None:
    """Writes every table to ``folder/<name>/``."""
    for name, table in tables().items():
        (folder / name).mkdir(parents=True)
        size = -(-table.num_rows // PIECES.get(name, 1))
        for at in range(0, table.num_rows, size):
            path = folder / name / f"part-{at // size}.parquet"
            pq.write_table(table.slice(at, size), path, row_group_size=1000)


def load_tables(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Makes each table known to DuckDB as ``tpch.<name>``, read from the same files."""
    connection.execute("CREATE SCHEMA tpch")
    for maker in MAKERS:
        files = folder / maker.__name__ / "*.parquet"
        connection.execute(
            f"CREATE TABLE tpch.{maker.__name__} AS SELECT * FROM read_parquet('{files}')"
        )
