"""What is told of changes: operations, order, transactions, replica identities, TOAST, shapes."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from ferris_beam.errors import ConfigurationError
from tests.connectors.postgresql.changes import (
    following,
    rejects_of,
    rows_of,
    told,
    without_meta,
)
from tests.services.database import Database

LARGE = "(SELECT string_agg(md5(g::text), '') FROM generate_series(1, 500) g)"
"""16 kB that don't compress below what a page holds."""


@pytest.fixture
def orders(database: Database) -> Database:
    database.execute("CREATE TABLE orders (id int PRIMARY KEY, status text, amount numeric(8, 2))")
    return database


def test_insert_update_and_delete_are_told_in_their_order(orders: Database) -> None:
    with following(orders, table="orders", snapshot="never") as follower:
        orders.execute("INSERT INTO orders VALUES (1, 'new', 9.5), (2, NULL, NULL)")
        orders.execute("UPDATE orders SET status = 'paid' WHERE id = 1")
        orders.execute("DELETE FROM orders WHERE id = 2")
        changes = follower.changes()
    paid = Decimal("9.50")
    assert without_meta(changes) == [
        dict(id=1, status="new", amount=paid, _operation="insert", _unchanged=None),
        dict(id=2, status=None, amount=None, _operation="insert", _unchanged=None),
        dict(id=1, status="paid", amount=paid, _operation="update", _unchanged=None),
        dict(id=2, status=None, amount=None, _operation="delete", _unchanged=None),
    ]
    positions = [row["_position"] for row in changes]
    assert positions == sorted(set(positions))
    times = [row["_commit_time"] for row in changes]
    assert times == sorted(times)


def test_transactions_are_whole_and_in_the_order_of_their_commits(orders: Database) -> None:
    with following(orders, table="orders", snapshot="never") as follower:
        first, second = orders.connect(), orders.connect()
        first.execute("BEGIN")
        second.execute("BEGIN")
        first.execute("INSERT INTO orders VALUES (1), (2)")
        second.execute("INSERT INTO orders VALUES (3)")
        first.execute("INSERT INTO orders VALUES (4)")
        second.execute("COMMIT")
        first.execute("COMMIT")
        changes = follower.changes()
        first.close()
        second.close()
    assert [row["id"] for row in changes] == [3, 1, 2, 4]
    assert len({row["_lsn"] for row in changes[1:]}) == 1


def test_what_was_rolled_back_is_never_told(orders: Database) -> None:
    with following(orders, table="orders", snapshot="never") as follower:
        with orders.connect() as connection:
            connection.execute("BEGIN")
            connection.execute("INSERT INTO orders VALUES (1)")
            connection.execute("SAVEPOINT s")
            connection.execute("INSERT INTO orders VALUES (2)")
            connection.execute("ROLLBACK TO s")
            connection.execute("INSERT INTO orders VALUES (3)")
            connection.execute("COMMIT")
            connection.execute("BEGIN")
            connection.execute("INSERT INTO orders VALUES (4)")
            connection.execute("ROLLBACK")
        assert [row["id"] for row in follower.changes()] == [1, 3]


def test_a_truncation_is_told_between_what_comes_before_and_behind_it(orders: Database) -> None:
    with following(orders, table="orders", snapshot="never") as follower:
        with orders.connect() as connection:
            connection.execute("BEGIN")
            connection.execute("INSERT INTO orders VALUES (1)")
            connection.execute("TRUNCATE orders")
            connection.execute("INSERT INTO orders VALUES (2)")
            connection.execute("COMMIT")
        changes = follower.changes()
    assert told(changes, "id") == [("insert", 1), ("truncate", None), ("insert", 2)]
    positions = [row["_position"] for row in changes]
    assert positions == sorted(set(positions))


def test_a_change_of_the_key_is_a_delete_and_an_insert(orders: Database) -> None:
    with following(orders, table="orders", snapshot="never") as follower:
        orders.execute("INSERT INTO orders VALUES (1, 'x', 1)")
        orders.execute("UPDATE orders SET id = 7")
        changes = follower.changes()
    assert told(changes, "id", "status") == [
        ("insert", 1, "x"),
        ("delete", 1, None),
        ("insert", 7, "x"),
    ]
    positions = [row["_position"] for row in changes]
    assert positions == sorted(set(positions))


@pytest.mark.parametrize(
    ("identity", "before"),
    [
        ("DEFAULT", {"id": 1, "code": None, "status": None}),
        ("FULL", {"id": 1, "code": "a", "status": "x"}),
        ("USING INDEX by_code", {"id": None, "code": "a", "status": None}),
    ],
)
def test_a_delete_tells_what_the_replica_identity_says(
    database: Database, identity: str, before: dict[str, Any]
) -> None:
    database.execute("CREATE TABLE t (id int PRIMARY KEY, code text NOT NULL, status text)")
    database.execute("CREATE UNIQUE INDEX by_code ON t (code)")
    database.execute(f"ALTER TABLE t REPLICA IDENTITY {identity}")
    with following(database, table="t", snapshot="never") as follower:
        database.execute("INSERT INTO t VALUES (1, 'a', 'x')")
        database.execute("UPDATE t SET status = 'y'")
        database.execute("UPDATE t SET status = 'x'")
        database.execute("DELETE FROM t")
        changes = follower.changes()
    assert [row["_operation"] for row in changes] == ["insert", "update", "update", "delete"]
    deleted = changes[-1]
    assert {name: deleted[name] for name in before} == before


def test_without_a_replica_identity_inserts_and_truncations_are_told(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    database.execute("CREATE TABLE t (id int)")
    database.execute("ALTER TABLE t REPLICA IDENTITY NOTHING")
    with following(database, table="t", snapshot="never") as follower:
        assert "ALTER TABLE public.t REPLICA IDENTITY FULL" in caplog.text
        database.execute("INSERT INTO t VALUES (1), (1)")
        database.execute("TRUNCATE t")
        assert told(follower.changes(), "id") == [
            ("insert", 1),
            ("insert", 1),
            ("truncate", None),
        ]


def test_without_a_key_an_update_of_a_whole_row_is_a_delete_and_an_insert(
    database: Database,
) -> None:
    database.execute("CREATE TABLE t (a int, b text)")
    database.execute("ALTER TABLE t REPLICA IDENTITY FULL")
    with following(database, table="t", snapshot="never") as follower:
        database.execute("INSERT INTO t VALUES (1, 'x')")
        database.execute("UPDATE t SET b = 'y'")
        assert told(follower.changes(), "a", "b") == [
            ("insert", 1, "x"),
            ("delete", 1, "x"),
            ("insert", 1, "y"),
        ]


def test_an_unchanged_toasted_value_is_named_and_not_told_as_null(database: Database) -> None:
    database.execute("CREATE TABLE t (id int PRIMARY KEY, large text, small text)")
    with following(database, table="t", snapshot="never") as follower:
        database.execute(f"INSERT INTO t VALUES (1, {LARGE}, 'x')")
        database.execute("UPDATE t SET small = 'y'")
        database.execute("UPDATE t SET large = NULL")
        inserted, updated, emptied = follower.changes()
    assert len(inserted["large"]) == 16_000
    assert inserted["_unchanged"] is None
    assert (updated["large"], updated["small"], updated["_unchanged"]) == (None, "y", ["large"])
    assert (emptied["large"], emptied["_unchanged"]) == (None, None)


def test_with_full_identity_an_unchanged_toasted_value_is_told(database: Database) -> None:
    database.execute("CREATE TABLE t (id int PRIMARY KEY, large text, small text)")
    database.execute("ALTER TABLE t REPLICA IDENTITY FULL")
    with following(database, table="t", snapshot="never") as follower:
        database.execute(f"INSERT INTO t VALUES (1, {LARGE}, 'x'), (2, 'short', 'x')")
        database.execute("UPDATE t SET small = 'y'")
        changes = follower.changes()
    assert [row["_operation"] for row in changes] == ["insert", "insert", "update", "update"]
    assert changes[2]["large"] == changes[0]["large"]
    assert {row["_unchanged"] is None for row in changes} == {True}


def test_an_envelope_has_the_rows_before_and_after(orders: Database) -> None:
    orders.execute("ALTER TABLE orders REPLICA IDENTITY FULL")
    with following(orders, table="orders", snapshot="never", format="envelope") as follower:
        orders.execute("INSERT INTO orders VALUES (1, 'x', 1)")
        orders.execute("UPDATE orders SET status = 'y'")
        orders.execute("DELETE FROM orders")
        orders.execute("TRUNCATE orders")
        changes = follower.changes()
    first = {"id": 1, "status": "x", "amount": Decimal("1.00")}
    second = {**first, "status": "y"}
    assert [(row["operation"], row["before"], row["after"]) for row in changes] == [
        ("insert", None, first),
        ("update", first, second),
        ("delete", second, None),
        ("truncate", None, None),
    ]
    assert {row["_table"] for row in changes} == {"public.orders"}


def test_several_tables_come_in_one_order_as_texts_that_leave_out_what_is_unchanged(
    orders: Database,
) -> None:
    orders.execute("CREATE SCHEMA other")
    orders.execute("CREATE TABLE other.notes (id int PRIMARY KEY, large text, n float8)")
    tables = ("orders", "other.notes")
    with following(orders, tables=tables, snapshot="never") as follower:
        orders.execute(f"INSERT INTO other.notes VALUES (1, {LARGE}, 'NaN')")
        orders.execute("INSERT INTO orders VALUES (1, 'x', 0.1)")
        orders.execute("UPDATE other.notes SET n = 0.5")
        orders.execute("TRUNCATE orders, other.notes")
        changes = follower.changes()
    names = [(row["operation"], row["_table"]) for row in changes]
    assert names[:3] == [
        ("insert", "other.notes"),
        ("insert", "public.orders"),
        ("update", "other.notes"),
    ]
    assert sorted(names[3:]) == [("truncate", "other.notes"), ("truncate", "public.orders")]
    assert json.loads(changes[0]["after"])["n"] == "NaN"
    assert json.loads(changes[1]["after"]) == {"id": 1, "status": "x", "amount": "0.10"}
    assert json.loads(changes[2]["after"]) == {"id": 1, "n": 0.5}
    assert changes[2]["_unchanged"] == ["large"]


def test_a_schema_as_a_whole_takes_tables_that_come_later(orders: Database) -> None:
    with following(orders, tables=("public.*",), snapshot="never") as follower:
        orders.execute("CREATE TABLE later (id int PRIMARY KEY)")
        orders.execute("INSERT INTO later VALUES (1)")
        orders.execute("INSERT INTO orders VALUES (1)")
        changes = follower.changes()
    assert [row["_table"] for row in changes] == ["public.later", "public.orders"]


def test_a_partitioned_table_tells_changes_under_its_own_name(database: Database) -> None:
    database.execute("CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id)")
    database.execute("CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (100)")
    database.execute("CREATE TABLE high PARTITION OF t FOR VALUES FROM (100) TO (200)")
    database.execute("INSERT INTO t VALUES (1, 'x'), (150, 'x')")
    with following(database, table="t", format="envelope") as follower:
        follower.catch_up()
        database.execute("UPDATE t SET id = 160 WHERE id = 1")
        database.execute("UPDATE t SET v = 'y' WHERE id = 150")
        follower.catch_up()
        changes = rows_of(follower.chunks)
    assert {row["_table"] for row in changes} == {"public.t"}
    operations = [row["operation"] for row in changes]
    assert operations == ["read", "read", "delete", "insert", "update"]


@pytest.mark.parametrize("shape", ["flat", "envelope"])
def test_a_value_that_arrow_cannot_hold_is_a_rejected_row(database: Database, shape: str) -> None:
    database.execute("CREATE TABLE t (id int PRIMARY KEY, n numeric)")
    database.execute("INSERT INTO t VALUES (1, '1e60'), (2, 1)")
    with following(database, table="t", format=shape) as follower:
        follower.catch_up()
        database.execute("INSERT INTO t VALUES (3, 1), (4, '1e60'), (5, 2)")
        follower.catch_up()
        rejected = rejects_of(follower.chunks)
        rows = rows_of(follower.chunks)
    assert [row["id"] if shape == "flat" else row["after"]["id"] for row in rows] == [2, 3, 5]
    assert ["'n'" in reject.reason for reject in rejected] == [True, True]
    assert b"1" in rejected[0].payload
    assert rejected[1].payload.startswith(b"I")
    assert [reject.position for reject in rejected] == sorted(
        reject.position for reject in rejected
    )


def test_a_column_with_the_name_of_ours_needs_an_envelope(database: Database) -> None:
    database.execute("CREATE TABLE t (id int PRIMARY KEY, _lsn int)")
    with (
        following(database, table="t") as follower,
        pytest.raises(ConfigurationError, match="format=envelope"),
    ):
        follower.reader.schema()
    with following(database, table="t", format="envelope") as follower:
        assert "operation" in follower.reader.schema().names


def test_flat_records_of_several_tables_are_refused(orders: Database) -> None:
    with pytest.raises(ConfigurationError, match="format=envelope"):
        following(orders, tables=("a", "b"), format="flat").__enter__()


def test_the_schema_is_that_of_the_batches(orders: Database) -> None:
    for options in ({"format": "flat"}, {"format": "envelope"}):
        with following(orders, table="orders", snapshot="never", **options) as follower:
            schema = follower.reader.schema()
            orders.execute("INSERT INTO orders SELECT g FROM generate_series(1, 3) g")
            chunks = follower.catch_up()
            orders.execute("TRUNCATE orders")
        assert {chunk.records.schema == schema for chunk in chunks} == {True}
