"""Every kind of join against DuckDB: by hash partitions, by a held table, with either side held."""

from __future__ import annotations

import datetime as dt
import pickle
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from sqlglot import exp, parse_one

from ferris_beam.errors import BadRecordError, FatalError, SqlError
from ferris_beam.ledger import Identity
from ferris_beam.sql import nodes
from ferris_beam.sql.joins import BroadcastJoin, GivenTable, plan_hash_join
from ferris_beam.transforms.context import Policy, Run
from tests.sql.joins.staged import bag, batch_of, cut, given, partitions_of, run_stage

RUN = Run(Identity("join", "run"), Policy())
KINDS = ("inner", "left", "right", "full", "semi", "anti")
BROADCAST = ("inner", "left", "semi", "anti")
ZONE = dt.timezone.utc
DUCKDB = duckdb.connect(config={"threads": 1})
DUCKDB.execute("SET TimeZone = 'UTC'")

TEXTS = ["", "a", "ab", "éa", "x" * 9, "x" * 300, "x" * 299 + "y"]
INSTANTS = [dt.datetime(1969, 12, 31, 23), dt.datetime(2024, 2, 29), dt.datetime(2024, 2, 29, 1)]

PAIRS_OF_TYPES: dict[str, tuple[pa.DataType, pa.DataType, list[Any]]] = {
    "int64": (pa.int64(), pa.int64(), [0, 1, -1, 2**62, -(2**63)]),
    "widths": (pa.int16(), pa.int64(), [0, 1, -1, 300]),
    "unsigned": (pa.uint64(), pa.int8(), [0, 1, 100]),
    "unsigned both": (pa.uint64(), pa.uint8(), [0, 1, 200]),
    "texts": (pa.string(), pa.large_string(), TEXTS),
    "bytes": (pa.binary(), pa.binary(), [b"", b"\0", b"\0\0", b"abc"]),
    "decimals": (
        pa.decimal128(5, 2),
        pa.decimal128(38, 10),
        [Decimal("1.50"), Decimal("-1.50"), Decimal(0)],
    ),
    "decimal and integer": (pa.decimal128(12, 2), pa.int32(), [Decimal(3), Decimal(-7)]),
    "floats": (pa.float64(), pa.float64(), [0.0, -0.0, 1.5, float("nan"), float("inf")]),
    "float and integer": (pa.float32(), pa.int32(), [0.0, 1.0, -7.0]),
    "booleans": (pa.bool_(), pa.bool_(), [True, False]),
    "dates": (pa.date32(), pa.date32(), [dt.date(1969, 12, 31), dt.date(2024, 2, 29)]),
    "date and timestamp": (pa.date32(), pa.timestamp("us"), [dt.datetime(2024, 2, 29)]),
    "timestamps": (pa.timestamp("s"), pa.timestamp("us"), INSTANTS),
    "zones": (
        pa.timestamp("us", "Europe/Berlin"),
        pa.timestamp("us", "UTC"),
        [each.replace(tzinfo=ZONE) for each in INSTANTS],
    ),
    "times": (pa.time64("us"), pa.time64("us"), [dt.time(0), dt.time(23, 59, 59, 1)]),
    "dictionaries": (pa.dictionary(pa.int8(), pa.string()), pa.string(), TEXTS),
}


def column(values: list[Any], type_: pa.DataType) -> pa.Array:
    if pa.types.is_date(type_):
        values = [each.date() if isinstance(each, dt.datetime) else each for each in values]
    if pa.types.is_integer(type_):
        values = [None if each is None else int(each) for each in values]
    if pa.types.is_dictionary(type_):
        return pa.array(values, type_.value_type).dictionary_encode().cast(type_)
    return pa.array(values, type_)


def table(side: str, keys: list[Any], type_: pa.DataType) -> pa.Table:
    count = len(keys)
    return pa.table(
        {
            f"{side}.k": column(keys, type_),
            f"{side}.n": pa.array([number % 3 if number % 5 else None for number in range(count)]),
            f"{side}.row": pa.array(range(count), pa.int64()),
        }
    )


def join_of(
    left: pa.Table,
    right: pa.Table,
    kind: nodes.JoinKind,
    keys: tuple[tuple[str, str], ...] = (("l.k", "r.k"),),
    residual: str | None = None,
    **flags: Any,
) -> nodes.Join:
    only_left = kind in ("semi", "anti")
    schema = left.schema if only_left else pa.schema([*left.schema, *right.schema])
    pairs = tuple((nodes.column(one), nodes.column(other)) for one, other in keys)
    condition = parse_one(residual) if residual else None
    return nodes.Join(schema, given(left, "l"), given(right, "r"), kind, pairs, condition, **flags)


def by_hash(node: nodes.Join, left: pa.Table, right: pa.Table, rng: random.Random) -> pa.Table:
    plan = plan_hash_join(node)
    inputs = [cut(left, rng), cut(right, rng)]
    return run_stage([plan.left, plan.right], plan.completion, inputs, node.schema)


def by_table(node: nodes.Join, left: pa.Table, right: pa.Table, rng: random.Random) -> pa.Table:
    rows = [batch for batch, _ in cut(right, rng)]
    join = pickle.loads(pickle.dumps(BroadcastJoin(node, GivenTable(rows))))
    join.open(RUN)
    found = [part for batch, _ in cut(left, rng) for part in join.run(batch)]
    return pa.Table.from_batches(found, node.schema)


def by_pieces(node: nodes.Join, left: pa.Table, right: pa.Table, rng: random.Random) -> pa.Table:
    plan = plan_hash_join(node, memory_limit=1)
    inputs = [cut(left, rng), cut(right, rng)]
    return run_stage([plan.left, plan.right], plan.completion, inputs, node.schema)


def in_duckdb(left: pa.Table, right: pa.Table, kind: str, condition: str) -> pa.Table:
    DUCKDB.register("l", left)
    DUCKDB.register("r", right)
    return DUCKDB.sql(f"SELECT * FROM l {kind} JOIN r ON {condition}").to_arrow_table()


def check(
    run: Callable[..., pa.Table],
    node: nodes.Join,
    left: pa.Table,
    right: pa.Table,
    condition: str,
    rng: random.Random,
) -> None:
    found = run(node, left, right, rng)
    wanted = in_duckdb(left, right, node.kind, condition)
    assert bag(found) == bag(wanted), (node.kind, condition)


def keys_of(name: str) -> st.SearchStrategy[tuple[list[Any], list[Any]]]:
    values = st.lists(st.sampled_from([*PAIRS_OF_TYPES[name][2], None]), max_size=25)
    return st.tuples(values, values)


@pytest.mark.parametrize("name", PAIRS_OF_TYPES)
@settings(max_examples=6, deadline=None)
@drawn(data=st.data())
def test_types_of_keys(name: str, data: st.DataObject) -> None:
    left_keys, right_keys = data.draw(keys_of(name))
    left_type, right_type, _ = PAIRS_OF_TYPES[name]
    left, right = table("l", left_keys, left_type), table("r", right_keys, right_type)
    rng = random.Random(data.draw(st.integers(0, 999)))
    for kind in KINDS:
        node = join_of(left, right, kind)
        check(by_hash, node, left, right, 'l."l.k" = r."r.k"', rng)
        if kind in BROADCAST:
            check(by_table, node, left, right, 'l."l.k" = r."r.k"', rng)


@pytest.mark.parametrize("run", [by_hash, by_table, by_pieces])
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=10, deadline=None)
@drawn(data=st.data())
def test_conditions(
    run: Callable[..., pa.Table], kind: nodes.JoinKind, data: st.DataObject
) -> None:
    if run is by_table and kind not in BROADCAST:
        pytest.skip("a table can't know which of its rows have no match")
    lists = st.lists(st.sampled_from([*range(5), None]), max_size=30)
    left, right = (table(side, data.draw(lists), pa.int64()) for side in "lr")
    rng = random.Random(data.draw(st.integers(0, 999)))
    keys, conditions = [("l.k", "r.k")], ['"l.k" = "r.k"']
    if data.draw(st.booleans()):
        keys.append(("l.n", "r.n"))
        conditions.append('"l.n" = "r.n"')
    residual = data.draw(st.sampled_from([None, '"l.n" < "r.n"', '"l.row" > "r.row"', '"l.n" > 0']))
    if residual and data.draw(st.booleans()):
        keys, conditions = [], []
    if residual:
        conditions.append(residual)
    node = join_of(left, right, kind, tuple(keys), residual)
    check(run, node, left, right, " AND ".join(conditions), rng)


@pytest.mark.parametrize("run", [by_hash, by_table, by_pieces])
@settings(max_examples=12, deadline=None)
@drawn(data=st.data())
def test_nulls_equal(run: Callable[..., pa.Table], data: st.DataObject) -> None:
    lists = st.lists(st.sampled_from(["", "a", None]), max_size=12)
    left, right = (table(side, data.draw(lists), pa.string()) for side in "lr")
    rng = random.Random(data.draw(st.integers(0, 999)))
    for kind in KINDS if run is not by_table else BROADCAST:
        node = join_of(left, right, kind, (("l.k", "r.k"), ("l.n", "r.n")), nulls_equal=True)
        condition = '"l.k" IS NOT DISTINCT FROM "r.k" AND "l.n" IS NOT DISTINCT FROM "r.n"'
        check(run, node, left, right, condition, rng)


@pytest.mark.parametrize("run", [by_hash, by_table])
@settings(max_examples=20, deadline=None)
@drawn(data=st.data())
def test_not_in(run: Callable[..., pa.Table], data: st.DataObject) -> None:
    lists = st.lists(st.sampled_from([*range(4), None]), max_size=8)
    left, right = (table(side, data.draw(lists), pa.int32()) for side in "lr")
    rng = random.Random(data.draw(st.integers(0, 999)))
    correlated = data.draw(st.booleans())
    residual = 'l."l.n" <= r."r.n"' if correlated else None
    node = join_of(left, right, "anti", residual='"l.n" <= "r.n"' if correlated else None,
                   null_aware=True)  # fmt: skip
    where = f"WHERE {residual}" if residual else ""
    query = f'SELECT * FROM l WHERE "l.k" NOT IN (SELECT "r.k" FROM r {where})'
    DUCKDB.register("l", left)
    DUCKDB.register("r", right)
    assert bag(run(node, left, right, rng)) == bag(DUCKDB.sql(query).to_arrow_table())


@settings(max_examples=20, deadline=None)
@drawn(data=st.data())
def test_not_in_of_rows(data: st.DataObject) -> None:
    """(a, b) NOT IN (…): one column that differs for certain is enough to be out."""
    lists = st.lists(st.sampled_from([0, 1, None]), max_size=6)
    left, right = (table(side, data.draw(lists), pa.int32()) for side in "lr")
    keys = (("l.k", "r.k"), ("l.n", "r.n"))
    node = join_of(left, right, "anti", keys, null_aware=True)
    found = by_table(node, left, right, random.Random(0))

    def may_be_equal(one: dict[str, Any], other: dict[str, Any]) -> bool:
        pairs = [(one["l.k"], other["r.k"]), (one["l.n"], other["r.n"])]
        return all(None in pair or pair[0] == pair[1] for pair in pairs)

    wanted = [
        row
        for row in left.to_pylist()
        if not any(may_be_equal(row, other) for other in right.to_pylist())
    ]
    assert bag(found) == bag(pa.Table.from_pylist(wanted, left.schema))


@pytest.mark.parametrize("run", [by_hash, by_table])
def test_single(run: Callable[..., pa.Table]) -> None:
    left = table("l", [1, 2, None, 3], pa.int64())
    right = table("r", [1, 3, 4, 4, None, None], pa.int64())
    node = join_of(left, right, "left", single=True)
    check(run, node, left, right, '"l.k" = "r.k"', random.Random(1))
    left = table("l", [1, 4], pa.int64())
    with pytest.raises(BadRecordError, match="one value gave several rows"):
        run(join_of(left, right, "left", single=True), left, right, random.Random(1))
    node = join_of(left, right, "left", residual='"r.row" = 3', single=True)
    check(run, node, left, right, '"l.k" = "r.k" AND "r.row" = 3', random.Random(1))


def test_the_row_with_a_second_match_is_named() -> None:
    left = table("l", [1, 7, 4], pa.int64())
    right = table("r", [4, 1, 4], pa.int64())
    join = BroadcastJoin(join_of(left, right, "left", single=True), GivenTable([batch_of(right)]))
    join.open(RUN)
    with pytest.raises(BadRecordError) as caught:
        list(join.run(batch_of(left)))
    assert caught.value.row == 2


@pytest.mark.parametrize("run", [by_hash, by_table, by_pieces])
def test_everything_meets_everything(run: Callable[..., pa.Table]) -> None:
    left, right = table("l", [1, 2, None], pa.int64()), table("r", [5, None], pa.int64())
    node = join_of(left, right, "inner", ())
    check(run, node, left, right, "true", random.Random(2))


def test_rows_without_columns_are_rows() -> None:
    left, right = table("l", [1, 2, None], pa.int64()), table("r", [5, None], pa.int64())
    node = nodes.Join(pa.schema([]), given(left), given(right), "inner", ())
    join = BroadcastJoin(node, GivenTable([batch_of(right)]))
    join.open(RUN)
    assert [part.num_rows for part in join.run(batch_of(left))] == [6]
    plan = plan_hash_join(node)
    inputs = [cut(left, random.Random(1)), cut(right, random.Random(2))]
    arrived = partitions_of([plan.left, plan.right], inputs, 1)
    assert sum(part.num_rows for part in plan.completion.results(0, arrived[0])) == 6


@pytest.mark.parametrize("run", [by_hash, by_table])
def test_keys_and_conditions_may_be_expressions(run: Callable[..., pa.Table]) -> None:
    left = table("l", ["A", "b", None], pa.string())
    right = table("r", ["a", "B", "c"], pa.string())
    node = join_of(left, right, "left", ())
    lower = [
        exp.Anonymous(this="lower", expressions=[nodes.column(name)]) for name in ("l.k", "r.k")
    ]
    node = nodes.Join(node.schema, node.left, node.right, "left", ((lower[0], lower[1]),))
    check(run, node, left, right, 'lower("l.k") = lower("r.k")', random.Random(4))


@pytest.mark.parametrize("run", [by_hash, by_table])
def test_only_the_columns_asked_for_come_out(run: Callable[..., pa.Table]) -> None:
    left, right = table("l", [1, 2, 2], pa.int64()), table("r", [2, 3], pa.int16())
    whole = join_of(left, right, "inner", residual='"l.n" = "l.n"')
    schema = pa.schema([right.schema.field("r.row"), left.schema.field("l.row")])
    node = nodes.Join(schema, whole.left, whole.right, "inner", whole.keys, whole.residual)
    found = run(node, left, right, random.Random(5))
    assert bag(found) == bag(pa.table({"r.row": [0, 0], "l.row": [1, 2]}))


def test_keys_that_cannot_be_compared_are_refused() -> None:
    left, right = table("l", ["1"], pa.string()), table("r", [1], pa.int64())
    with pytest.raises(SqlError, match="can't compare string with int64"):
        plan_hash_join(join_of(left, right, "inner"))


@pytest.mark.parametrize("kind", ["right", "full"])
def test_a_held_right_side_cannot_be_kept(kind: nodes.JoinKind) -> None:
    left, right = table("l", [1], pa.int64()), table("r", [1], pa.int64())
    with pytest.raises(FatalError, match="must be a hash join"):
        BroadcastJoin(join_of(left, right, kind), GivenTable([]))


def test_a_key_without_a_value_is_the_fault_of_its_row() -> None:
    left, right = table("l", ["1", "x"], pa.string()), table("r", [1], pa.int64())
    cast = exp.cast(nodes.column("l.k"), "bigint")
    node = join_of(left, right, "inner")
    node = nodes.Join(node.schema, node.left, node.right, "inner", ((cast, nodes.column("r.k")),))
    plan = plan_hash_join(node)
    plan.left.open()
    with pytest.raises(BadRecordError, match="'x'"):
        list(plan.left.add(batch_of(left), None))
    assert list(plan.left.flush()) == []
