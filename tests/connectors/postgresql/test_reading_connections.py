"""Connections while tables are read: lost, shared, refused."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from ferris_beam.connector import Chunk, Reader, Split
from ferris_beam.connectors.postgresql.reading import pool
from ferris_beam.errors import ConfigurationError, FatalError, FerrisError, TransientError
from ferris_beam.interval import Interval
from tests.connectors.postgresql.sources import (
    chunks_of,
    read_table,
    reader_of,
    splits_of,
    through_a_pipeline,
)
from tests.services.database import Database
from tests.services.postgresql import PostgresqlServer, running
from tests.services.processes import free_port

_CUT = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
    "WHERE datname = current_database() AND (query LIKE 'COPY%' OR query LIKE 'SET LOCAL%')"
)
"""All connections that read: that of ADBC, and the one beside it that would go on."""


@pytest.fixture
def filled(database: Database) -> Database:
    database.execute(
        "CREATE TABLE t AS SELECT i AS id, repeat('x', 500) AS x FROM generate_series(1, 20000) i"
    )
    return database


def begun(reader: Reader, split: Split) -> tuple[Chunk, Iterator[Chunk]]:
    reader.open()
    chunks = iter(reader.read(split))
    return next(chunks), chunks


def rest_of(split: Split, start: int) -> Split:
    return replace(split, interval=Interval(split.interval.unit, start, split.interval.end))


def test_a_range_of_blocks_goes_on_behind_its_last_chunk(filled: Database) -> None:
    reader = reader_of(filled.uri(table="t"), batch_rows=100)
    [split] = splits_of(reader)
    first, chunks = begun(reader, split)
    filled.execute(_CUT)
    seen = [first]
    with pytest.raises(TransientError):
        seen.extend(iter(chunks.__next__, None))
    filled.execute("UPDATE t SET id = -id")
    seen += chunks_of(reader, [rest_of(split, seen[-1].end)])
    found = [number for chunk in seen for number in chunk.records["id"].to_pylist()]
    assert found == [*range(1, 20_001)]


def test_a_query_that_was_read_in_part_must_start_again(filled: Database) -> None:
    reader = reader_of(filled.uri(query="SELECT id, x FROM t"), batch_rows=100)
    [split] = splits_of(reader)
    first, chunks = begun(reader, split)
    filled.execute(_CUT)
    with pytest.raises(TransientError):
        list(chunks)
    with pytest.raises(FatalError, match="start again"):
        chunks_of(reader, [rest_of(split, first.end)])


def test_connections_are_opened_again_behind_a_restart() -> None:
    with running() as server:
        database = Database(server)
        database.execute("CREATE TABLE t AS SELECT generate_series(1, 100) AS id")
        reader = reader_of(database.uri(table="t"))
        assert read_table(reader).num_rows == 100
        server.restart()
        assert read_table(reader).num_rows == 100
        reader.open()
        server.kill()
        began = time.monotonic()
        with pytest.raises(TransientError, match="refused"):
            read_table(reader)
        assert time.monotonic() - began < 10
        server.start()
        assert read_table(reader).num_rows == 100


def test_readers_share_the_connections_of_a_process(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_MAX_WAIT", 0.5)
    reader = reader_of(filled.uri(table="t", pool_size=1), batch_rows=100)
    [split] = splits_of(reader)
    _, chunks = begun(reader, split)
    with pytest.raises(TransientError, match=r"all 1 connections.*pool_size"):
        reader_of(filled.uri(table="t", pool_size=1)).open()
    assert sum(len(chunk.records) for chunk in chunks) == 19_900


def test_a_reader_that_was_left_in_the_middle_gives_its_connection_back(filled: Database) -> None:
    reader = reader_of(filled.uri(table="t", pool_size=1), batch_rows=100)
    [split] = splits_of(reader)
    for _ in range(3):
        _, chunks = begun(reader, split)
        chunks.close()  # type: ignore[attr-defined]
        reader.close()
    assert sum(len(chunk.records) for chunk in chunks_of(reader, [split])) == 20_000


def test_what_the_server_shows_of_a_reader(filled: Database) -> None:
    reader = reader_of(filled.uri(table="t", application_name="nightly"), batch_rows=100)
    [split] = splits_of(reader)
    _, chunks = begun(reader, split)
    names = filled.execute(
        "SELECT DISTINCT application_name FROM pg_stat_activity WHERE query LIKE 'COPY%'"
        " AND datname = current_database()"
    )
    chunks.close()  # type: ignore[attr-defined]
    assert names == [("nightly",)]


def test_a_statement_timeout_ends_a_query(database: Database) -> None:
    query = "SELECT pg_sleep(30)::text AS v"
    reader = reader_of(database.uri(query=query, statement_timeout="200ms"))
    with pytest.raises(FatalError, match="statement_timeout="):
        read_table(reader)


def test_the_host_that_answers_is_taken(filled: Database) -> None:
    port = filled.server.port
    hosts = f"127.0.0.1:{free_port()},127.0.0.1:{port}"
    uri = filled.uri(table="t").replace(f"127.0.0.1:{port}", hosts)
    assert through_a_pipeline(uri, target_session_attrs="read-write").num_rows == 20_000
    with pytest.raises(FerrisError, match=r"read-only|standby|not in hot standby"):
        read_table(reader_of(uri, target_session_attrs="standby"))


@pytest.fixture(scope="module")
def guarded() -> Iterator[PostgresqlServer]:
    with running(password="right-secret") as started:
        yield started


def test_what_keeps_from_connecting_is_said_at_once(guarded: PostgresqlServer) -> None:
    place = f"127.0.0.1:{guarded.port}"
    wrong = {
        f"postgresql://postgres:wrong-secret@{place}/postgres": "password",
        f"postgresql://postgres:right-secret@{place}/nothing": "the URI's path",
        f"postgresql://postgres:right-secret@{place}/postgres?sslmode=require": "sslmode=disable",
        f"postgresql://postgres:right-secret@127.0.0.1:{free_port()}/postgres": "refused",
        f"postgresql://postgres:right-secret@{place}/postgres?table=t": "there is no table",
    }
    for uri, message in wrong.items():
        began = time.monotonic()
        with pytest.raises((ConfigurationError, TransientError), match=message) as caught:
            read_table(reader_of(uri))
        assert time.monotonic() - began < 10
        assert "secret" not in str(caught.value)


def test_rights_that_lack_are_named(filled: Database) -> None:
    role = f"nobody_{filled.name}"
    filled.execute(f"CREATE ROLE {role} LOGIN")
    try:
        with pytest.raises(ConfigurationError, match=r"permission denied.*\n.*GRANT"):
            read_table(reader_of(filled.uri(user=role, table="t")))
    finally:
        filled.execute(f"DROP ROLE {role}")
