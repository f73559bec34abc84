"""Aggregates that a source computes are those that we compute, in rows and in types."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal

import apache_beam as beam
import pyarrow as pa
import pytest

import ferris_beam as fb
from ferris_beam.connectors import memory
from ferris_beam.sql.execution.program import run_program
from ferris_beam.sql.execution.scans import StoreAggregates
from ferris_beam.sql.explain import explain_program
from ferris_beam.sql.joins import table_of
from ferris_beam.sql.nodes import Aggregate, AggregatedScan, Node, walk
from ferris_beam.sql.plan import Catalog, plan_program
from ferris_beam.sql.rules import arrow_predicate, optimize
from ferris_beam.sql.syntax import parse
from ferris_beam.sql.text import SqlText
from ferris_beam.transforms.aggregation import Aggregation
from ferris_beam.transforms.context import PipelineContext
from tests.sql.aggregation import stages
from tests.sql.joins.test_kinds import RUN
from tests.sql.running import run_together
from tests.sql.stores.store_connector import Store, StoreReader, put
from tests.transforms.pipelines import options

PUSHED = {
    "by one key": "SELECT country, count(*) AS n, sum(amount) AS s FROM {t} t GROUP BY country",
    "texts": "SELECT flag, min(country), max(country) FROM {t} t GROUP BY flag",
    "by two keys": "SELECT country, day, min(price), max(amount) FROM {t} t GROUP BY 1, 2",
    "of all rows": "SELECT count(*), count(1), count(amount), sum(price), min(day), max(at) "
    "FROM {t} t",
    "of no rows": "SELECT count(*), count(amount), sum(amount), min(day) FROM {t} t WHERE id < 0",
    "by key of no rows": "SELECT country, sum(amount) FROM {t} t WHERE id < 0 GROUP BY country",
    "filtered": "SELECT country, count(*) AS n FROM {t} t WHERE amount > 3 AND id < 900 GROUP BY 1",
    "having": "SELECT country FROM {t} t GROUP BY country HAVING sum(amount) > 100 ORDER BY 1",
    "distinct": "SELECT DISTINCT country, flag FROM {t} t",
    "counts of any type": "SELECT flag, count(weight), count(tags), count(country) FROM {t} t "
    "GROUP BY flag",
    "renamed": "SELECT q.c AS where_, q.s FROM (SELECT country AS c, sum(a) AS s FROM "
    "(SELECT country, amount AS a FROM {t} t) u GROUP BY country) q",
    "twice the same": "SELECT country, sum(amount) AS one, sum(amount) AS two, max(amount) - "
    "min(amount) AS spread FROM {t} t GROUP BY country",
    "joined": "SELECT o.id, q.n FROM 'memory://others' o LEFT JOIN "
    "(SELECT country, count(*) AS n FROM {t} t GROUP BY country) q ON o.country = q.country",
    "narrow sums": "SELECT sum(small), min(small), max(small) FROM {t} t GROUP BY flag",
    "mean": "SELECT country, avg(small) AS mean, count(*) AS n FROM {t} t GROUP BY country",
    "mean of no rows": "SELECT avg(small), sum(small) FROM {t} t WHERE id < 0",
}

OURS = {
    "sum of doubles": "SELECT sum(weight) FROM {t} t",
    "least double": "SELECT min(weight) FROM {t} t",
    "groups of doubles": "SELECT weight, count(*) FROM {t} t GROUP BY weight",
    "distinct values": "SELECT count(DISTINCT country) FROM {t} t",
    "some rows": "SELECT count(*) FILTER (WHERE amount > 3) FROM {t} t",
    "of what is computed": "SELECT sum(amount + 1) FROM {t} t",
    "by what is computed": "SELECT upper(country), count(*) FROM {t} t GROUP BY 1",
    "other functions": "SELECT count(*), stddev(amount) FROM {t} t",
    "mean of decimals": "SELECT avg(price) FROM {t} t",
    "mean of wide integers": "SELECT avg(amount) FROM {t} t",
    "windows": "SELECT window_start, count(*) FROM {t} t GROUP BY TUMBLE(at, INTERVAL '1' HOUR)",
    "a condition that Arrow has no words for": "SELECT count(*) FROM {t} t WHERE amount * 2 > 5",
    "a limit below": "SELECT count(*) FROM (SELECT * FROM {t} t LIMIT 10) q",
    "read beside it": "SELECT country, amount - (SELECT max(amount) FROM {t} u) AS d FROM {t} t",
    "above a join": "SELECT count(*) FROM {t} t JOIN 'memory://others' o ON t.country = o.country",
}


def rows(count: int = 2_500) -> pa.Table:
    chance = random.Random(3)

    def some(*values: object) -> list[object]:
        return [chance.choice([None, *values]) for _ in range(count)]

    start = dt.datetime(1969, 12, 31, 23, 59)
    return pa.table(
        {
            "id": pa.array(range(count), pa.int64()),
            "country": pa.array(some("at", "de", "", "ÄÖ"), pa.string()),
            "flag": pa.array(some(True, False), pa.bool_()),
            "amount": pa.array(some(*range(-5, 12)), pa.int64()),
            "small": pa.array(some(*range(-3, 100)), pa.int16()),
            "price": pa.array(some(Decimal("1.50"), Decimal("-0.25")), pa.decimal128(9, 2)),
            "weight": pa.array(some(0.1, -0.0, 0.0, float("nan"), 1e300), pa.float64()),
            "day": pa.array(some(dt.date(1969, 1, 1), dt.date(2024, 2, 29)), pa.date32()),
            "at": pa.array([start + dt.timedelta(minutes=n) for n in range(count)]),
            "tags": pa.array(some(["a"], []), pa.list_(pa.string())),
        }
    )


@pytest.fixture(autouse=True)
def store() -> Store:
    memory.put("others", pa.table({"id": [1, 2, 3], "country": ["de", "xx", None]}))
    return put("rows", rows())


def text_of(query: str, more: str = "") -> str:
    return query.format(t=f"'store://rows?{more}'")


def planned(text: str) -> tuple[list[Node], str]:
    """The nodes that are run, and what EXPLAIN shows."""
    sql = SqlText(f"CREATE STREAM found AS {text}")
    program = plan_program(parse(sql), sql, Catalog())
    node = program.streams["found"]
    plan = optimize(node, can_aggregate=StoreAggregates([node]))
    return walk(plan), explain_program(program, {"found": plan})


def is_pushed(text: str) -> bool:
    return any(isinstance(node, AggregatedScan) for node in planned(text)[0])


@pytest.mark.parametrize("query", PUSHED.values(), ids=PUSHED)
def test_what_is_pushed(query: str) -> None:
    assert is_pushed(text_of(query))
    assert not is_pushed(text_of(query, "aggregates=false"))


@pytest.mark.parametrize("query", OURS.values(), ids=OURS)
def test_what_is_not(query: str) -> None:
    assert not is_pushed(text_of(query))


def ours(node: Aggregate) -> pa.Table:
    """The rows that the stage of ``node`` puts out."""
    table = table_of(node.input, True)
    assert table is not None
    return stages.run(node, list(table.batches(RUN)))


def theirs(node: AggregatedScan) -> pa.Table:
    """The rows that the source gives, under the names of the plan."""
    scan, endpoint = node.scan, node.scan.endpoint
    schema = pa.schema(list(zip(node.names, node.schema.types, strict=True)))
    found = endpoint.reader(endpoint.resolved()).pushdown(list(scan.names), arrow_predicate(scan))
    reader = Aggregation(node.keys, node.calls, schema).reader(*found)
    assert reader is not None
    records = [chunk.records for split in reader.splits({}) for chunk in reader.read(split)]
    return pa.Table.from_batches(records, schema).rename_columns(node.schema.names)


@pytest.mark.parametrize("name", [name for name in PUSHED if not name.startswith("mean")])
def test_the_same_rows_and_types(name: str) -> None:
    nodes, _ = planned(text_of(PUSHED[name], "aggregates=false"))
    (aggregate,) = [node for node in nodes if isinstance(node, Aggregate)]
    (pushed,) = [
        node for node in planned(text_of(PUSHED[name]))[0] if isinstance(node, AggregatedScan)
    ]
    assert pushed.schema == aggregate.schema
    assert exactly(theirs(pushed)) == exactly(ours(aggregate))


def exactly(table: pa.Table) -> list[str]:
    """The rows in no order, to the last digit."""
    return sorted(map(repr, table.to_pylist()))


THROUGH_BEAM = ("of no rows", "joined", "mean")


def test_a_pipeline_reads_groups_only(store: Store) -> None:
    computed = {name: text_of(PUSHED[name], "aggregates=false") for name in THROUGH_BEAM}
    expected = run_together(computed)
    read = store.rows_read
    assert read >= store.table.num_rows
    assert not store.aggregations
    found = run_together({name: text_of(PUSHED[name]) for name in THROUGH_BEAM})
    assert store.aggregations
    assert store.rows_read - read < 30
    for name, wanted in expected.items():
        result = found[name]
        assert isinstance(wanted, pa.Table), (name, wanted)
        assert isinstance(result, pa.Table), (name, result)
        assert result.schema == wanted.schema, name
        assert exactly(result) == exactly(wanted), name


def test_a_source_that_leaves_rows_to_be_filtered_is_not_asked(store: Store) -> None:
    query = "SELECT count(*) FROM {t} t WHERE amount > 3"
    assert is_pushed(text_of(query))
    assert not is_pushed(text_of(query, "filters=false"))
    assert is_pushed(text_of("SELECT count(*) FROM {t} t", "filters=false"))


@pytest.mark.parametrize("fact", ["incremental", "confirms"])
def test_a_source_that_goes_on_later_is_not_asked(
    fact: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StoreReader, fact, True)
    assert not is_pushed(text_of("SELECT count(*) FROM {t} t"))


def test_what_several_outputs_read_is_read_once() -> None:
    """They agree then, though the source may change meanwhile."""
    text = SqlText(
        text_of(
            "CREATE STREAM one AS SELECT count(*) AS n FROM {t} t INTO 'memory://one'; "
            "CREATE STREAM two AS SELECT id FROM {t} t INTO 'memory://two'"
        )
    )
    program = plan_program(parse(text), text, Catalog())
    built = run_program(beam.Pipeline(options=options()), program, text=text)
    nodes = [node for plan in built.plans.values() for node in walk(plan)]
    assert not any(isinstance(node, AggregatedScan) for node in nodes)


GOLDEN = """\
found
Project t.country AS country, count AS n, sum   [≈ 216 rows]
└─ Scan store://rows AS t   [≈ 216 rows]
      aggregates pushed to the source: count(*), sum(amount) by country
      pushed to the source: WHERE t.day > CAST('2000-01-01' AS DATE)
      source: 166 kB as stored, about 1,443 rows"""


def test_explain(store: Store) -> None:
    text = "SELECT country, count(*) AS n, sum(amount) FROM {t} t WHERE day > DATE '2000-01-01' "
    assert planned(text_of(text + "GROUP BY country"))[1] == GOLDEN


def test_a_restart_knows_the_plan(store: Store) -> None:
    text = "INSERT INTO 'memory://sums' SELECT country, sum(amount) AS s FROM {t} t GROUP BY 1"
    flags = options("--name=sums")
    first = fb.launch(lambda pipeline: pipeline | fb.sql(text_of(text)), flags, quiet=True)
    assert (first.rows_written, first.delivery) == (5, "exactly_once")
    again = fb.launch(lambda pipeline: pipeline | fb.sql(text_of(text)), flags, quiet=True)
    assert again.status == "already finished"
    others = [text, text.replace("sum(", "max("), text.replace("country", "flag")]
    assert len({plan_of(text_of(each)) for each in others}) == 3


def plan_of(text: str) -> str:
    pipeline = beam.Pipeline(options=options())
    _ = pipeline | fb.sql(text)
    return PipelineContext.of(pipeline).plan
