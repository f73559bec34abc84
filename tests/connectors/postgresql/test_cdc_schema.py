"""Tables that get other columns while their changes are read, by policy."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pytest

from ferris_beam.errors import SchemaError
from tests.connectors.postgresql.changes import Follower, following, rows_of
from tests.services.database import Database

COLUMNS = ("id", "a", "b")


@pytest.fixture
def table(database: Database) -> Database:
    database.execute("CREATE TABLE t (id int PRIMARY KEY, a text, b int)")
    return database


def no_restart(follower: Follower) -> None:
    follower.catch_up()


def restart(follower: Follower) -> None:
    follower.catch_up()
    follower.restart()


def after_change(
    table: Database, ddl: str, insert: str, between: Callable[[Follower], None], policy: str
) -> list[pa.RecordBatch]:
    """The batches of an insert before ``ddl`` and of ``insert`` after it."""
    options = {"table": "t", "snapshot": "never", "on_schema_change": policy}
    with following(table, **options) as follower:
        table.execute("INSERT INTO t VALUES (1, '1', 1)")
        between(follower)
        table.execute(ddl)
        table.execute(insert)
        follower.catch_up()
        return [chunk.records for chunk in follower.chunks if len(chunk.records)]


CHANGES = {
    "add": ("ALTER TABLE t ADD c text DEFAULT 'd'", "INSERT INTO t VALUES (2, 'x', 2, 'new')"),
    "drop": ("ALTER TABLE t DROP a", "INSERT INTO t VALUES (2, 2)"),
    "rename": ("ALTER TABLE t RENAME a TO z", "INSERT INTO t VALUES (2, 'x', 2)"),
    "type": ("ALTER TABLE t ALTER b TYPE bigint", "INSERT INTO t VALUES (2, 'x', 2)"),
}
EVOLVED = {
    "add": {"id": 2, "a": "x", "b": 2, "c": "new"},
    "drop": {"id": 2, "b": 2},
    "rename": {"id": 2, "z": "x", "b": 2},
    "type": {"id": 2, "a": "x", "b": 2},
}
KEPT = {
    "add": {"id": 2, "a": "x", "b": 2},
    "drop": {"id": 2, "a": None, "b": 2},
    "rename": {"id": 2, "a": None, "b": 2},
    "type": {"id": 2, "a": "x", "b": 2},
}


@pytest.mark.parametrize("between", [no_restart, restart])
@pytest.mark.parametrize("change", CHANGES)
def test_batches_evolve_with_the_table(
    table: Database, change: str, between: Callable[[Follower], None]
) -> None:
    before, after = after_change(table, *CHANGES[change], between, "evolve")
    assert [name for name in before.schema.names if name[0] != "_"] == list(COLUMNS)
    [row] = after.to_pylist()
    assert {name: value for name, value in row.items() if name[0] != "_"} == EVOLVED[change]
    if change == "type":
        assert (before.schema.field("b").type, after.schema.field("b").type) == (
            pa.int32(),
            pa.int64(),
        )


@pytest.mark.parametrize("between", [no_restart, restart])
@pytest.mark.parametrize("change", CHANGES)
def test_batches_keep_their_columns_where_changes_are_ignored(
    table: Database, change: str, between: Callable[[Follower], None]
) -> None:
    before, after = after_change(table, *CHANGES[change], between, "ignore")
    assert before.schema == after.schema
    [row] = after.to_pylist()
    assert {name: value for name, value in row.items() if name[0] != "_"} == KEPT[change]


@pytest.mark.parametrize("between", [no_restart, restart])
@pytest.mark.parametrize("change", CHANGES)
def test_the_pipeline_stops_at_a_change_where_that_is_asked_for(
    table: Database, change: str, between: Callable[[Follower], None]
) -> None:
    with pytest.raises(SchemaError, match=r"public\.t have changed.*on_schema_change=evolve"):
        after_change(table, *CHANGES[change], between, "fail")


def test_changes_in_one_transaction_come_with_the_columns_they_were_made_with(
    table: Database,
) -> None:
    with following(table, table="t", snapshot="never") as follower:
        with table.connect() as connection:
            connection.execute("BEGIN")
            connection.execute("INSERT INTO t VALUES (1, 'x', 1)")
            connection.execute("ALTER TABLE t ADD c int")
            connection.execute("INSERT INTO t VALUES (2, 'x', 1, 5)")
            connection.execute("COMMIT")
        first, second = follower.catch_up()
    assert "c" not in first.records.schema.names
    assert second.records["c"].to_pylist() == [5]


def test_a_value_that_the_kept_type_cannot_hold_stops_the_pipeline(table: Database) -> None:
    ddl = "ALTER TABLE t ALTER b TYPE text USING b::text"
    with pytest.raises(SchemaError, match=r"'b'.*on_schema_change"):
        after_change(table, ddl, "INSERT INTO t VALUES (2, 'x', 'many')", no_restart, "ignore")


def test_texts_of_several_tables_evolve_without_a_change_of_the_batches(table: Database) -> None:
    table.execute("CREATE TABLE u (id int PRIMARY KEY)")
    with following(table, tables=("t", "u"), snapshot="never") as follower:
        table.execute("INSERT INTO t VALUES (1, 'x', 1)")
        table.execute("ALTER TABLE t ADD c int")
        table.execute("INSERT INTO t VALUES (2, 'x', 1, 5)")
        chunks = follower.catch_up()
    assert len({str(chunk.records.schema) for chunk in chunks}) == 1
    assert [row["after"] for row in rows_of(chunks)] == [
        '{"id":1,"a":"x","b":1}',
        '{"id":2,"a":"x","b":1,"c":5}',
    ]


def test_unchanged_toasted_values_stay_out_of_texts_that_keep_their_columns(
    table: Database,
) -> None:
    table.execute("CREATE TABLE u (id int PRIMARY KEY)")
    options = {"tables": ("t", "u"), "snapshot": "never", "on_schema_change": "ignore"}
    with following(table, **options) as follower:
        table.execute("INSERT INTO t VALUES (1, 'x', 1)")
        table.execute("ALTER TABLE t ADD c text")
        large = "(SELECT string_agg(md5(g::text), '') FROM generate_series(1, 500) g)"
        table.execute(f"UPDATE t SET a = {large}, c = {large}")
        table.execute("UPDATE t SET b = 2")
        last = rows_of(follower.catch_up())[-1]
    assert last["after"] == '{"id":1,"b":2}'
    assert "a" in last["_unchanged"]


def test_a_table_that_was_made_anew_goes_on_under_its_name(table: Database) -> None:
    with following(table, tables=("public.*",), snapshot="never") as follower:
        table.execute("INSERT INTO t VALUES (1, 'x', 1)")
        table.execute("DROP TABLE t")
        table.execute("CREATE TABLE t (id int PRIMARY KEY, other text)")
        table.execute("INSERT INTO t VALUES (1, 'y')")
        assert [row["after"] for row in rows_of(follower.catch_up())] == [
            '{"id":1,"a":"x","b":1}',
            '{"id":1,"other":"y"}',
        ]
