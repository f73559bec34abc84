"""Whole pipelines from a slot into files: stopped, started again, cut, with huge transactions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.connectors.postgresql.changes import copying, following, lines_of, start_copy
from tests.services.database import Database
from tests.services.postgresql import running


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ferris_beam.transforms.read_endless.ACKNOWLEDGE_SECONDS", 0.1)


def source_of(database: Database, **options: Any) -> str:
    given = {"mode": "cdc", "table": "t", "poll_interval": "20ms", **options}
    return database.uri(**given)


def seen_in(out: Path, number: int) -> Callable[[], bool]:
    return lambda: any(row["id"] == number for row in lines_of(out))


def identifiers(out: Path) -> list[int]:
    return [row["id"] for row in lines_of(out)]


@pytest.fixture
def table(database: Database) -> Database:
    database.execute("CREATE TABLE t (id int PRIMARY KEY, v text)")
    return database


def test_stopped_and_started_again_each_change_is_there_once(
    table: Database, tmp_path: Path
) -> None:
    out = tmp_path / "t.jsonl"
    table.execute("INSERT INTO t SELECT g, 'old' FROM generate_series(1, 10) g")
    for run in range(3):
        first = 100 * (run + 1)
        with copying(source_of(table), f"file://{out}", "--name=n") as copy:
            table.execute(f"INSERT INTO t SELECT generate_series({first}, {first + 9})")
            copy.wait(seen_in(out, first + 9))
        table.execute(f"INSERT INTO t SELECT generate_series({first + 10}, {first + 19})")
    with copying(source_of(table), f"file://{out}", "--name=n") as copy:
        copy.wait(seen_in(out, 319))
    expected = [row[0] for row in table.execute("SELECT id FROM t ORDER BY id")]
    assert sorted(identifiers(out)) == expected
    assert {row["_operation"] for row in lines_of(out)} == {"read", "insert"}


def test_the_slot_is_confirmed_up_to_what_the_sink_holds(table: Database, tmp_path: Path) -> None:
    out = tmp_path / "t.jsonl"
    lag = (
        "SELECT pg_current_wal_flush_lsn() - confirmed_flush_lsn FROM pg_replication_slots "
        "WHERE database = current_database()"
    )
    with copying(source_of(table, heartbeat="100ms"), f"file://{out}", "--name=n") as copy:
        table.execute("INSERT INTO t SELECT g FROM generate_series(1, 20000) g")
        copy.wait(seen_in(out, 20_000))
        copy.wait(lambda: table.execute(lag)[0][0] < 100_000)


def test_a_connection_that_is_cut_goes_on_without_a_loss(table: Database, tmp_path: Path) -> None:
    out = tmp_path / "t.jsonl"
    cut = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name = 'ferris_beam' AND {}"
    )
    ours = ("backend_type = 'walsender'", "backend_type = 'client backend'", "true")
    with copying(source_of(table), f"file://{out}", "--name=n") as copy:
        for number, which in enumerate(ours):
            table.execute(f"INSERT INTO t SELECT generate_series({number}001, {number}999)")
            copy.wait(seen_in(out, number * 1000 + 999))
            copy.wait(partial(is_cut, table, cut.format(which)))
        table.execute("INSERT INTO t VALUES (-1)")
        copy.wait(seen_in(out, -1))
    expected = [row[0] for row in table.execute("SELECT id FROM t ORDER BY id")]
    assert sorted(identifiers(out)) == expected


def is_cut(database: Database, statement: str) -> bool:
    """A connection that was cut before may not be there again yet."""
    return bool(database.execute(statement)[0][0])


def test_a_server_that_is_killed_and_comes_back_loses_nothing(tmp_path: Path) -> None:
    out = tmp_path / "t.jsonl"
    with running() as server:
        database = Database(server)
        database.execute("CREATE TABLE t (id int PRIMARY KEY)")
        with copying(source_of(database), f"file://{out}", "--name=n") as copy:
            for first in (1, 1001, 2001):
                database.execute(f"INSERT INTO t SELECT generate_series({first}, {first + 999})")
                server.kill()
                server.start()
            database.execute("INSERT INTO t VALUES (9999)")
            copy.wait(seen_in(out, 9999))
        expected = [row[0] for row in database.execute("SELECT id FROM t ORDER BY id")]
    assert sorted(identifiers(out)) == expected


def test_a_server_that_is_restarted_does_not_wait_for_the_pipeline(tmp_path: Path) -> None:
    out = tmp_path / "t.jsonl"
    with running() as server:
        database = Database(server)
        database.execute("CREATE TABLE t (id int PRIMARY KEY)")
        source = source_of(database, heartbeat="200ms")
        with copying(source, f"file://{out}", "--name=n") as copy:
            database.execute("INSERT INTO t VALUES (1)")
            copy.wait(seen_in(out, 1))
            server.restart()
            database.execute("INSERT INTO t VALUES (2)")
            copy.wait(seen_in(out, 2))


def test_a_huge_transaction_comes_in_parts_and_goes_on_after_a_kill(table: Database) -> None:
    with following(table, table="t", snapshot="never", batch_rows=1000) as follower:
        table.execute("INSERT INTO t VALUES (0)")
        table.execute("INSERT INTO t SELECT g, repeat('x', 100) FROM generate_series(1, 50000) g")
        table.execute("INSERT INTO t VALUES (-1)")
        follower.some(20)
        follower.restart(batch_rows=700)
        follower.catch_up()
        chunks = [chunk.records for chunk in follower.chunks]
    assert max(map(len, chunks)) <= 1000
    found = [key for records in chunks for key in records["id"].to_pylist()]
    assert found == [0, *range(1, 50_001), -1]
    assert len({value for r in chunks for value in r["_lsn"].to_pylist()}) == 3


def test_small_transactions_are_never_cut_by_a_batch(table: Database) -> None:
    with following(table, table="t", snapshot="never", batch_rows=100) as follower:
        table.execute("CREATE SEQUENCE s")
        table.execute(
            "DO $$ BEGIN FOR i IN 1..200 LOOP INSERT INTO t SELECT nextval('s') FROM "
            "generate_series(1, 7); COMMIT; END LOOP; END $$"
        )
        follower.catch_up()
        sizes = [len(chunk.records) for chunk in follower.chunks]
    assert sum(sizes) == 1400
    assert {size % 7 for size in sizes} == {0}
    assert max(sizes) > 7


def test_a_parquet_sink_takes_an_envelope(table: Database, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    table.execute("INSERT INTO t VALUES (1, 'a')")
    sink = f"file://{folder}/?format=parquet&roll_interval=1s"
    with copying(source_of(table, format="envelope"), sink, "--name=n") as copy:
        copy.wait(lambda: len(parquet_rows(folder)) == 1)
        table.execute("UPDATE t SET v = 'b'")
        copy.wait(lambda: len(parquet_rows(folder)) == 2)
    rows = parquet_rows(folder)
    assert [(row["operation"], row["after"]) for row in rows] == [
        ("read", {"id": 1, "v": "a"}),
        ("update", {"id": 1, "v": "b"}),
    ]


def parquet_rows(folder: Path) -> list[dict[str, Any]]:
    files = sorted(folder.glob("*.parquet"))
    return sorted(
        (row for file in files for row in pq.read_table(file).to_pylist()),
        key=lambda row: row["_position"],
    )


def test_new_columns_reach_a_file_of_json_lines(table: Database, tmp_path: Path) -> None:
    out = tmp_path / "t.jsonl"
    with copying(source_of(table, snapshot="never"), f"file://{out}", "--name=n") as copy:
        copy.wait(lambda: slot_is_active(table))
        table.execute("INSERT INTO t VALUES (1, 'x')")
        table.execute("ALTER TABLE t ADD more int")
        table.execute("INSERT INTO t VALUES (2, 'x', 5)")
        copy.wait(seen_in(out, 2))
    first, second = lines_of(out)
    assert "more" not in first
    assert second["more"] == 5


def slot_is_active(database: Database) -> bool:
    query = "SELECT active FROM pg_replication_slots WHERE database = current_database()"
    return database.execute(query) == [(True,)]


def test_rejected_changes_go_to_the_dead_letters(table: Database, tmp_path: Path) -> None:
    out, letters = tmp_path / "t.jsonl", tmp_path / "letters.jsonl"
    table.execute("ALTER TABLE t ADD n numeric")
    arguments = (source_of(table), f"file://{out}", "--name=n")
    with copying(*arguments, dead_letters=f"file://{letters}") as copy:
        table.execute("INSERT INTO t VALUES (1, 'x', 1), (2, 'x', 1e70), (3, 'x', 3)")
        copy.wait(seen_in(out, 3))
        copy.wait(lambda: len(lines_of(letters)) == 1)
    assert identifiers(out) == [1, 3]


def test_a_snapshot_alone_ends(table: Database, tmp_path: Path) -> None:
    out = tmp_path / "t.jsonl"
    table.execute("INSERT INTO t SELECT generate_series(1, 100)")
    copy = start_copy(source_of(table, snapshot="only"), f"file://{out}", "--name=n")
    assert copy.report().status == "done"
    assert identifiers(out) == list(range(1, 101))
