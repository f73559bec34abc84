"""Persons, auctions and bids, as the Nexmark benchmark describes them.

Source: the Nexmark benchmark for streaming systems (P. Tucker et al., 2002) in the form that Beam
and Flink use: of 50 events one is a new person, three are new auctions, 46 are bids; some sellers,
auctions and bidders are hot; ids count from 1,000; prices are 10^(6·u) of a uniform u.
"""

from __future__ import annotations

import random
import string
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

EVENTS = 6_000
START = datetime(2015, 7, 15)
FIRST_ID = 1_000
STATES = ("AZ", "CA", "ID", "OR", "WA", "WY")
CITIES = ("Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond")
CHANNELS = ("Google", "Facebook", "Baidu", "Apple", "channel-1", "channel-17", "channel-4711")
TIME = pa.timestamp("us")

SCHEMAS = {
    "person": pa.schema(
        {
            "id": pa.int64(),
            "name": pa.string(),
            "emailAddress": pa.string(),
            "creditCard": pa.string(),
            "city": pa.string(),
            "state": pa.string(),
            "dateTime": TIME,
            "extra": pa.string(),
        }
    ),
    "auction": pa.schema(
        {
            "id": pa.int64(),
            "itemName": pa.string(),
            "description": pa.string(),
            "initialBid": pa.int64(),
            "reserve": pa.int64(),
            "dateTime": TIME,
            "expires": TIME,
            "seller": pa.int64(),
            "category": pa.int64(),
            "extra": pa.string(),
        }
    ),
    "bid": pa.schema(
        {
            "auction": pa.int64(),
            "bidder": pa.int64(),
            "price": pa.int64(),
            "channel": pa.string(),
            "url": pa.string(),
            "dateTime": TIME,
            "extra": pa.string(),
        }
    ),
    "side_input": pa.schema({"key": pa.int64(), "value": pa.string()}),
}

Row = dict[str, Any]


class Generator:
    """Makes the events in order of their numbers; times go up, with a little disorder."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.persons = 0
        self.auctions = 0

    def events(self, count: int) -> Iterator[tuple[str, Row]]:
        for number in range(count):
            jitter = self.chance.randint(-400_000, 400_000)
            at = START + timedelta(microseconds=25_000 * number + jitter)
            place = number % 50
            if place == 0:
                yield "person", self._person(at)
            elif place < 4:
                yield "auction", self._auction(at)
            else:
                yield "bid", self._bid(at)

    def _person(self, at: datetime) -> Row:
        self.persons += 1
        name = f"{self._word(5)} {self._word(7)}"
        return {
            "id": FIRST_ID + self.persons - 1,
            "name": name,
            "emailAddress": f"{name.replace(' ', '.')}@{self._word(4)}.example",
            "creditCard": " ".join(f"{self.chance.randint(0, 9_999):04d}" for _ in range(4)),
            "city": self.chance.choice(CITIES),
            "state": self.chance.choice(STATES),
            "dateTime": at,
            "extra": self._word(12),
        }

    def _auction(self, at: datetime) -> Row:
        self.auctions += 1
        initial = self._price()
        return {
            "id": FIRST_ID + self.auctions - 1,
            "itemName": self._word(10),
            "description": self._word(20),
            "initialBid": initial,
            "reserve": initial + self._price(),
            "dateTime": at,
            "expires": at + timedelta(microseconds=self.chance.randint(1, 60_000_000)),
            "seller": FIRST_ID + self._recent(self.persons, hot=4),
            "category": 10 + self.chance.randint(0, 4),
            "extra": self._word(12),
        }

    def _bid(self, at: datetime) -> Row:
        channel = self.chance.choice(CHANNELS)
        path = "/".join(self._word(4) for _ in range(3))
        query = f"&channel_id={channel[8:]}" if channel.startswith("channel-") else ""
        return {
            "auction": FIRST_ID + self._recent(self.auctions, hot=2),
            "bidder": FIRST_ID + self._recent(self.persons, hot=4),
            "price": self._price(),
            "channel": channel,
            "url": f"https://www.nexmark.example/{path}/item.htm?query=1{query}",
            "dateTime": at,
            "extra": self._word(12),
        }

    def _recent(self, count: int, hot: int) -> int:
        """One of the last hundred; every ``hot``-th time not, but the hot one of them."""
        first = max(0, count - 100)
        if self.chance.randrange(hot) == 0:
            return max(first, count - 1 - count % 20)
        return self.chance.randint(first, count - 1)

    def _price(self) -> int:
        return round(10 ** (self.chance.random() * 6) * 100)

    def _word(self, length: int) -> str:
        return "".join(self.chance.choices(string.ascii_lowercase, k=length))


def write_tables(folder: Path, events: int = EVENTS, seed: int = 7, pieces: int = 3) -> None:
    """Writes ``folder/<table>/``, each of several Parquet files; rows in order of arrival."""
    rows: dict[str, list[Row]] = {name: [] for name in SCHEMAS}
    for name, row in Generator(seed).events(events):
        rows[name].append(row)
    rows["side_input"] = [{"key": key, "value": f"side-{key}"} for key in range(0, 10_000, 3)]
    for name, schema in SCHEMAS.items():
        (folder / name).mkdir(parents=True)
        size = -(-len(rows[name]) // pieces)
        for piece in range(pieces):
            part = pa.Table.from_pylist(rows[name][piece * size : (piece + 1) * size], schema)
            pq.write_table(part, folder / name / f"part-{piece}.parquet", row_group_size=1_000)


def load_tables(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Makes the tables known to DuckDB, in the schema ``nexmark``."""
    connection.execute("CREATE SCHEMA nexmark")
    for name in SCHEMAS:
        files = f"{folder / name}/*.parquet"
        connection.execute(f"CREATE TABLE nexmark.{name} AS SELECT * FROM read_parquet('{files}')")
