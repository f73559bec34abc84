"""Copies with a PostgreSQL database at one end or both, killed as those of files are."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from psycopg import sql

from tests.chaos.harness import ROOT
from tests.services.database import Database

Rows = Counter[tuple[Any, ...]]


@dataclass
class Transfer:
    """One command with a name; ``progress`` grows with each commit of its sinks."""

    source: str
    sink: str
    progress: Callable[[], int]
    dead_letters: str = ""
    name: str = "chaos"
    module: str = "pipelines.copy"
    flags: Sequence[str] = ()

    def start(self) -> subprocess.Popen[str]:
        command = [
            *(sys.executable, "-m", self.module, "--name", self.name, "--quiet"),
            *("--source", self.source, "--sink", self.sink),
            *(("--dead-letters", self.dead_letters) if self.dead_letters else ()),
            *self.flags,
        ]
        return subprocess.Popen(
            command, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True
        )


# ── ledgers ─────────────────────────────────────────────────────────────────────────────────────


def ledger_of(database: Database) -> Callable[[], int]:
    """The numbers that the ledgers in a database have reached, added up."""

    def reached() -> int:
        try:
            ((total,),) = database.execute(
                "SELECT coalesce(sum(latest), 0)::int8 FROM (SELECT max(number) + 1 AS latest "
                "FROM _ferris_ledger GROUP BY sink, pipeline) AS each_one"
            )
        except psycopg.errors.UndefinedTable:
            return 0
        except psycopg.OperationalError:  # the server is down just now
            return -1
        return int(total)

    return reached


def log_of(folder: Path, name: str = "chaos") -> Callable[[], int]:
    """The entries that the log of a file sink has got."""

    def reached() -> int:
        found = folder.glob(f"_ferris/**/{name}/log/*") if folder.exists() else ()
        numbers = [int(path.stem) for path in found if path.stem.isdigit()]
        return 1 + max(numbers, default=-1)

    return reached


# ── rows ────────────────────────────────────────────────────────────────────────────────────────


def rows_of(database: Database, table: str) -> Rows:
    """All rows of a table; none where it isn't there."""
    try:
        return Counter(database.execute(f"SELECT * FROM {table}"))
    except psycopg.errors.UndefinedTable:
        return Counter()


def parquet_rows(folder: Path) -> Rows:
    if not any(folder.glob("*.parquet")):
        return Counter()
    return Counter(duckdb.sql(f"SELECT * FROM '{folder}/*.parquet'").fetchall())


def json_lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines: the last one may be on its way."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines(True) if line[-1:] == "\n"]


# ── a table that changes ────────────────────────────────────────────────────────────────────────


class Shop:
    """A table of orders, changed by seeded transactions."""

    TABLE = "orders"

    def __init__(self, database: Database, rows: int, seed: int) -> None:
        self.database = database
        self.chance = random.Random(seed)
        self.next = rows + 1
        database.execute(
            f"CREATE TABLE {self.TABLE} (id int8 PRIMARY KEY, amount numeric(12,2), note text)"
        )
        database.execute(
            f"INSERT INTO {self.TABLE} SELECT i, i / 4.0, 'note ' || i "
            "FROM generate_series(1, %s) AS i",
            [rows],
        )

    def rows(self) -> Rows:
        return rows_of(self.database, self.TABLE)

    def change(self, connection: psycopg.Connection[Any] | None = None) -> None:
        """One transaction of a few changes; some are rolled back."""
        opened = connection or self.database.connect()
        try:
            with opened.transaction() as transaction:
                for _ in range(self.chance.randint(1, 6)):
                    opened.execute(*self._statement())
                if self.chance.random() < 0.1:
                    raise psycopg.Rollback(transaction)
        finally:
            if connection is None:
                opened.close()

    def _statement(self) -> tuple[sql.SQL, list[Any]]:
        existing = self.chance.randrange(1, self.next)
        kind = self.chance.random()
        if kind < 0.5:
            self.next += 1
            values = [self.next - 1, self.chance.randrange(10_000) / 100, f"new {self.next}"]
            return sql.SQL("INSERT INTO orders VALUES (%s, %s, %s)"), values
        if kind < 0.8:
            amount = self.chance.randrange(10_000) / 100
            return sql.SQL("UPDATE orders SET amount = %s WHERE id = %s"), [amount, existing]
        if kind < 0.9:
            self.next += 1
            return sql.SQL("UPDATE orders SET id = %s WHERE id = %s"), [self.next - 1, existing]
        return sql.SQL("DELETE FROM orders WHERE id = %s"), [existing]


def replayed(changes: Sequence[dict[str, Any]], columns: Sequence[str], key: str) -> Rows:
    """The table that flat changes come to, applied one by one in their order.

    Raises `AssertionError` where a position comes twice.
    """
    positions = [change["_position"] for change in changes]
    assert len(set(positions)) == len(positions), "a change is there twice"
    table: dict[Any, tuple[Any, ...]] = {}
    for change in changes:
        if change["_operation"] == "delete":
            table.pop(change[key], None)
        elif change["_operation"] == "truncate":
            table.clear()
        else:
            table[change[key]] = tuple(change[column] for column in columns)
    return Counter(table.values())
