"""The programs between files and PostgreSQL, run as a user runs them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.chaos.endless import stopped_cleanly, wait_until
from tests.chaos.harness import ROOT
from tests.chaos.postgresql import json_lines
from tests.services.database import Database


@pytest.fixture
def shop(database: Database) -> Database:
    database.execute("CREATE TABLE customers (id int8 PRIMARY KEY, name text, country text)")
    database.execute(
        "INSERT INTO customers SELECT i, 'name ' || i, 'DE' FROM generate_series(1, 50) i"
    )
    return database


def start(pipeline: str, **flags: str) -> subprocess.Popen[str]:
    words = [f"--{name.replace('_', '-')}={value}" for name, value in flags.items()]
    return subprocess.Popen(
        [sys.executable, "-m", f"pipelines.{pipeline}", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(pipeline: str, **flags: str) -> str:
    """What it says; fails where its exit code isn't 0."""
    process = start(pipeline, **flags)
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return out + errors


def test_parquet_to_postgresql(shop: Database, tmp_path: Path) -> None:
    duckdb.sql("SELECT range AS id, range / 2 AS amount FROM range(1000)").write_parquet(
        f"{tmp_path}/orders.parquet"
    )
    shop.execute("CREATE TABLE orders (id int8 PRIMARY KEY, amount float8 CHECK (amount < 499))")
    said = run(
        "parquet_to_postgresql",
        files=f"file:{tmp_path}/*.parquet",
        table=shop.uri(table="orders"),
        dead_letters=f"file:{tmp_path}/rejected.jsonl",
        report=f"{tmp_path}/report.json",
    )
    assert "exactly once" in said
    assert shop.execute("SELECT count(*), max(amount) FROM orders") == [(998, 498.5)]
    letters = json_lines(tmp_path / "rejected.jsonl")
    assert [letter["category"] for letter in letters] == ["constraint"] * 2
    assert all("orders_amount_check" in letter["reason"] for letter in letters)
    assert json.loads((tmp_path / "report.json").read_text())["status"] == "done"


def test_postgresql_to_parquet(shop: Database, tmp_path: Path) -> None:
    said = run(
        "postgresql_to_parquet",
        table=shop.uri(table="customers"),
        folder=f"file:{tmp_path}/customers/",
    )
    assert "all or nothing" in said
    found = duckdb.sql(f"SELECT * FROM '{tmp_path}/customers/*.parquet' ORDER BY id").fetchall()
    assert found == shop.execute("SELECT * FROM customers ORDER BY id")


def test_changes_to_jsonl(shop: Database, tmp_path: Path) -> None:
    file = tmp_path / "changes.jsonl"
    flags = {
        "changes": shop.uri(table="customers", mode="cdc", poll_interval="20ms"),
        "file": f"file:{file}",
        "name": "changes",
    }
    process = start("changes_to_jsonl", **flags)
    wait_until(lambda: len(json_lines(file)) == 50, process)
    shop.execute("DELETE FROM customers WHERE id = 7")
    wait_until(lambda: len(json_lines(file)) == 51, process)
    stopped_cleanly(process, signal.SIGINT)
    shop.execute("UPDATE customers SET name = 'else' WHERE id = 8")
    process = start("changes_to_jsonl", **flags)
    wait_until(lambda: len(json_lines(file)) == 52, process)
    stopped_cleanly(process, signal.SIGTERM)
    told = [(change["_operation"], change["id"]) for change in json_lines(file)]
    assert told[50:] == [("delete", 7), ("update", 8)]
    assert {operation for operation, _ in told[:50]} == {"read"}


def test_postgresql_replica(shop: Database) -> None:
    replica = Database(shop.server)
    try:
        process = start(
            "postgresql_replica",
            primary=shop.uri(table="customers", mode="cdc", poll_interval="20ms"),
            replica=replica.uri(table="customers", key="id"),
            name="replica",
        )
        shop.execute("DELETE FROM customers WHERE id <= 10")
        shop.execute("INSERT INTO customers VALUES (99, 'new', 'FR')")

        def equal() -> bool:
            query = "SELECT id, name, country FROM customers ORDER BY id"
            there = replica.execute("SELECT to_regclass('customers') IS NOT NULL") == [(True,)]
            return there and replica.execute(query) == shop.execute(query)

        wait_until(equal, process)
        stopped_cleanly(process, signal.SIGTERM)
    finally:
        replica.drop()


def test_orders_with_customers(shop: Database, tmp_path: Path) -> None:
    lines = ["id,customer_id", *(f"{n},{n % 60}" for n in range(200))]
    (tmp_path / "orders.csv").write_text("\n".join(lines) + "\n")
    run(
        "orders_with_customers",
        orders=f"file:{tmp_path}/orders.csv",
        customers=shop.uri(table="customers"),
        sink=f"file:{tmp_path}/enriched.jsonl",
    )
    found = {row["id"]: row["customer"] for row in json_lines(tmp_path / "enriched.jsonl")}
    assert found == {n: f"name {n % 60}" if 1 <= n % 60 <= 50 else None for n in range(200)}
