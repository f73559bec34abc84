"""Lookups and aggregates of SQL on a real server give what reading the whole table gives."""

from __future__ import annotations

import pyarrow as pa
import pytest

from ferris_beam.connectors import memory
from ferris_beam.sql.execution.scans import StoreAggregates
from ferris_beam.sql.nodes import AggregatedScan, walk
from ferris_beam.sql.plan import Catalog, plan_program
from ferris_beam.sql.rules import optimize
from ferris_beam.sql.syntax import parse
from ferris_beam.sql.text import SqlText
from tests.services.database import Database
from tests.sql.joins.staged import bag
from tests.sql.running import run_one

AGGREGATES = (
    "SELECT part, count(*) AS n, count(name) AS names, sum(id) AS s, sum(price) AS prices, "
    "min(day) AS first, max(name) AS last, avg(small) AS mean FROM {t} t WHERE id > 7 GROUP BY part"
)
LOOKUP = (
    "SELECT o.number, t.name, t.price FROM 'memory://orders' o LEFT JOIN {t} t "
    "ON o.id = t.id AND t.part <> 3"
)


@pytest.fixture
def table(database: Database) -> Database:
    database.execute(
        "CREATE TABLE t AS SELECT i::bigint AS id, (i % 10)::int AS part, (i % 7)::smallint AS "
        "small, nullif('name ' || (i % 100), 'name 5') COLLATE \"C\" AS name, "
        "(i / 4.0)::numeric(12, 2) AS price, date '1969-12-30' + i AS day "
        "FROM generate_series(1, 3000) i"
    )
    memory.put(
        "orders", pa.table({"number": range(500), "id": [n * 17 % 4_000 for n in range(500)]})
    )
    return database


def test_lookups(table: Database) -> None:
    asked = run_one(LOOKUP.format(t=f"'{table.uri(table='t', lookup='true')}'"))
    read = run_one(LOOKUP.format(t=f"'{table.uri(table='t')}'"))
    assert bag(asked) == bag(read)
    assert asked.num_rows == 500


def test_aggregates(table: Database) -> None:
    text = AGGREGATES.format(t=f"'{table.uri(table='t')}'")
    sql = SqlText(text)
    node = plan_program(parse(sql), sql, Catalog()).outputs[0].node
    plan = optimize(node, can_aggregate=StoreAggregates([node]))
    assert any(isinstance(each, AggregatedScan) for each in walk(plan))
    memory.put("copy", run_one(f"SELECT * FROM '{table.uri(table='t')}'"))
    assert bag(run_one(text)) == bag(run_one(AGGREGATES.format(t="'memory://copy'")))
