"""Values of all types: what the stream tells is what a SELECT reads."""

from __future__ import annotations

from typing import Any

import pytest

from tests.connectors.postgresql.changes import following, rows_of
from tests.services.database import Database

VALUES = {
    "boolean": ["true", "false"],
    "smallint": ["-32768", "32767"],
    "integer": ["-2147483648", "7"],
    "bigint": ["9223372036854775807"],
    "real": ["1.5", "NaN", "-Infinity"],
    "double precision": ["1e300", "-0.0"],
    "numeric(12,2)": ["-9999999999.99", "0.01"],
    "numeric": ["12345.678900000", "-1.000000000"],
    "text": ["", "äöü 漢字 🎈", 'quote " and \\ back'],
    "varchar(10)": ["abc"],
    "char(5)": ["ab"],
    "bytea": ["\\x00ff10", ""],
    "date": ["2026-02-28", "0001-01-01"],
    "time": ["23:59:59.999999"],
    "timestamp": ["2026-01-01 12:00:00.000001"],
    "timestamptz": ["2026-01-01 12:00:00+05"],
    "interval": ["1 year 2 days 3.5 seconds"],
    "uuid": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    "json": ['{"a": [1, null]}'],
    "jsonb": ['{"a": [1, null]}', "[]"],
    "integer[]": ["{1,NULL,3}", "{}"],
    "text[]": ['{"a,b",NULL}'],
    "inet": ["10.0.0.1/8", "::1"],
    "int4range": ["[1,5)", "empty"],
    "tstzrange[]": ['{"[2026-01-01,2026-02-01)",NULL}'],
    "bit varying": ["10101"],
    "pg_lsn": ["0/16B3748"],
    "mood": ["happy"],
    "mood[]": ["{happy,sad}"],
    "positive": ["5"],
    "pair": ["(1,x)"],
}


@pytest.fixture
def table(database: Database) -> Database:
    database.execute("CREATE TYPE mood AS ENUM ('sad', 'happy')")
    database.execute("CREATE DOMAIN positive AS int CHECK (VALUE > 0)")
    database.execute("CREATE TYPE pair AS (n int, t text)")
    columns = ", ".join(f'"{kind}" {kind}' for kind in VALUES)
    database.execute(f"CREATE TABLE t (id int PRIMARY KEY, {columns})")
    return database


def insert(database: Database, first: int) -> None:
    """A row without values, one with the first of each, and so on."""
    most = max(map(len, VALUES.values()))
    marks = ", ".join(f"%s::text::{kind}" for kind in VALUES)
    for number in range(most + 1):
        row = [
            None if number == 0 else texts[(number - 1) % len(texts)] for texts in VALUES.values()
        ]
        database.execute(f"INSERT INTO t VALUES (%s, {marks})", [first + number, *row])


def comparable(rows: list[dict[str, Any]], first: int) -> list[str]:
    """Without what tells the two apart; NaN equals NaN in a text."""
    hidden = ("_operation", "_lsn", "_commit_time", "_position")
    return [
        repr({**{k: v for k, v in row.items() if k not in hidden}, "id": row["id"] - first})
        for row in rows
    ]


def test_the_stream_tells_values_as_the_snapshot_reads_them(table: Database) -> None:
    insert(table, 0)
    with following(table, table="t", unmapped="text") as follower:
        follower.catch_up()
        read = rows_of(follower.chunks)
        insert(table, 100)
        told = follower.changes()
    assert len(read) == 4
    assert comparable(told, 100) == comparable(read, 0)


def test_texts_of_json_give_back_the_rows(table: Database) -> None:
    """By PostgreSQL's own json_populate_record."""
    table.execute("CREATE TABLE u (id int PRIMARY KEY)")
    with following(table, tables=("t", "u"), snapshot="never", unmapped="text") as follower:
        insert(table, 0)
        for change in follower.changes():
            for kind in VALUES:
                again = f"""SELECT t."{kind}"::text, r."{kind}"::text FROM t,
                    json_populate_record(NULL::t, %s::json) r WHERE t.id = r.id"""
                [(expected, found)] = table.execute(again, [change["after"]])
                assert found == expected, kind
