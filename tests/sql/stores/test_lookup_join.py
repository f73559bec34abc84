"""A join by lookups has the rows of the same join with the whole source."""

from __future__ import annotations

import pickle
import random
from decimal import Decimal

import apache_beam as beam
import pyarrow as pa
import pytest

import ferris_beam as fb
from ferris_beam.connectors import memory
from ferris_beam.sql.joins import BroadcastJoin, table_of
from ferris_beam.sql.joins.lookup import LookupJoin
from ferris_beam.sql.nodes import Join, walk
from ferris_beam.sql.plan import Catalog, plan_program
from ferris_beam.sql.rules import optimize
from ferris_beam.sql.syntax import parse
from ferris_beam.sql.text import SqlText
from tests.sql.joins.staged import bag
from tests.sql.joins.test_kinds import RUN
from tests.sql.running import Result, run_one, run_together
from tests.sql.stores.store_connector import Store, put
from tests.transforms.pipelines import options

QUERIES = {
    "inner": "SELECT o.id, c.name FROM {o} o JOIN {c} c ON o.customer = c.id",
    "left": "SELECT o.id, c.* FROM {o} o LEFT JOIN {c} c ON o.customer = c.id",
    "semi": "SELECT o.id FROM {o} o WHERE o.customer IN (SELECT id FROM {c} c WHERE c.score > 3)",
    "anti": "SELECT o.id FROM {o} o WHERE NOT EXISTS "
    "(SELECT 1 FROM {c} c WHERE c.id = o.customer AND c.score > 5)",
    "on the left": "SELECT c.name, o.id FROM {c} c JOIN {o} o ON o.customer = c.id",
    "right": "SELECT c.name, o.id FROM {c} c RIGHT JOIN {o} o ON o.customer = c.id",
    "residual": "SELECT o.id, c.name FROM {o} o LEFT JOIN {c} c "
    "ON o.customer = c.id AND o.amount > c.score",
    "filters": "SELECT o.id, c.name FROM {o} o LEFT JOIN {c} c "
    "ON o.customer = c.id AND c.score > 2 AND upper(c.name) <> 'N3' WHERE o.amount < 8",
    "computed": "SELECT o.id, c.loud, c.twice FROM {o} o JOIN "
    "(SELECT id AS k, upper(name) AS loud, score * 2 AS twice FROM {c} c WHERE score < 8) c "
    "ON o.customer = c.k",
    "two keys": "SELECT o.id, c.name FROM {o} o JOIN {c} c "
    "ON o.customer = c.id AND o.country = c.country",
    "key that is computed": "SELECT o.id, c.name FROM {o} o LEFT JOIN {c} c "
    "ON o.customer = c.id AND o.country = lower(c.country)",
    "text": "SELECT o.id, c.name FROM {o} o LEFT JOIN {c} c ON o.country = c.country",
    "wide key": "SELECT o.id, c.name FROM {o} o LEFT JOIN {c} c ON o.wide = c.small",
    "decimal": "SELECT o.id, c.name FROM {o} o JOIN {c} c ON o.price = c.price",
    "computed left key": "SELECT o.id, c.name FROM {o} o LEFT JOIN {c} c ON o.id % 4 = c.id",
    "chain": "SELECT o.id, c.name, d.name AS other FROM {o} o JOIN {c} c ON o.customer = c.id "
    "LEFT JOIN {c} d ON c.score = d.id",
    "aggregate": "SELECT c.name, count(*) AS n, sum(o.amount) AS s FROM {o} o JOIN {c} c "
    "ON o.customer = c.id GROUP BY c.name",
    "scalar": "SELECT o.id, (SELECT u.name FROM {u} u WHERE u.id = o.customer) AS n FROM {o} o",
}


def orders(rows: int = 2_000, seed: int = 1) -> pa.Table:
    chance = random.Random(seed)
    customers = [None if chance.random() < 0.1 else chance.randrange(40) for _ in range(rows)]
    return pa.table(
        {
            "id": pa.array(range(rows), pa.int64()),
            "customer": pa.array(customers, pa.int32()),
            "country": pa.array([chance.choice(["at", "de", "x" * 40, None]) for _ in range(rows)]),
            "amount": pa.array([chance.randrange(10) for _ in range(rows)], pa.int64()),
            "wide": pa.array([chance.choice([1, 2, 300, 2**40, -(2**63)]) for _ in range(rows)]),
            "price": pa.array([Decimal(each % 5) / 2 for each in range(rows)], pa.decimal128(9, 2)),
        }
    )


def customers(rows: int = 60, seed: int = 2, distinct: bool = False) -> pa.Table:
    chance = random.Random(seed)
    ids = [each if distinct else chance.choice([None, *range(30)]) for each in range(rows)]
    return pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "country": pa.array([chance.choice(["at", "DE", "x" * 40, None]) for _ in range(rows)]),
            "name": pa.array([f"n{each}" for each in range(rows)]),
            "score": pa.array([chance.randrange(10) for _ in range(rows)], pa.int64()),
            "small": pa.array([each % 128 for each in range(rows)], pa.int8()),
            "price": pa.array([Decimal(each % 3) / 2 for each in range(rows)], pa.decimal128(9, 2)),
        }
    )


@pytest.fixture
def store() -> Store:
    put("unique", customers(distinct=True))
    memory.put("orders", pa.Table.from_batches(orders().to_batches(max_chunksize=500)))
    return put("customers", customers())


def text_of(query: str, more: str) -> str:
    names = {"o": "'memory://orders'", "c": f"'store://customers?{more}'"}
    return query.format(**names, u=f"'store://unique?{more}'")


WAYS = ("", "&filters=false", "&cache=3")


def joins_of(text: str) -> list[Join]:
    sql = SqlText(text)
    program = plan_program(parse(sql), sql, Catalog())
    nodes = walk(optimize(program.outputs[0].node, broadcast_limit=0))
    return [node for node in nodes if isinstance(node, Join) and node.strategy == "lookup"]


def joined(join: LookupJoin | BroadcastJoin, left: list[pa.RecordBatch]) -> pa.Table:
    worker = pickle.loads(pickle.dumps(join))
    worker.open(RUN)
    return pa.Table.from_batches([part for batch in left for part in worker.run(batch)])


@pytest.mark.parametrize("name", [name for name in QUERIES if name != "chain"])
def test_the_same_rows_as_with_all_of_the_source_held(store: Store, name: str) -> None:
    for way in WAYS:
        (node,) = joins_of(text_of(QUERIES[name], f"lookup=true{way}"))
        sides = table_of(node.left, True), table_of(node.right, True)
        assert sides[0] is not None
        assert sides[1] is not None
        left = list(sides[0].batches(RUN))
        expected = joined(BroadcastJoin(node, sides[1]), left)
        assert bag(joined(LookupJoin(node), left)) == bag(expected)
        assert expected.num_rows


THROUGH_BEAM = ("left", "on the left", "anti", "chain")


def test_a_pipeline_has_the_same_rows_and_never_reads_the_source(store: Store) -> None:
    whole = run_together({name: text_of(QUERIES[name], "") for name in THROUGH_BEAM})
    assert not store.lookups
    read = store.rows_read
    found = run_together({name: text_of(QUERIES[name], "lookup=true") for name in THROUGH_BEAM})
    assert store.lookups
    assert store.rows_read == read
    for name, expected in whole.items():
        result = found[name]
        assert isinstance(expected, pa.Table), (name, expected)
        assert isinstance(result, pa.Table), (name, result)
        assert result.schema == expected.schema, name
        assert bag(result) == bag(expected), name
        assert expected.num_rows, name


def test_a_batch_asks_once_and_only_for_what_is_new(store: Store) -> None:
    run_one(text_of(QUERIES["left"], "lookup=true"), threads=1)
    keys = [key for (key,) in store.keys]
    assert len(keys) == len(set(keys)) == 40, "each key once, also those without a row"
    assert store.lookups[0].schema == pa.schema({"id": pa.int64()}), "in the type of the source"
    assert len(store.lookups) <= 5


def test_keys_that_the_source_can_not_hold_are_not_asked_for(store: Store) -> None:
    run_one(text_of(QUERIES["wide key"], "lookup=true"), threads=1)
    assert set(store.keys) == {(1,), (2,)}
    assert store.lookups[0].schema == pa.schema({"small": pa.int8()})


def test_a_lost_connection_is_opened_anew(store: Store) -> None:
    store.failures = 2
    found = run_one(text_of(QUERIES["inner"], "lookup=true"), threads=1)
    assert bag(found) == bag(run_one(text_of(QUERIES["inner"], "lookup=false")))
    assert store.failures == 0


def test_what_was_opened_is_closed(store: Store) -> None:
    run_one(text_of(QUERIES["chain"], "lookup=true"))
    assert store.opened == store.closed > 2


def test_nothing_is_asked_without_keys(store: Store) -> None:
    memory.put("orders", orders().slice(0, 0))
    assert run_one(text_of(QUERIES["left"], "lookup=true")).num_rows == 0
    assert not store.lookups


INVERSE = """SELECT o.id, c.part FROM {o} o JOIN (SELECT id, 12 / score AS part FROM {c} c) c
ON o.customer = c.id"""


def test_rows_that_meet_one_that_can_not_be_computed_are_rejected(store: Store) -> None:
    """What the source has for the other keys is joined."""
    memory.put("orders", pa.table({"id": [1, 2, 3, 4, 5], "customer": [7, 8, 7, 9, None]}))
    store.table = pa.table({"id": [7, 8, 8, 9], "score": [0, 3, 4, 12]})
    pipeline = beam.Pipeline(options=options())
    with fb.DeadLetters("memory://letters") as letters:
        result = Result(pipeline, "query", text_of(INVERSE, "lookup=true"), letters)
    pipeline.run().wait_until_finish()
    assert result.table().to_pylist() == [
        {"id": 2, "part": 4},
        {"id": 2, "part": 3},
        {"id": 4, "part": 1},
    ]
    rejected = memory.take("letters").to_pylist()
    assert len(rejected) == 2
    assert all("by zero" in str(letter) for letter in rejected)


def test_without_dead_letters_such_a_row_stops_the_job(store: Store) -> None:
    with pytest.raises(Exception, match=r"a row of store://customers for this key: .*by zero"):
        run_one(text_of(INVERSE, "lookup=true"))
