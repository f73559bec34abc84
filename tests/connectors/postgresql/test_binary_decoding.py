"""Values that Arrow can't hold are named, row by row, and the others are right."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import time
from decimal import Decimal
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pytest

from ferris_beam.connectors.postgresql.binary import decode_column, text
from ferris_beam.connectors.postgresql.types import Choices, columns_of
from ferris_beam.errors import BadRecordError
from tests.connectors.postgresql.reading import connected, read, values_of
from tests.services.postgresql import PostgresqlServer


@pytest.fixture(scope="module")
def connection(server: PostgresqlServer) -> Iterator[psycopg.Connection[Any]]:
    with connected(server) as opened:
        yield opened


_MISFITS = [
    ("date", "infinity", "infinity"),
    ("date", "-infinity", "infinity"),
    ("timestamp", "infinity", "infinity"),
    ("timestamptz", "-infinity", "infinity"),
    ("timestamptz", "294276-12-31 23:59:59+00", "294246"),
    ("time", "24:00:00", "24:00:00"),
    ("interval", "infinity", "infinite"),
    ("interval", "2600000 hours", "292 years"),
    ("numeric", "NaN", "NaN"),
    ("numeric(5,2)", "NaN", "NaN"),
    ("numeric", "Infinity", "Infinity"),
    ("numeric", "-Infinity", "-Infinity"),
    ("numeric", "1e29", "numeric=text"),
    ("numeric", "-1e40", "numeric=text"),
    ("numeric", "1e-10", "numeric=text"),
    ("numeric", "12345678901234567890.1234567891", "numeric=text"),
    ("int4[]", "{{1,2},{3,4}}", "more than one dimension"),
    ("date[]", "{2024-01-01,infinity}", "infinity"),
]
_FITTING = {
    "date": "2024-02-29",
    "timestamp": "2024-02-29 12:00",
    "timestamptz": "2024-02-29 12:00",
    "time": "12:00",
    "interval": "1 day",
    "numeric": "99999999999999999999999999999.999999999",
    "numeric(5,2)": "-999.99",
    "int4[]": "{1,NULL}",
    "date[]": "{NULL,2024-01-01}",
}


@pytest.mark.parametrize(("kind", "value", "reason"), _MISFITS)
def test_a_value_that_does_not_fit_is_a_fault_of_its_row(
    connection: psycopg.Connection[Any], kind: str, value: str, reason: str
) -> None:
    fitting = _FITTING[kind]
    found, bad = read(connection, values_of([fitting, value, None, fitting], kind))
    assert list(bad) == [1]
    assert bad[1].startswith("column 'v': ")
    assert reason in bad[1]
    first, second, third, last = found["v"].to_pylist()
    if kind != "date[]":
        assert second is None
    assert (third, last) == (None, first)
    assert first is not None


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, value, _ in _MISFITS])
def test_the_text_of_a_value_that_does_not_fit_is_a_fault_too(
    connection: psycopg.Connection[Any], kind: str, value: str
) -> None:
    query = values_of([value], kind)
    [column] = columns_of(connection, query, Choices())
    written = connection.execute(f"SELECT v::text FROM ({query}) AS q").fetchone()[0].encode()
    with pytest.raises(BadRecordError, match="'v'"):
        text.decode_column(
            column, np.frombuffer(written, np.uint8), np.array([0]), np.array([len(written)])
        )


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("date", "4714-11-24 BC"),
        ("date", "5874897-12-31"),
        ("timestamp", "0044-03-15 BC 12:00"),
        ("timestamptz", "294246-12-31"),
    ],
)
def test_years_beyond_those_of_python_are_right(
    connection: psycopg.Connection[Any], kind: str, value: str
) -> None:
    query = values_of([value], kind)
    found, bad = read(connection, query)
    unit = 1 if kind == "date" else 86_400_000_000
    number = found["v"].cast(pa.int32() if kind == "date" else pa.int64())[0].as_py()
    assert not bad
    oracle = f"SELECT extract(epoch FROM v) / 86400 FROM ({query}) AS q"
    assert number // unit == math.floor(connection.execute(oracle).fetchone()[0])
    [column] = columns_of(connection, query, Choices())
    written = connection.execute(f"SELECT v::text FROM ({query}) AS q").fetchone()[0].encode()
    again = text.decode_column(
        column, np.frombuffer(written, np.uint8), np.array([0]), np.array([len(written)])
    )
    assert again == found["v"].combine_chunks()


def test_one_row_is_an_error_that_names_the_column(connection: psycopg.Connection[Any]) -> None:
    [column] = columns_of(connection, "SELECT 1::numeric AS price", Choices())
    nan = np.frombuffer(b"\0\0\0\0\xc0\0\0\0", np.uint8)
    with pytest.raises(BadRecordError, match="'price': NaN") as caught:
        decode_column(column, nan, np.array([0]), np.array([8]))
    assert caught.value.row == 0


@pytest.mark.parametrize("kind", ["int4", "numeric", "timestamptz", "bool", "uuid", "text[]"])
def test_damaged_values_are_faults_and_not_wrong_values(
    connection: psycopg.Connection[Any], kind: str
) -> None:
    [column] = columns_of(connection, f"SELECT NULL::{kind} AS v", Choices())
    data = np.frombuffer(bytes(range(3)), np.uint8)
    with pytest.raises(BadRecordError, match="'v'"):
        decode_column(column, data, np.array([0]), np.array([3]))


def test_text_that_is_not_utf8_is_a_fault_of_its_row(server: PostgresqlServer) -> None:
    with server.connect() as admin:
        admin.execute("DROP DATABASE IF EXISTS sloppy")
        admin.execute("CREATE DATABASE sloppy ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    try:
        with server.connect("sloppy") as connection:
            query = (
                "SELECT v FROM (VALUES (1, convert_from('\\xe4'::bytea, 'SQL_ASCII')), (2, 'b'), "
                "(3, NULL)) AS g(n, v) ORDER BY n"
            )
            found, bad = read(connection, query)
        assert found["v"].to_pylist() == [None, "b", None]
        assert bad == {0: "column 'v': the text is not UTF-8"}
    finally:
        with server.connect() as admin:
            admin.execute("DROP DATABASE sloppy WITH (FORCE)")


def test_a_value_of_each_type(connection: psycopg.Connection[Any]) -> None:
    found, bad = read(
        connection,
        """SELECT '\\x00ff'::bytea AS a, ''::bytea AS b, '{"a": 1}'::jsonb AS c, time '23:59:59.5'
        AS d, interval '-1 year 2 days 3 us' AS e, numeric '-0.00012345' AS f, 'x'::"char" AS g,
        ARRAY[]::int[] AS h, 'ab'::char(4) AS i, 4294967295::oid AS j, '[5:6]={7,8}'::int[] AS k""",
    )
    assert not bad
    assert list(found.to_pylist()[0].values()) == [
        b"\0\xff",
        b"",
        '{"a": 1}',
        time(23, 59, 59, 500_000),
        pa.MonthDayNano([-12, 2, 3000]),
        None if bad else Decimal("-0.000123450"),
        "x",
        [],
        "ab  ",
        4_294_967_295,
        [7, 8],
    ]


def test_long_arrays_among_short_ones(connection: psycopg.Connection[Any]) -> None:
    query = (
        "SELECT array_agg(CASE WHEN i % 7 = 0 THEN NULL ELSE repeat('x', i % 5) END ORDER BY i) "
        "AS v, n FROM generate_series(1, 40) n, generate_series(1, CASE n WHEN 20 THEN 50000 ELSE "
        "n % 4 + 1 END) i GROUP BY n ORDER BY n"
    )
    found, bad = read(connection, query)
    expected = connection.execute(query).fetchall()
    assert not bad
    assert [(row["v"], row["n"]) for row in found.to_pylist()] == expected


def test_arrays_of_composites_with_arrays(connection: psycopg.Connection[Any]) -> None:
    connection.execute("DROP TYPE IF EXISTS part CASCADE; CREATE TYPE part AS (a int, b text[])")
    query = (
        "SELECT array_agg(CASE WHEN i % 3 = 0 THEN NULL ELSE ROW(nullif(i % 4, 1), "
        "CASE WHEN i % 5 > 0 THEN array_fill('é'::text, ARRAY[i % 5]) END)::part END ORDER BY i) "
        "AS v FROM generate_series(1, 100) n, generate_series(1, n) i GROUP BY n ORDER BY n"
    )
    found, bad = read(connection, query)
    [(as_json,)] = connection.execute(f"SELECT json_agg(v) FROM ({query}) AS q").fetchall()
    assert not bad
    assert found["v"].to_pylist() == as_json
