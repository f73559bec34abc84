"""What `preview` and `ledger` show of the PostgreSQL sink."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ferris_beam.cli.main import main
from ferris_beam.connector import Outline
from tests.connectors.postgresql.writing import running, writer_of
from tests.services.database import Database

SAMPLE = pa.RecordBatch.from_pydict(
    {
        "id": pa.array([1], pa.int64()),
        "price": pa.array([1.5], pa.float64()),
        "tags": pa.array([["a"]], pa.list_(pa.string())),
    }
)


def outlined(database: Database, sample: pa.RecordBatch = SAMPLE, **options: Any) -> Outline:
    return writer_of(database.uri(table="t", **options)).outline(sample)


def relations(database: Database) -> list[tuple[Any, ...]]:
    return database.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
    )


def test_of_a_table_that_is_to_be_created_it_shows_the_types(database: Database) -> None:
    found = outlined(database)
    assert found.types == {"id": "bigint", "price": "double precision", "tags": "text[]"}
    assert (found.refused, found.problem) == ({}, "")
    assert found.facts["table"] == "t is created"
    assert relations(database) == []


def test_of_a_table_that_is_there_it_shows_what_goes_and_what_does_not(database: Database) -> None:
    database.execute("CREATE TABLE t (id int, price date, must text NOT NULL)")
    before = relations(database)
    found = outlined(database)
    assert found.types == {"id": "integer"}
    assert sorted(found.refused) == ["price", "tags"]
    assert "date" in found.refused["price"]
    assert "columns=evolve" in found.refused["tags"]
    assert "must (text)" in found.problem
    assert outlined(database, columns="evolve").types["tags"] == "text[] (added)"
    assert outlined(database, columns="ignore").types["tags"] == "left out (columns=ignore)"
    assert relations(database) == before


def test_it_says_why_a_run_would_be_refused(database: Database) -> None:
    assert "create_table=true" in outlined(database, create_table=False).problem
    assert "key=column" in outlined(database, mode="upsert").problem
    assert "nothing" in outlined(database, mode="upsert", key="nothing").problem
    assert "_operation" in outlined(database, mode="apply").problem
    database.execute("CREATE TABLE t (id int, price float8, tags text[])")
    assert "CREATE UNIQUE INDEX" in outlined(database, mode="upsert", key="id").problem


def test_of_changes_it_shows_the_columns_of_the_table(database: Database) -> None:
    sample = SAMPLE.append_column("_operation", pa.array(["insert"]))
    assert sorted(outlined(database, sample, mode="apply").types) == ["id", "price", "tags"]
    routed = writer_of(database.uri(mode="apply")).outline(sample)
    assert routed.facts["table"] == "those that the changes name"


def test_the_commands_ledger_and_preview_work(
    database: Database, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    pq.write_table(pa.Table.from_batches([SAMPLE]), tmp_path / "in.parquet")
    uri = database.uri(table="t")
    with running(database, table="t") as run:
        run.commit(SAMPLE)
    assert main(["ledger", "show", uri, "--json"]) == 0
    (ledger,) = json.loads(capsys.readouterr().out)["ledgers"]
    assert (ledger["name"], ledger["rows"], ledger["finished"]) == ("orders", 1, False)
    assert main(["preview", "--source", f"file:{tmp_path}/in.parquet", "--sink", uri]) == 0
    assert "double precision" in capsys.readouterr().out
    assert main(["ledger", "forget", uri, "--name", "orders", "--yes"]) == 0
    capsys.readouterr()
    assert main(["ledger", "show", uri, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ledgers"] == []
