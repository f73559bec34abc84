"""Slots and publications: made, found, refused with the fix, lost; what is confirmed of them."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from ferris_beam.connectors.postgresql.cdc import reader as reader_module
from ferris_beam.errors import ConfigurationError, SourceChangedError, TransientError
from tests.connectors.postgresql.changes import following, reader_of, rows_of, told
from tests.services.database import Database
from tests.services.postgresql import running


@pytest.fixture
def table(database: Database) -> Database:
    database.execute("CREATE TABLE t (id int PRIMARY KEY)")
    return database


@contextmanager
def refused(kind: type[Exception], match: str) -> Iterator[None]:
    """Within 10 seconds, and without the password."""
    began = time.monotonic()
    with pytest.raises(kind, match=match) as caught:
        yield
    assert time.monotonic() - began < 10
    assert "s3cret" not in str(caught.value)


def begin(database: Database, **options: Any) -> None:
    with following(database, **{"table": "t", **options}) as follower:
        follower.some(1)


def slot_of(database: Database) -> tuple[str, int]:
    """Its name, and what is confirmed of it."""
    [row] = database.execute(
        "SELECT slot_name, confirmed_flush_lsn - '0/0'::pg_lsn FROM pg_replication_slots "
        "WHERE database = current_database()"
    )
    return row[0], int(row[1])


def sql_in(error: BaseException) -> str:
    found = re.search(r"^    (.*;)$", str(error), re.MULTILINE)
    assert found is not None, error
    return found[1]


def test_what_may_not_be_made_is_told_as_sql_that_works(table: Database) -> None:
    for _ in range(2):  # the publication, then the slot
        with pytest.raises(ConfigurationError) as caught:
            begin(table, create=False)
        table.execute(sql_in(caught.value))
    begin(table, create=False)


def test_a_publication_that_lacks_a_table_gets_it(table: Database) -> None:
    table.execute("CREATE TABLE u (id int PRIMARY KEY)")
    table.execute("CREATE PUBLICATION mine FOR TABLE u")
    with pytest.raises(ConfigurationError, match=r"lacks public\.t") as caught:
        begin(table, publication="mine", create=False)
    assert "ALTER PUBLICATION" in sql_in(caught.value)
    with following(table, table="t", publication="mine", snapshot="never") as follower:
        table.execute("INSERT INTO u VALUES (1)")  # in the publication, and not asked for
        table.execute("INSERT INTO t VALUES (2)")
        assert told(follower.changes(), "id") == [("insert", 2)]


def test_a_role_without_rights_is_told_what_to_run(table: Database) -> None:
    role = f"reader_{table.name}"
    table.execute(f"CREATE ROLE {role} LOGIN PASSWORD 's3cret'")
    table.execute(f"GRANT SELECT ON t TO {role}")
    try:
        with refused(ConfigurationError, r"(?s)publication .* may not make it.*CREATE PUBLICATION"):
            begin(table, user=role, password="s3cret")
        table.execute("CREATE PUBLICATION p FOR TABLE t")
        with refused(ConfigurationError, rf"(?s)slot .* may not make it.*ALTER ROLE .?{role}"):
            begin(table, user=role, password="s3cret", publication="p")
        table.execute(f"ALTER ROLE {role} REPLICATION")
        begin(table, user=role, password="s3cret", publication="p")
    finally:
        table.execute("DROP OWNED BY " + role)
        table.execute(f"DROP ROLE {role}")


def test_a_slot_that_another_process_reads_is_refused_with_the_fix(
    table: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_module, "_PATIENCE_SECONDS", 0.2)
    with following(table, table="t") as first:
        first.some(1)
        with refused(ConfigurationError, r"(?s)in use by .*process [0-9]+.*slot=.*terminate"):
            begin(table)


def test_a_server_that_does_not_know_that_its_reader_is_gone_is_told_so(
    table: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_module, "_PATIENCE_SECONDS", 2)
    with following(table, table="t", snapshot="never") as follower:
        follower.catch_up()
        assert isinstance(follower.reader, reader_module.ChangeReader)
        cut_off, follower.reader._session = follower.reader._session, None
        table.execute("INSERT INTO t VALUES (1)")
        assert told(follower.changes(), "id") == [("insert", 1)]
        assert cut_off is not None
        cut_off.stream.close()


def test_a_slot_is_free_as_soon_as_its_reader_is_gone(table: Database) -> None:
    with following(table, table="t") as first:
        first.some(1)
    begin(table)


def test_a_slot_of_another_database_is_refused(table: Database) -> None:
    slot = f"of_postgres_{table.name}"
    with table.server.connect() as elsewhere:
        elsewhere.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [slot])
        try:
            with refused(ConfigurationError, r"belongs to .*database 'postgres'.*slot="):
                begin(table, slot=slot)
        finally:
            elsewhere.execute("SELECT pg_drop_replication_slot(%s)", [slot])


def test_a_table_that_is_not_there_or_has_no_log_is_named(table: Database) -> None:
    table.execute("CREATE UNLOGGED TABLE quick (id int PRIMARY KEY)")
    for name in ("public.missing", "quick"):
        with refused(ConfigurationError, f"no table .*{name.removeprefix('public.')}"):
            begin(table, table=name)


def test_only_what_is_acknowledged_is_confirmed_and_nothing_comes_twice(table: Database) -> None:
    with following(table, table="t", snapshot="never") as follower:
        table.execute("INSERT INTO t SELECT generate_series(1, 10)")
        follower.catch_up()
        _, before = slot_of(table)
        follower.restart()
        assert follower.changes() == []
        assert slot_of(table)[1] == before
        follower.acknowledge()
        wait_until(lambda: slot_of(table)[1] > before)
        table.execute("INSERT INTO t VALUES (11)")
        assert told(follower.changes(), "id") == [("insert", 11)]
        follower.restart()
        assert follower.changes() == []


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_slot_goes_on_while_only_other_tables_change(table: Database) -> None:
    table.execute("CREATE TABLE busy (x int)")
    options = {"table": "t", "snapshot": "never", "heartbeat": "100ms"}
    with following(table, **options) as follower:
        follower.some()
        _, before = slot_of(table)
        table.execute("INSERT INTO busy SELECT generate_series(1, 1000)")
        follower.until(lambda: bool(follower.chunks))
        assert rows_of(follower.chunks) == []
        follower.acknowledge()
        wait_until(lambda: slot_of(table)[1] > before)
        follower.restart()
        table.execute("INSERT INTO t VALUES (1)")
        assert told(follower.changes(), "id") == [("insert", 1)]


def test_lag_is_told_in_bytes_and_seconds(table: Database) -> None:
    with following(table, table="t", snapshot="never") as follower:
        follower.catch_up()
        position = follower.split.interval.start
        follower.until(lambda: follower.reader.backlog(follower.split, position).idle)
        table.execute("INSERT INTO t SELECT generate_series(1, 10000)")
        first = follower.reader.backlog(follower.split, position)
        wait_until(lambda: follower.reader.backlog(follower.split, position).seconds > 0)
        assert first.nbytes > 500_000
        assert not first.idle
        follower.until(lambda: follower.reader.backlog(follower.split, position).idle)
        caught_up = follower.reader.backlog(follower.split, position)
        assert (caught_up.nbytes, caught_up.seconds) == (0, 0.0)


def test_a_slot_that_was_dropped_or_moved_on_by_others_is_noticed(table: Database) -> None:
    with following(table, table="t", snapshot="never") as follower:
        table.execute("INSERT INTO t VALUES (1)")
        follower.catch_up()
        follower.close()
        slot, _ = slot_of(table)
        table.execute("INSERT INTO t VALUES (2)")
        table.execute("SELECT pg_replication_slot_advance(%s, pg_current_wal_lsn())", [slot])
        with pytest.raises(SourceChangedError, match=r"moved past.*on_slot_lost=snapshot"):
            follower.some()
        follower.close()
        table.execute("SELECT pg_drop_replication_slot(%s)", [slot])
        with pytest.raises(SourceChangedError, match=r"is gone.*on_slot_lost=snapshot"):
            follower.some()
        follower.restart(on_slot_lost="snapshot")
        follower.catch_up()
        table.execute("INSERT INTO t VALUES (3)")
        follower.catch_up()
    assert told(rows_of(follower.chunks), "id") == [
        ("insert", 1),
        ("truncate", None),
        ("read", 1),
        ("read", 2),
        ("insert", 3),
    ]


def test_wal_that_the_server_removed_is_an_error_or_a_new_snapshot(
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = {"max_slot_wal_keep_size": "16MB", "min_wal_size": "32MB", "max_wal_size": "32MB"}
    with running(**settings) as server:
        database = Database(server)
        database.execute("CREATE TABLE t (id int PRIMARY KEY)")
        with following(database, table="t", snapshot="never") as follower:
            database.execute("INSERT INTO t VALUES (1)")
            follower.catch_up()
            write_wal(database, 14)
            with caplog.at_level(logging.WARNING):
                follower.restart()
                follower.some()
                follower.reader.backlog(follower.split, 0)
            assert "max_slot_wal_keep_size is 16 MiB" in caplog.text
            follower.close()
            write_wal(database, 64)
            database.execute("CHECKPOINT")
            with pytest.raises(SourceChangedError, match=r"lost.*on_slot_lost=snapshot"):
                follower.some()
            follower.restart(on_slot_lost="snapshot")
            follower.catch_up()
        assert told(rows_of(follower.chunks), "id") == [
            ("insert", 1),
            ("truncate", None),
            ("read", 1),
        ]


def write_wal(database: Database, mebibytes: int) -> None:
    database.execute(
        "SELECT pg_logical_emit_message(false, '', repeat('x', 1048576)) "
        "FROM generate_series(1, %s)",
        [mebibytes],
    )
    database.execute("SELECT pg_switch_wal()")


def test_a_server_that_keeps_no_logical_log_is_told_how_to(tmp_path: Any) -> None:
    with running(wal_level="replica") as server:
        database = Database(server)
        database.execute("CREATE TABLE t (id int PRIMARY KEY)")
        with refused(ConfigurationError, "(?s)wal_level is replica.*ALTER SYSTEM.*restart"):
            begin(database)


def test_failover_needs_a_server_that_knows_it() -> None:
    with running("15") as server:
        database = Database(server)
        database.execute("CREATE TABLE t (id int PRIMARY KEY)")
        with refused(ConfigurationError, "failover=true needs PostgreSQL 17, this is 15"):
            begin(database, failover=True)
        database.execute("INSERT INTO t VALUES (1)")
        with following(database, tables=("public.*",)) as follower:
            database.execute("INSERT INTO t VALUES (2)")
            follower.catch_up()
            operations = [row["operation"] for row in rows_of(follower.chunks)]
        assert operations == ["read", "read"]


def test_a_server_that_is_down_is_transient(table: Database) -> None:
    reader = reader_of(table, table="t")
    reader.open()
    [split] = reader.splits({})
    table.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'ferris_beam' AND datname = current_database()"
    )
    with pytest.raises(TransientError):
        list(reader.read(split))
    reader.close()


def test_names_are_the_same_for_the_same_tables_in_any_order(table: Database) -> None:
    table.execute("CREATE TABLE u (id int PRIMARY KEY)")
    begin(table, table=None, tables=("t", "u"))
    begin(table, table=None, tables=("u", "t"))
    name, _ = slot_of(table)
    assert re.fullmatch(r"[a-z0-9_]{1,63}", name)
    with psycopg.connect(table.server.dsn(table.name)) as connection:
        found = connection.execute("SELECT pubname FROM pg_publication").fetchall()
    assert found == [(name,)]
