"""The rows that are there first, while they change: handed over to the stream without a gap."""

from __future__ import annotations

import json
import random
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ferris_beam.connectors.postgresql.cdc.mark import Progress, earliest
from ferris_beam.connectors.postgresql.cdc.reader import ChangeReader
from ferris_beam.connectors.postgresql.cdc.tables import TableName
from ferris_beam.errors import ConfigurationError
from tests.connectors.postgresql.changes import (
    Follower,
    Replica,
    following,
    rows_of,
    told,
)
from tests.services.database import Database

ROWS = 600
KEYS = {
    "int": "g",
    "numeric(10,2)": "g / 4.0",
    "timestamptz": "'2026-01-01'::timestamptz + g * interval '1 s'",
    "uuid": "md5(g::text)::uuid",
    "text": "chr(65 + g % 26) || g",
    "bytea": "int4send(g)",
}


Statement = Callable[[random.Random], str]


def on_keys(key: str) -> Statement:
    """A change of ``t``, whose key is this expression of ``g``."""

    def statement(chance: random.Random) -> str:
        g = chance.randint(1, ROWS * 2)
        value = re.sub(r"\bg\b", str(g), key)
        choices = [
            f"INSERT INTO t VALUES ({value}, 'new') ON CONFLICT (id) DO UPDATE SET v = t.v || '+'",
            f"DELETE FROM t WHERE id = {value}",
            f"UPDATE t SET v = 'changed {g}' WHERE id = {value}",
        ]
        return chance.choice(choices)

    return statement


def without_key(chance: random.Random) -> str:
    a, b = chance.randint(1, 60), chance.randint(1, 60)
    choices = [
        f"INSERT INTO t VALUES ({a}, '{b}')",
        f"DELETE FROM t WHERE a = {a} AND v < '{b}'",
        f"UPDATE t SET v = '{b}' WHERE a = {a}",
    ]
    return chance.choice(choices)


@contextmanager
def changing(database: Database, statement: Statement, seed: int) -> Iterator[None]:
    """Random transactions on ``t``, as fast as they go, inside the ``with``."""
    ended = threading.Event()

    def work() -> None:
        chance = random.Random(seed)
        with database.connect() as connection:
            while not ended.is_set():
                connection.execute("BEGIN")
                for _ in range(chance.randint(1, 4)):
                    connection.execute(statement(chance))
                connection.execute("COMMIT" if chance.random() < 0.9 else "ROLLBACK")

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(work)
        try:
            yield
        finally:
            ended.set()
        done.result()


def read_with_restarts(follower: Follower, chance: random.Random) -> None:
    """Reads the snapshot; the process is killed behind every few chunks."""

    def step() -> bool:
        follower.some(chance.randint(1, 4))
        if chance.random() < 0.4:
            follower.restart(batch_rows=chance.randint(20, 90))
        return '"done"' in follower.split.mark

    follower.until(step)


@pytest.mark.parametrize("kind", KEYS)
def test_a_changing_table_is_handed_over_whatever_its_key_and_with_restarts(
    database: Database, kind: str
) -> None:
    database.execute(f"CREATE TABLE t (id {kind} PRIMARY KEY, v text)")
    database.execute(f"INSERT INTO t SELECT {KEYS[kind]}, g FROM generate_series(1, {ROWS}) g")
    database.execute("CREATE TABLE other (id int PRIMARY KEY)")
    tables = ("t", "other")
    with following(database, tables=tables, batch_rows=50, poll_interval="10ms") as follower:
        with changing(database, on_keys(KEYS[kind]), seed=1):
            read_with_restarts(follower, random.Random(2))
        follower.catch_up()
        operations = Counter(row["operation"] for row in rows_of(follower.chunks))
        replica = Replica({"public.t": ("id",), "public.other": ("id",)}, kind not in BY_KEYS)
        for change in rows_of(follower.chunks):
            replica.apply(change)
    assert operations["read"] > ROWS / 3
    assert operations["update"] > 0
    expected = Counter(v for (v,) in database.execute("SELECT v FROM t"))
    assert Counter(row["v"] for row in replica.tables["public.t"].values()) == expected


BY_KEYS = ("text", "bytea")
"""Keys that can't be compared with the window's bounds: changes of rows that the snapshot has not
told may be told before it."""


@pytest.mark.parametrize("restarts", [False, True])
def test_a_table_without_a_key_is_read_in_one_go_and_anew_after_a_kill(
    database: Database, restarts: bool
) -> None:
    database.execute("CREATE TABLE a (id int PRIMARY KEY)")
    database.execute("CREATE TABLE t (a int, v text)")
    database.execute("ALTER TABLE t REPLICA IDENTITY FULL")
    database.execute("INSERT INTO t SELECT g % 50, g % 7 FROM generate_series(1, 500) g")
    with following(database, tables=("a", "t"), batch_rows=40) as follower:
        database.execute("INSERT INTO t VALUES (-1, 'before its snapshot')")
        if restarts:
            follower.until(lambda: '"part"' in follower.split.mark or not follower.some(3))
            follower.restart()
        database.execute("DELETE FROM t WHERE a = 3")
        database.execute("UPDATE t SET v = v || 'x' WHERE a = 4")
        with changing(database, without_key, seed=3):
            follower.until(lambda: '"done"' in follower.split.mark)
        follower.catch_up()
        changes = rows_of(follower.chunks)
    assert restarts == ("truncate" in {row["operation"] for row in changes})
    expected = database.execute("SELECT a, v FROM t ORDER BY 1, 2")
    assert sorted(as_multiset(changes).elements()) == expected


def as_multiset(changes: list[dict[str, Any]]) -> Counter[tuple[int, str]]:
    """The rows of a table without a key."""
    found: Counter[tuple[int, str]] = Counter()
    for change in changes:
        if change["operation"] == "truncate":
            found.clear()
        for side, sign in (("before", -1), ("after", 1)):
            if change[side] is not None:
                row = json.loads(change[side])
                found[row["a"], row["v"]] += sign
    assert not [row for row, count in found.items() if count < 0]
    return found


def test_a_truncation_in_the_midst_of_the_snapshot_begins_the_table_anew(
    database: Database,
) -> None:
    database.execute("CREATE TABLE t (id int PRIMARY KEY, v text)")
    database.execute("INSERT INTO t SELECT g, 'old' FROM generate_series(1, 100) g")
    with following(database, tables=("t", "t"), format="envelope", batch_rows=10) as follower:
        follower.some(3)
        database.execute("TRUNCATE t")
        database.execute("INSERT INTO t SELECT g, 'new' FROM generate_series(1, 15) g")
        follower.catch_up()
        replica = Replica({"public.t": ("id",)})
        for change in rows_of(follower.chunks):
            replica.apply(change)
    found = {key: row["v"] for key, row in replica.tables["public.t"].items()}
    assert found == {(g,): "new" for g in range(1, 16)}


def test_a_key_that_cannot_be_walked_along_is_named(database: Database) -> None:
    database.execute("CREATE TABLE t (id timestamp PRIMARY KEY)")
    database.execute("INSERT INTO t VALUES ('2026-01-01'), ('infinity')")
    with (
        following(database, table="t", batch_rows=2) as follower,
        pytest.raises(ConfigurationError, match=r"key of public\.t .*snapshot=never"),
    ):
        follower.some()


def test_without_a_snapshot_only_changes_come(database: Database) -> None:
    database.execute("CREATE TABLE t (id int PRIMARY KEY)")
    database.execute("INSERT INTO t VALUES (1)")
    with following(database, table="t", snapshot="never") as follower:
        database.execute("INSERT INTO t VALUES (2)")
        assert told(follower.changes(), "id") == [("insert", 2)]
        follower.restart()
        database.execute("INSERT INTO t VALUES (3)")
        assert told(follower.changes(), "id") == [("insert", 3)]


def test_a_snapshot_alone_sees_all_tables_at_one_moment_and_needs_no_slot(
    database: Database,
) -> None:
    for name in "ab":
        database.execute(f"CREATE TABLE {name} (id int PRIMARY KEY)")
        database.execute(f"INSERT INTO {name} SELECT g FROM generate_series(1, 50) g")
    with following(database, tables=("a", "b"), snapshot="only", batch_rows=20) as follower:
        assert (follower.reader.bounded, follower.reader.replayable) == (True, False)
        chunks = follower.reader.read(follower.split)
        found = [next(chunks)]
        database.execute("DELETE FROM b")
        database.execute("INSERT INTO a VALUES (1000)")
        found += list(chunks)
        assert (
            database.execute(
                "SELECT * FROM pg_replication_slots WHERE database = current_database()"
            )
            == []
        )
    rows = rows_of(found)
    assert Counter(row["_table"] for row in rows) == {"public.a": 50, "public.b": 50}
    assert {row["operation"] for row in rows} == {"read"}
    assert found[-1].end == follower.split.interval.end


def test_rows_are_not_told_before_all_that_the_stream_told_is_visible(database: Database) -> None:
    """A transaction that waits for a standby is in the log before others see it."""
    database.execute("CREATE TABLE a (id int PRIMARY KEY, v text)")
    database.execute("CREATE TABLE b (id int PRIMARY KEY)")
    database.execute("INSERT INTO a VALUES (1, 'old')")
    with following(database, tables=("a", "b")) as follower:
        assert isinstance(follower.reader, ChangeReader)
        rows = follower.reader._session_at(follower.split)._source.rows
        with database.connect() as connection:
            connection.execute("BEGIN")
            xid = int(connection.execute("SELECT pg_current_xact_id()::text").fetchone()[0])
            rows.remember(np.array([xid % 2**32], np.int64))
            assert not rows.settled()
            connection.execute("COMMIT")
            assert rows.settled()


def test_sinks_that_stood_apart_in_the_snapshot_get_all_rows(database: Database) -> None:
    """One holds a part more than the other: that is read again, and comes again to both."""
    database.execute("CREATE TABLE t (id int PRIMARY KEY, v text)")
    database.execute("INSERT INTO t SELECT g, 'old' FROM generate_series(1, 60) g")
    with following(database, tables=("t", "t"), format="envelope", batch_rows=20) as follower:
        behind = follower.some(1)
        at = follower.split
        ahead = follower.some(1)
        database.execute("UPDATE t SET v = 'new' WHERE id < 30")
        border = follower.split.interval.start
        follower.restart()
        follower.split = replace(at, borders=(border,))
        follower.some()
        resumed = [chunk for chunk in follower.chunks if chunk.end > border]
        follower.catch_up()
        again = follower.chunks[2:]
    assert border in [chunk.end for chunk in again]
    for held in (behind, [*behind, *ahead]):
        replica = Replica({"public.t": ("id",)}, strict=False)
        for change in rows_of([*held, *(c for c in again if c.end > held[-1].end)]):
            replica.apply(change)
        values = {key[0]: row["v"] for key, row in replica.tables["public.t"].items()}
        assert values == {g: "new" if g < 30 else "old" for g in range(1, 61)}
    assert resumed


def test_a_mark_of_sinks_that_were_apart_promises_what_both_hold() -> None:
    a, b = TableName("public", "a"), TableName("public", "b")
    first = Progress(table=a, cursor=("5",))
    assert earliest([first.encode(), Progress(done=True).encode()]) == first.encode()
    assert earliest([Progress(table=b).encode(), first.encode()]) == first.encode()
    assert earliest([Progress(table=a, finished=True).encode(), first.encode()]) == first.encode()
    other = Progress(table=a, cursor=("7",))
    assert Progress.decode(earliest([first.encode(), other.encode()])).cursor is None
    assert earliest(["", first.encode()]) == ""
