"""COPY … TO STDOUT in batches: borders, errors, and what a connection is good for after."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import errors, sql

from ferris_beam.connectors.postgresql.binary import copy_out
from ferris_beam.connectors.postgresql.types import Choices, columns_of
from tests.connectors.postgresql.reading import read, selected
from tests.services.database import Database


@pytest.fixture
def connection(database: Database) -> Iterator[psycopg.Connection[Any]]:
    with database.connect() as opened:
        yield opened


@pytest.mark.parametrize("rows", [0, 1, 999, 1000, 1001, 3000])
def test_batches_hold_so_many_rows(connection: psycopg.Connection[Any], rows: int) -> None:
    query = f"SELECT i AS i, repeat('x', i % 7) AS t FROM generate_series(1, {rows}) i"
    columns = columns_of(connection, query, Choices())
    batches = list(copy_out(connection, selected(columns, query), columns, 1000))
    sizes = [len(records) for records, _ in batches]
    assert sizes == [1000] * (rows // 1000) + ([rows % 1000] if rows % 1000 else [])
    assert [v for records, _ in batches for v in records["i"].to_pylist()] == [*range(1, rows + 1)]


def test_batches_of_wide_rows_hold_fewer(connection: psycopg.Connection[Any]) -> None:
    query = "SELECT repeat('x', 100000) AS t FROM generate_series(1, 100)"
    columns = columns_of(connection, query, Choices())
    batches = list(copy_out(connection, sql.SQL(query), columns, 65_536, batch_bytes=1 << 20))
    assert sum(len(records) for records, _ in batches) == 100
    assert max(len(records) for records, _ in batches) == 11


def test_rows_without_columns(connection: psycopg.Connection[Any]) -> None:
    assert list(copy_out(connection, sql.SQL("SELECT WHERE false"), ())) == []


def test_an_error_in_mid_stream_is_the_drivers(connection: psycopg.Connection[Any]) -> None:
    query = "SELECT 1 / (5000 - i) AS v FROM generate_series(1, 10000) i"
    columns = columns_of(connection, query, Choices())
    copied = copy_out(connection, sql.SQL(query), columns, 100)
    with pytest.raises(errors.DivisionByZero, match="division by zero"):
        list(copied)
    assert connection.execute("SELECT 1").fetchall() == [(1,)]


def test_a_statement_timeout_is_the_drivers(connection: psycopg.Connection[Any]) -> None:
    connection.execute("SET statement_timeout = 200")
    query = "SELECT i AS v, pg_sleep(0.01)::text AS w FROM generate_series(1, 1000) i"
    columns = columns_of(connection, query, Choices())
    with pytest.raises(errors.QueryCanceled):
        list(copy_out(connection, sql.SQL(query), columns, 10))


def test_a_killed_connection_is_an_operational_error(database: Database) -> None:
    connection = database.connect()
    query = "SELECT i AS v, repeat('x', 1000) AS w FROM generate_series(1, 1000000) i"
    columns = columns_of(connection, query, Choices())
    copied = copy_out(connection, sql.SQL(query), columns, 10)
    next(copied)
    database.execute("SELECT pg_terminate_backend(%s, 5000)", (connection.info.backend_pid,))
    with pytest.raises(psycopg.OperationalError):
        list(copied)
    connection.close()


def test_closing_early_cancels_the_query(connection: psycopg.Connection[Any]) -> None:
    query = "SELECT generate_series(1, 100000000) AS v"  # nothing is computed ahead
    columns = columns_of(connection, query, Choices())
    copied = copy_out(connection, sql.SQL(query), columns, 10)
    assert next(copied)[0]["v"].to_pylist() == [*range(1, 11)]
    copied.close()
    assert connection.execute("SELECT 1").fetchall() == [(1,)]


def test_a_transaction_goes_on_behind_a_copy(database: Database) -> None:
    database.execute("CREATE TABLE t AS SELECT generate_series(1, 10) AS v")
    with database.connect() as connection, connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        first, _ = read(connection, sql.Identifier("t"))
        database.execute("INSERT INTO t VALUES (11)")
        second, _ = read(connection, sql.Identifier("t"))
    assert len(first) == len(second) == 10
