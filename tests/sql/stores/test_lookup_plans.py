"""What EXPLAIN and the delivery say of lookups, which joins are refused, and restarts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pytest

import ferris_beam as fb
from ferris_beam.connector import Reader
from ferris_beam.connectors import memory
from ferris_beam.errors import FatalError, PlanError, SqlError
from ferris_beam.runners.launch import delivery
from ferris_beam.sql.execution.program import run_program
from ferris_beam.sql.explain import explain_program
from ferris_beam.sql.joins.lookup import LookupJoin
from ferris_beam.sql.nodes import Join, Node, column, walk
from ferris_beam.sql.plan import Catalog, plan_program
from ferris_beam.sql.rules import optimize
from ferris_beam.sql.syntax import parse
from ferris_beam.sql.text import SqlText
from ferris_beam.transforms.context import PipelineContext
from tests.sql.stores.store_connector import Store, StoreReader, put
from tests.transforms.pipelines import options

C = "'store://customers?lookup=true&cache=500&seconds=1.5' c"
O = "'memory://orders' o"  # noqa: E741


@pytest.fixture(autouse=True)
def store() -> Store:
    moments = pa.array([1, 2, 3]).cast(pa.timestamp("us"))
    columns = {"id": [1, 2, 3], "customer": [7, 8, 7], "at": [0.5, 1, 2], "seen": moments}
    memory.put("orders", pa.table(columns))
    columns = {"id": [7, 8], "name": ["a", "b"], "score": [1, 2]}
    return put(
        "customers", pa.table({**columns, "seen": moments[:2].cast(pa.timestamp("s"), safe=False)})
    )


def explained(query: str, sink: str = "") -> str:
    sql = SqlText(f"CREATE STREAM found AS {query} {sink}")
    program = plan_program(parse(sql), sql, Catalog())
    pipeline = beam.Pipeline(options=options())
    built = run_program(pipeline, program, text=sql)
    kind, why = delivery(PipelineContext.of(pipeline).as_run())
    return explain_program(program, built.plans, delivery=f"{kind}: {why}")


GOLDEN = """\
found → memory://out
Project o.id AS id, c.name AS name   [≈ 3 rows]
└─ Left join on o.customer = c.id   [≈ 3 rows]
   │  strategy: lookup (the right side is asked for the keys of each batch), since the source is \
read with lookup=true
   │  asked for: id; cache: up to 500 keys for 1.5 seconds, in each thread of a worker
   ├─ Scan memory://orders AS o   [≈ 3 rows]
   │     columns: id, customer
   │     source: 96 B as stored, about 3 rows
   └─ Project c.id, c.name   [≈ 0 rows]
      └─ Scan store://customers AS c   [≈ 0 rows]
            columns: id, name, score
            pushed to the source: WHERE c.score > 1
            source: 58 B as stored, about 2 rows

Delivery
  exactly_once: sources can be read again, and each sink commits rows and progress together; \
'found: Join' looks rows up as they are at that moment: each sink gets its rows once, but two \
sinks, or a restart, may find other values"""


def test_explain() -> None:
    text = explained(
        f"SELECT o.id, c.name FROM {O} LEFT JOIN {C} ON o.customer = c.id AND c.score > 1",
        "INTO 'memory://out'",
    )
    assert text == GOLDEN


def test_explain_shows_that_the_sides_were_exchanged() -> None:
    text = explained(f"SELECT o.id, c.name FROM {C} JOIN {O} ON o.customer = c.id")
    assert text.index("strategy: lookup") < text.index("memory://orders")
    assert text.index("memory://orders") < text.index("store://customers")


def test_delivery_where_what_was_found_is_grouped() -> None:
    text = explained(
        f"SELECT c.name, count(*) AS n FROM {O} JOIN {C} ON o.customer = c.id GROUP BY c.name",
        "INTO 'memory://out'",
    )
    assert "where these decide a group, a restart may count a row twice or not at all" in text


def test_delivery_without_lookups_says_nothing_of_them() -> None:
    assert "looks rows up" not in explained(f"SELECT id FROM {O}", "INTO 'memory://out'")


@pytest.mark.parametrize(
    ("query", "why"),
    [
        (f"SELECT 1 FROM {O} FULL JOIN {C} ON o.customer = c.id", "a full join puts out"),
        (f"SELECT 1 FROM {O} RIGHT JOIN {C} ON o.customer = c.id", "a right join puts out"),
        (f"SELECT 1 FROM {C} LEFT JOIN {O} ON o.customer = c.id", "a left join with it on the"),
        (f"SELECT 1 FROM {C} WHERE id IN (SELECT customer FROM {O})", "a semi join with it on"),
        (f"SELECT 1 FROM {O} WHERE customer NOT IN (SELECT id FROM {C})", "use NOT EXISTS"),
        (f"SELECT 1 FROM {O} JOIN {C} ON o.customer > c.id", "no equality with one of its"),
        (f"SELECT 1 FROM {O} CROSS JOIN {C}", "no equality with one of its columns"),
        (
            f"SELECT 1 FROM {O} JOIN {C} ON o.customer = c.id + 1",
            "compares c.id + 1; compare the column",
        ),
        (f"SELECT 1 FROM {O} JOIN {C} ON o.at = c.id", "CAST(c.id AS DOUBLE"),
        (f"SELECT 1 FROM {O} JOIN {C} ON o.seen = c.seen", "and cast the other side"),
        (
            f"SELECT 1 FROM {O} JOIN {C} ON o.customer IS NOT DISTINCT FROM c.id",
            "a NULL can't be looked up",
        ),
    ],
)
def test_what_needs_all_rows_is_refused(query: str, why: str) -> None:
    node = node_of(query)
    with pytest.raises(PlanError) as raised:
        optimize(node)
    assert "store://customers can't be looked up" in raised.value.message
    assert why in raised.value.message
    assert "leave out lookup=true" in raised.value.message


def node_of(query: str) -> Node:
    sql = SqlText(query)
    return plan_program(parse(sql), sql, Catalog()).outputs[0].node


def test_keys_that_the_source_can_not_be_asked_for_in_their_type() -> None:
    nodes = walk(optimize(node_of(f"SELECT o.at, c.id FROM {O} JOIN {C} ON o.customer = c.id")))
    node = next(each for each in nodes if isinstance(each, Join))
    doubles = replace(node, keys=((column("o.at"), column("c.id")),))
    with pytest.raises(SqlError, match=r"id is BIGINT and is compared as DOUBLE") as raised:
        LookupJoin(doubles)
    assert "cast the other side to BIGINT" in str(raised.value)


def test_outside_of_a_join_the_source_is_read() -> None:
    text = explained(f"SELECT count(*) FROM {C.replace('seconds', 'aggregates=false&seconds')}")
    assert "lookup (" not in text


def failing_after(batches: int, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The store answers so many lookups, then none, until what is returned is called."""
    answer, asked = StoreReader.lookup, Counter[str]()

    def lookup(self: Reader, keys: pa.RecordBatch) -> Any:
        asked["times"] += 1
        if asked["times"] > batches:
            raise FatalError("the store is down")
        return answer(self, keys)  # type: ignore[arg-type]

    monkeypatch.setattr(StoreReader, "lookup", lookup)
    return lambda: monkeypatch.setattr(StoreReader, "lookup", answer)


def test_a_restart_goes_on_with_what_the_source_holds_then(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that were committed stay as they were; each is there once."""
    memory.clear()
    batches = [pa.record_batch({"id": range(n * 10, n * 10 + 10)}) for n in range(300)]
    memory.put("orders", pa.Table.from_batches(batches))
    store.table = pa.table({"k": range(3_000), "run": ["first"] * 3_000})
    query = (
        "INSERT INTO 'memory://found' SELECT o.id, c.run FROM 'memory://orders' o "
        "LEFT JOIN 'store://customers?lookup=true' c ON o.id = c.k"
    )
    repair = failing_after(200, monkeypatch)
    flags = options("--name=lookups", threads=1)
    with pytest.raises(FatalError, match="the store is down"):
        fb.launch(lambda pipeline: pipeline | fb.sql(query), flags, quiet=True)
    before = memory.take("found").to_pylist()
    assert 0 < len(before) < 3_000
    repair()
    store.table = pa.table({"k": range(3_000), "run": ["second"] * 3_000})
    report = fb.launch(lambda pipeline: pipeline | fb.sql(query), flags, quiet=True)
    assert report.delivery == "exactly_once"
    after = memory.take("found").to_pylist()
    assert sorted(row["id"] for row in after) == list(range(3_000))
    kept = {row["id"] for row in before}
    assert all(row["run"] == ("first" if row["id"] in kept else "second") for row in after)
