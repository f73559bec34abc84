"""The contract over PostgreSQL's sources."""

from __future__ import annotations

import pyarrow as pa
import pytest
from psycopg import sql

from ferris_beam.testing import SourceCase, SourceConformance
from ferris_beam.testing.cases import sample
from tests.connectors.postgresql.reading import read
from tests.services.database import Database

NOBODY = "postgresql://nobody@127.0.0.1:1/shop?table=orders&connect_timeout=1s"


def fill(database: Database, table: pa.Table) -> None:
    database.execute("CREATE TABLE orders (id int8 NOT NULL, name text, amount float8)")
    for row in table.to_pylist():
        database.execute(
            "INSERT INTO orders VALUES (%s, %s, %s)", (row["id"], row["name"], row["amount"])
        )


class TestTable(SourceConformance):
    @pytest.fixture
    def case(self, database: Database) -> SourceCase:
        table = sample()
        fill(database, table)
        uri = database.uri(table="orders", batch_rows=5)
        return SourceCase(uri=uri, expected=table, failing=NOBODY)


class TestPartitions(SourceConformance):
    @pytest.fixture
    def case(self, database: Database) -> SourceCase:
        table = sample()
        database.execute(
            "CREATE TABLE orders (id int8, name text, amount float8) PARTITION BY RANGE (id)"
        )
        for start in (0, 10, 20):
            database.execute(
                f"CREATE TABLE orders_{start} PARTITION OF orders "
                f"FOR VALUES FROM ({start}) TO ({start + 10})"
            )
        for row in table.to_pylist():
            database.execute(
                "INSERT INTO orders VALUES (%s, %s, %s)", (row["id"], row["name"], row["amount"])
            )
        return SourceCase(uri=database.uri(batch_rows=4), expected=table, failing=NOBODY)


class TestQuery(SourceConformance):
    @pytest.fixture
    def case(self, database: Database) -> SourceCase:
        table = sample()
        fill(database, table)
        query = "SELECT id, name, amount FROM orders WHERE 'a%' <> '{b}' -- all of them"
        uri = database.uri(query=query, batch_rows=5)
        return SourceCase(uri=uri, expected=table, failing=NOBODY)


class TestKeyRanges(SourceConformance):
    @pytest.fixture
    def case(self, database: Database) -> SourceCase:
        table = sample()
        fill(database, table)
        database.execute("CREATE VIEW shown AS SELECT id, name, amount FROM orders")
        uri = database.uri(table="shown", split_by="id", batch_rows=5)
        return SourceCase(uri=uri, expected=table, failing=NOBODY)


class TestTypes(SourceConformance):
    """Values whose comparisons differ between Arrow and PostgreSQL, under random conditions."""

    @pytest.fixture
    def case(self, database: Database) -> SourceCase:
        database.execute(
            "CREATE TABLE t (i int2, f float8, r float4, d numeric(9, 2), s text, u uuid, b bool, "
            "y bytea, at timestamp, az timestamptz, day date, clock time)"
        )
        database.execute(
            "INSERT INTO t SELECT nullif(n % 7, 3), "
            "CASE n % 6 WHEN 0 THEN float8 'NaN' WHEN 1 THEN 'Infinity' WHEN 2 THEN NULL "
            "ELSE n END, "
            "CASE n % 5 WHEN 0 THEN float8 'NaN' WHEN 1 THEN NULL ELSE n / 3.0 END, n / 4.0, "
            "(ARRAY['a', 'B', 'ä', 'Z', '', NULL, 'aa', 'é', '%'])[1 + n % 9], "
            "md5(n::text)::uuid, n % 2 = 0, decode(md5(n::text), 'hex'), "
            "timestamp '2020-01-01' + n * interval '1 day 1.000001 s', "
            "timestamptz '2020-03-01' + n * interval '7 hour', date '2020-01-01' + n, "
            "time '00:00' + n * interval '7 min' FROM generate_series(0, 39) n"
        )
        with database.connect(options="-c TimeZone=UTC") as connection:
            expected, _ = read(connection, sql.Identifier("t"))
        return SourceCase(uri=database.uri(table="t", batch_rows=7), expected=expected)


class TestCursor(SourceConformance):
    """In the order of a column in which several rows have the same value."""

    @pytest.fixture
    def case(self, database: Database) -> SourceCase:
        table = sample()
        fill(database, table)
        database.execute("ALTER TABLE orders ADD version int4")
        database.execute("UPDATE orders SET version = id / 3")
        expected = table.append_column("version", pa.array([n // 3 for n in range(24)]))
        uri = database.uri(table="orders", cursor="version", batch_rows=4)
        return SourceCase(uri=uri, expected=expected, failing=f"{NOBODY}&cursor=id")


class TestCursorOfTimes(SourceConformance):
    @pytest.fixture
    def case(self, database: Database) -> SourceCase:
        table = sample()
        fill(database, table)
        database.execute(
            "CREATE VIEW shown AS SELECT *, date '2020-01-01' + id::int AS day FROM orders"
        )
        days = pa.array([18262 + n for n in range(24)], pa.int32()).cast(pa.date32())
        uri = database.uri(table="shown", cursor="day", batch_rows=5)
        return SourceCase(uri=uri, expected=table.append_column("day", days))
