"""Values of every type, through a pipeline."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import sql

import ferris_beam as fb
from tests.connectors.postgresql.reading import read
from tests.connectors.postgresql.sources import through_a_pipeline
from tests.services.database import Database

VALUES = {
    "boolean": "true",
    "smallint": "-32768",
    "integer": "2147483647",
    "bigint": "-9223372036854775808",
    "oid": "4294967295",
    "real": "1.1754944e-38",
    "double precision": "-Infinity",
    "numeric(12,2)": "-1234567890.12",
    "numeric(5)": "99999",
    "numeric(38,37)": "1.0000000000000000000000000000000000001",
    "numeric(39,1)": "12345678901234567890123456789012345678.9",
    "numeric(76,0)": "9" * 76,
    "numeric(2,4)": "0.0099",
    "numeric": "1234567890.000000001",
    "text": 'ä "quoted", \\ and\nlines',
    "varchar(10)": "",
    "char(10)": "padded",
    "name": "a_name",
    '"char"': "c",
    "bytea": "\\x00ff10",
    "date": "0044-03-15 BC",
    "time": "23:59:59.999999",
    "time(3)": "00:00:00.123",
    "timetz": "10:00:00+02",
    "timestamp": "1969-12-31 23:59:59.999999",
    "timestamptz": "12024-02-29 12:00:00.000001+00",
    "interval": "1 year -2 days 03:04:05.000006",
    "uuid": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    "json": '{"a":  [1, null]}',
    "jsonb": '{"b": {"c": "é"}}',
    "jsonpath": "$.a[*]",
    "inet": "10.1.2.3/8",
    "cidr": "2001:db8::/32",
    "macaddr": "08:00:2b:01:02:03",
    "bit(3)": "101",
    "bit varying": "1",
    "int4range": "[1,5)",
    "tstzrange": "[2024-01-01 00:00:00+00,)",
    "nummultirange": "{[1.5,2.5),[3,4)}",
    "regclass": "pg_class",
    "integer[]": "{1,NULL,-3}",
    "numeric(7,3)[]": "{1.500,NULL}",
    "text[]": '{"a,b",NULL,"c\\"d"}',
    "timestamptz[]": '{"2024-01-01 00:00:00+00"}',
    "int4range[]": '{"[1,2)",NULL}',
    "mood": "happy",
    "cents": "12.30",
    "pair": "(7,seven)",
}


def create(database: Database) -> None:
    database.execute("CREATE TYPE mood AS ENUM ('sad', 'happy')")
    database.execute("CREATE DOMAIN cents AS numeric(10, 2)")
    database.execute("CREATE TYPE pair AS (number int, word text)")
    columns = ", ".join(f"c{n} {kind}" for n, kind in enumerate(VALUES))
    database.execute(f"CREATE TABLE t ({columns})")
    database.execute(
        f"INSERT INTO t VALUES ({', '.join(['%s'] * len(VALUES))})", list(VALUES.values())
    )
    database.execute("INSERT INTO t DEFAULT VALUES")


def test_every_type_comes_through_a_pipeline(database: Database) -> None:
    create(database)
    with database.connect(options="-c TimeZone=UTC -c IntervalStyle=postgres") as connection:
        expected, bad = read(connection, sql.Identifier("t"))
    assert not bad
    found = through_a_pipeline(database.uri(table="t"))
    assert found.equals(expected)
    assert [name for name in found.schema.names if found[name].null_count != 1] == []


def test_what_parquet_can_hold_comes_into_a_file(database: Database, tmp_path: Path) -> None:
    create(database)
    interval = f"c{list(VALUES).index('interval')}"  # Parquet has no type for it
    database.execute(f"ALTER TABLE t DROP COLUMN {interval}")
    target = tmp_path / "out.parquet"
    uri = database.uri(table="t")
    fb.launch(lambda p: p | fb.read(uri) | fb.write(f"file:{target}"), quiet=True)
    with database.connect(options="-c TimeZone=UTC") as connection:
        expected, _ = read(connection, sql.Identifier("t"))
    assert pq.read_table(target).equals(expected)


def test_options_say_what_becomes_of_numbers_and_unmapped_types(database: Database) -> None:
    database.execute("CREATE TABLE t AS SELECT 1.5::numeric AS n, point '(1,2)' AS p")
    found = through_a_pipeline(database.uri(table="t", numeric="text", unmapped="text"))
    assert found.to_pylist() == [{"n": "1.5", "p": "(1,2)"}]
    assert found.schema.types == [pa.string(), pa.string()]
