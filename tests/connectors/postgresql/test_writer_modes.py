"""What the modes of the PostgreSQL sink do with rows that are there, and with kinds of tables."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ferris_beam.errors import ConfigurationError, SchemaError, SupersededError
from tests.connectors.postgresql.writing import running
from tests.services.database import Database


def rows(*ids: int, name: str = "x") -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {"id": pa.array(ids, pa.int64()), "name": pa.array([name] * len(ids), pa.string())}
    )


def shown(database: Database, query: str = "SELECT * FROM t ORDER BY 1") -> list[tuple[Any, ...]]:
    return database.execute(query)


# ── the table ───────────────────────────────────────────────────────────────────────────────────


def test_a_table_is_created_with_the_columns_of_the_rows(database: Database) -> None:
    records = pa.RecordBatch.from_pydict(
        {
            "Id": pa.array([1], pa.int32()),
            "when": pa.array([dt.datetime(2024, 1, 1)], pa.timestamp("us", "UTC")),
            "tags": pa.array([["a"]], pa.list_(pa.string())),
            "more": pa.array([{"x": 1}]),
        }
    )
    with running(database, table="t", mode="upsert", key="Id") as run:
        run.commit(records)
    columns = shown(
        database,
        "SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute "
        "WHERE attrelid = 't'::regclass AND attnum > 0",
    )
    assert columns == [
        ("Id", "integer", True),
        ("when", "timestamp with time zone", False),
        ("tags", "text[]", False),
        ("more", "jsonb", False),
    ]


def test_a_table_that_is_missing_is_not_created_when_that_is_not_wanted(
    database: Database,
) -> None:
    created = running(database, table="t", create_table=False)
    with created as run, pytest.raises(ConfigurationError, match="create_table=true"):
        run.commit(rows(1))


def test_columns_that_the_table_lacks_are_refused_added_or_left_out(database: Database) -> None:
    database.execute("CREATE TABLE t (id bigint)")
    with running(database, table="t") as run, pytest.raises(SchemaError, match="name"):
        run.commit(rows(1))
    with running(database, table="t", columns="ignore", epoch=2) as run:
        run.commit(rows(1))
    assert shown(database) == [(1,)]
    with running(database, table="t", columns="evolve", epoch=3) as run:
        run.position = 1
        run.commit(rows(2))
    assert shown(database) == [(1, None), (2, "x")]


def test_columns_that_change_in_the_midst_of_a_commit_are_added(database: Database) -> None:
    """What is staged is written again behind ALTER TABLE, which is a transaction of its own."""
    database.execute("CREATE TABLE t (id bigint)")
    with running(database, table="t", columns="evolve") as run:
        run.commit(rows(1).select(["id"]), rows(2))
    assert shown(database) == [(1, None), (2, "x")]


def test_a_column_that_needs_a_value_and_gets_none_is_named(database: Database) -> None:
    database.execute("CREATE TABLE t (id bigint, name text, must int NOT NULL)")
    with running(database, table="t") as run, pytest.raises(SchemaError, match="must"):
        run.commit(rows(1))


def test_types_that_do_not_go_into_a_column_are_refused_by_name(database: Database) -> None:
    database.execute("CREATE TABLE t (id bigint, name date[])")
    refused = running(database, table="t")
    with refused as run, pytest.raises(SchemaError, match=r"'name'.*date\[\]"):
        run.commit(rows(1))


@pytest.mark.parametrize("mode", ["append", "upsert"])
def test_generated_and_identity_columns_are_the_servers_unless_they_are_given(
    database: Database, mode: str
) -> None:
    database.execute(
        "CREATE TABLE t (id bigint PRIMARY KEY, name text, "
        "number int GENERATED ALWAYS AS IDENTITY, twice bigint GENERATED ALWAYS AS (2 * id) STORED)"
    )
    given = rows(2).append_column("number", pa.array([70], pa.int32()))
    with running(database, table="t", mode=mode) as run:
        run.commit(rows(1))
        run.commit(given.append_column("twice", pa.array([0], pa.int64())))
    assert shown(database) == [(1, "x", 1, 2), (2, "x", 70, 4)]


def test_rows_go_through_a_view_and_into_partitions(database: Database) -> None:
    database.execute("CREATE TABLE t (id bigint PRIMARY KEY, name text) PARTITION BY RANGE (id)")
    database.execute("CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (10)")
    database.execute("CREATE TABLE high PARTITION OF t FOR VALUES FROM (10) TO (20)")
    database.execute("CREATE VIEW seen AS SELECT * FROM t WHERE id < 15")
    with running(database, table="seen") as run:
        run.commit(rows(1, 11))
    with running(database, table="t", mode="upsert") as run:
        run.commit(rows(1, 12, name="new"))
        bad = run.commit_good(rows(13, 99))
    assert [(row, error.category) for row, error in bad] == [(1, "constraint")]
    assert shown(database) == [(1, "new"), (11, "x"), (12, "new"), (13, "x")]
    assert shown(database, "SELECT count(*) FROM high") == [(3,)]


def test_values_that_only_the_server_can_read_go_by_their_texts(database: Database) -> None:
    database.execute("CREATE TYPE mood AS ENUM ('good', 'bad')")
    database.execute(
        "CREATE TABLE t (id bigint PRIMARY KEY, a inet, b int4range, c mood, d tsvector)"
    )
    records = pa.RecordBatch.from_pydict(
        {"id": [1], "a": ["10.0.0.1/8"], "b": ["[1,5)"], "c": ["bad"], "d": ["a:1 b:2"]}
    )
    for mode in ("append", "upsert"):
        with running(database, table="t", mode=mode, name=mode) as run:
            run.commit(records)
        found = shown(database, "SELECT id, a::text, b::text, c::text, d::text FROM t")
        assert found == [(1, "10.0.0.1/8", "[1,5)", "bad", "'a':1 'b':2")]


def test_names_with_capitals_dots_and_quotes_are_taken_as_they_are(database: Database) -> None:
    database.execute('CREATE SCHEMA "My.Schema"')
    records = pa.RecordBatch.from_pydict({'a "b".c': [1], "%s": ["x"]})
    with running(database, table='"My.Schema"."The ""Table"""') as run:
        run.commit(records)
    query = 'SELECT "a ""b"".c", "%%s" FROM "My.Schema"."The ""Table"""'
    assert database.execute(query, ()) == [(1, "x")]


# ── upsert ──────────────────────────────────────────────────────────────────────────────────────

changes = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 9), st.integers(0, 99)), min_size=1, max_size=30
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes, st.integers(1, 30))
def test_the_highest_position_of_a_key_wins(
    database: Database, found: list[tuple[int, int, int]], size: int
) -> None:
    """In one batch and over several; of equal ones the last."""
    wanted: dict[int, tuple[int, int, int]] = {}
    for change in found:
        if change[0] not in wanted or change[1] >= wanted[change[0]][1]:
            wanted[change[0]] = change
    database.execute("DROP TABLE IF EXISTS t, _ferris_ledger")
    database.execute("CREATE TABLE t (id bigint PRIMARY KEY, at bigint, value bigint)")
    with running(database, table="t", mode="upsert", position="at") as run:
        for start in range(0, len(found), size):
            part = found[start : start + size]
            columns = list(zip(*part, strict=True))
            run.commit(
                pa.RecordBatch.from_arrays(list(map(pa.array, columns)), ["id", "at", "value"])
            )
    assert {row[0]: row for row in shown(database)} == wanted


def test_upsert_needs_a_unique_index_and_says_how_to_make_it(database: Database) -> None:
    database.execute("CREATE TABLE t (id bigint, name text)")
    refused = running(database, table="t", mode="upsert", key="id")
    with refused as run, pytest.raises(ConfigurationError, match="CREATE UNIQUE INDEX"):
        run.commit(rows(1))
    refused = running(database, table="t", mode="upsert", epoch=2)
    with refused as run, pytest.raises(ConfigurationError, match="no primary key"):
        run.commit(rows(1))


# ── overwrite ───────────────────────────────────────────────────────────────────────────────────


def test_overwrite_swaps_the_table_in_one_step(database: Database) -> None:
    """Until the finish readers see the old rows; indexes keep their names."""
    database.execute("CREATE TABLE t (id bigint CONSTRAINT my_key PRIMARY KEY, name text)")
    database.execute("CREATE INDEX my_index ON t (name)")
    database.execute("INSERT INTO t VALUES (7, 'old')")
    indexes = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 't' ORDER BY 1"
    before = shown(database, indexes)
    with running(database, table="t", mode="overwrite") as run:
        run.commit(rows(1, 2))
        assert shown(database) == [(7, "old")]
        run.finish()
        run.finish()
    assert shown(database) == [(1, "x"), (2, "x")]
    assert shown(database, indexes) == before


def test_overwrite_keeps_what_hangs_on_the_table(database: Database) -> None:
    database.execute("CREATE TABLE t (id bigint PRIMARY KEY, name text)")
    database.execute("CREATE VIEW seen AS SELECT id FROM t")
    database.execute("CREATE TABLE child (id bigint REFERENCES t ON DELETE CASCADE)")
    database.execute("INSERT INTO t VALUES (7, 'old'); INSERT INTO child VALUES (7)")
    with running(database, table="t", mode="overwrite") as run:
        run.commit(rows(1))
        run.finish()
    assert shown(database, "SELECT * FROM seen") == [(1,)]
    assert shown(database, "SELECT * FROM child") == []


def test_overwrite_by_no_rows_leaves_none(database: Database) -> None:
    database.execute("CREATE TABLE t (id bigint PRIMARY KEY, name text)")
    database.execute("INSERT INTO t VALUES (7, 'old')")
    with running(database, table="t", mode="overwrite") as run:
        run.commit(rows())
        run.finish()
    assert shown(database) == []


# ── rows that wait ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("mode", ["append", "upsert"])
def test_rows_that_wait_are_seen_at_the_finish(database: Database, mode: str) -> None:
    database.execute("CREATE TABLE t (id bigint PRIMARY KEY, name text)")
    database.execute("INSERT INTO t VALUES (7, 'old')")
    with running(database, table="t", mode=mode) as run:
        run.writer.close()
        run.writer.waits = True
        run.open()
        run.commit(rows(1, 2))
        run.commit(rows(3))
        held = run.writer.holdings()["orders"]
        assert (held.waiting, held.waiting_bytes > 0) == (1, True)
        run.writer.prepare(1)
        run.writer.prepare(1)
        assert run.writer.ledger().prepared
        assert shown(database) == [(7, "old")]
        run.finish()
        assert run.writer.holdings()["orders"].waiting == 0
    assert shown(database) == [(1, "x"), (2, "x"), (3, "x"), (7, "old")]


def test_a_new_start_from_zero_forgets_what_waited(database: Database) -> None:
    database.execute("CREATE TABLE t (id bigint PRIMARY KEY, name text)")
    with running(database, table="t", mode="overwrite") as old:
        old.commit(rows(1, 2))
        with running(database, table="t", mode="overwrite", epoch=2, generation=2) as new:
            with pytest.raises(SupersededError):
                old.finish()
            new.commit(rows(3))
            new.finish()
    assert shown(database) == [(3, "x")]
    assert shown(database, "SELECT relname FROM pg_class WHERE relname LIKE '\\_ferris\\_%%'") == [
        ("_ferris_ledger",),
        ("_ferris_ledger_pkey",),
    ]


def test_forgetting_lets_the_name_start_afresh(database: Database) -> None:
    with running(database, table="t") as run:
        run.commit(rows(1))
        assert run.writer.holdings()["orders"].ledger.rows == 1
        run.writer.forget()
        assert not run.writer.ledger().epoch
        assert dict(run.writer.holdings()) == {}
    with running(database, table="t", epoch=1) as again:
        again.commit(rows(1))
    assert shown(database) == [(1, "x"), (1, "x")]
