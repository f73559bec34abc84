"""Window functions against DuckDB, over rows cut at random; the same however they come."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from sqlglot import exp, parse_one

from ferris_beam.errors import SqlError
from ferris_beam.sql import nodes
from ferris_beam.sql.kernel.sessions import open_session
from ferris_beam.sql.ordering import plan_over
from ferris_beam.sql.ordering.window_query import window_query
from ferris_beam.sql.syntax import Ferris
from tests.sql.joins.staged import bag, cut, given, run_stage

DUCKDB = duckdb.connect(config={"threads": 1})
DUCKDB.execute("SET default_null_order = 'nulls_last_on_asc_first_on_desc'")
SCHEMA = pa.schema(
    [
        ("k", pa.int64()),
        ("o", pa.int64()),
        ("v", pa.int64()),
        ("x", pa.float64()),
        ("s", pa.string()),
        ("t", pa.timestamp("us")),
        ("d", pa.date32()),
    ]
)
TOTAL = "ORDER BY o, s"
"""An order without ties: ``s`` differs in each row."""

CALLS = [
    f"row_number() OVER (PARTITION BY k {TOTAL})",
    "row_number() OVER (ORDER BY o DESC, s)",
    "rank() OVER (PARTITION BY k ORDER BY v)",
    "rank() OVER (PARTITION BY k ORDER BY v NULLS FIRST)",
    "dense_rank() OVER (PARTITION BY k ORDER BY v DESC)",
    "percent_rank() OVER (PARTITION BY k ORDER BY v)",
    "cume_dist() OVER (PARTITION BY k ORDER BY v)",
    f"ntile(3) OVER (PARTITION BY k {TOTAL})",
    f"lag(v) OVER (PARTITION BY k {TOTAL})",
    f"lag(v, 2, -1) OVER (PARTITION BY k {TOTAL})",
    f"lead(s, 1, 'none') OVER (PARTITION BY k {TOTAL})",
    f"first_value(s) OVER (PARTITION BY k {TOTAL})",
    f"last_value(s) OVER (PARTITION BY k {TOTAL})",
    "first_value(v IGNORE NULLS) OVER (PARTITION BY k ORDER BY s)",
    "last_value(v IGNORE NULLS) OVER (PARTITION BY k ORDER BY s)",
    f"nth_value(s, 2) OVER (PARTITION BY k {TOTAL})",
    "count(*) OVER (PARTITION BY k)",
    "count(v) OVER ()",
    "sum(v) OVER (PARTITION BY k ORDER BY v)",
    "avg(x) OVER (PARTITION BY k)",
    f"sum(v) OVER (PARTITION BY k {TOTAL} ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)",
    f"sum(x) OVER (PARTITION BY k {TOTAL} ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)",
    f"min(v) OVER (PARTITION BY k {TOTAL} ROWS BETWEEN 2 FOLLOWING AND 3 FOLLOWING)",
    f"max(v) OVER (PARTITION BY k {TOTAL} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING)",
    f"string_agg(s, ',') OVER (PARTITION BY k {TOTAL})",
    f"array_agg(s) OVER (PARTITION BY k {TOTAL} ROWS 2 PRECEDING)",
    "sum(v) OVER (PARTITION BY k ORDER BY o RANGE BETWEEN 3 PRECEDING AND 1 FOLLOWING)",
    "count(*) OVER (PARTITION BY k ORDER BY t"
    " RANGE BETWEEN INTERVAL '10' SECOND PRECEDING AND CURRENT ROW)",
    "sum(v) OVER (PARTITION BY k ORDER BY t"
    " RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND INTERVAL '5' SECOND FOLLOWING)",
    "sum(v) OVER (PARTITION BY k ORDER BY v GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW)",
    "sum(v) FILTER (WHERE v > 3) OVER (PARTITION BY k ORDER BY s)",
    "count(*) OVER (PARTITION BY k % 2, s > '3' ORDER BY v)",
]

TIES = [
    "row_number() OVER (PARTITION BY k ORDER BY v)",
    "row_number() OVER (PARTITION BY k)",
    "lag(s) OVER (PARTITION BY k ORDER BY v DESC)",
    "first_value(s) OVER (PARTITION BY k ORDER BY v)",
    "last_value(s) OVER (PARTITION BY k ORDER BY v)",
    "last_value(s) OVER (PARTITION BY k)",
    "nth_value(s, 2) OVER (ORDER BY k)",
    "array_agg(s) OVER (PARTITION BY k ORDER BY v)",
    "sum(x) OVER (PARTITION BY k ORDER BY v)",
    "sum(x) OVER (PARTITION BY k)",
    "sum(v) OVER (PARTITION BY k ORDER BY v ROWS 1 PRECEDING)",
]


def rows_of(count: int, seed: int) -> pa.Table:
    rng = random.Random(seed)
    start = dt.datetime(2024, 2, 29, 23, 59)

    def value(name: str, row: int) -> Any:
        if name != "s" and rng.random() < 0.15:
            return None
        return {
            "k": rng.randrange(3),
            "o": rng.randrange(count),
            "v": rng.randrange(6),
            "x": rng.choice([0.1, 1e16, -1e16, 3.3]),
            "s": str(row),
            "t": start + dt.timedelta(seconds=rng.randrange(90)),
            "d": start.date(),
        }[name]

    columns = {name: [value(name, row) for row in range(count)] for name in SCHEMA.names}
    return pa.table(columns, schema=SCHEMA)


def call_of(text: str) -> exp.Expression:
    parsed = parse_one(f"SELECT {text} FROM rows", dialect=Ferris).expressions[0]
    return parsed.transform(
        lambda node: nodes.column(node.name) if isinstance(node, exp.Column) else node
    )


def over(table: pa.Table, calls: list[str], types: list[pa.DataType]) -> nodes.Over:
    parsed = [call_of(call) for call in calls]
    fields = [(f"result {number}", type_) for number, type_ in enumerate(types)]
    named = [nodes.Named(name, call) for (name, _), call in zip(fields, parsed, strict=True)]
    partition = tuple(parsed[0].args.get("partition_by") or ())
    schema = pa.schema([*table.schema, *fields])
    return nodes.Over(schema, given(table), partition, tuple(named))


def computed(node: nodes.Over, table: pa.Table, seed: int, **options: Any) -> pa.Table:
    preparation, completion = plan_over(node, **options)
    batches = cut(table, random.Random(seed))
    return run_stage([preparation], completion, [batches], node.schema)


def in_duckdb(rows: pa.Table, call: str) -> pa.Table:
    DUCKDB.register("rows", rows)
    return DUCKDB.sql(f'SELECT *, {call} AS "result 0" FROM rows').to_arrow_table()


@pytest.mark.parametrize("call", CALLS)
@settings(max_examples=3, deadline=None)
@drawn(count=st.integers(1, 40), seed=st.integers(0, 999))
def test_as_in_duckdb(call: str, count: int, seed: int) -> None:
    rows = rows_of(count, seed)
    wanted = in_duckdb(rows, call)
    node = over(rows, [call], [wanted.schema.types[-1]])
    assert bag(rounded(computed(node, rows, seed))) == bag(rounded(wanted))


def rounded(table: pa.Table) -> pa.Table:
    """Sums of doubles depend on the order of addition: those with 1e16 in them to 1e-3 of it."""
    values = table.column(table.num_columns - 1)
    if not pa.types.is_floating(values.type):
        return table
    coarse = [None if each is None else float(f"{each:.3g}") for each in values.to_pylist()]
    coarse = [0.0 if each is not None and abs(each) < 100 else each for each in coarse]
    return table.set_column(table.num_columns - 1, "result 0", pa.array(coarse, pa.float64()))


@pytest.mark.parametrize("call", TIES)
def test_ties_are_broken_by_the_rows_alone(call: str) -> None:
    rows = rows_of(40, 5)
    node = over(rows, [call], [in_duckdb(rows, call).schema.types[-1]])
    found = [computed(node, rows, seed).sort_by("s").to_pylist() for seed in range(4)]
    assert all(repr(each) == repr(found[0]) for each in found)


@settings(max_examples=8, deadline=None)
@drawn(count=st.integers(1, 30), seed=st.integers(0, 99))
def test_peers_share_their_frame(count: int, seed: int) -> None:
    """Where rows are equal by ORDER BY, the default frame ends behind the last of them."""
    rows = rows_of(count, seed)
    call = "last_value(s) OVER (PARTITION BY k ORDER BY v)"
    found = computed(over(rows, [call], [pa.string()]), rows, seed).to_pylist()
    for row in found:
        peers = [each for each in found if (each["k"], each["v"]) == (row["k"], row["v"])]
        assert row["result 0"] in [each["s"] for each in peers]
        assert {each["result 0"] for each in peers} == {row["result 0"]}


def test_several_calls_in_several_orders() -> None:
    rows = rows_of(40, 3)
    calls = [
        "last_value(s) OVER (PARTITION BY k ORDER BY o, s)",
        "row_number() OVER (PARTITION BY k ORDER BY v, s)",
        "count(*) OVER (PARTITION BY k)",
        "lag(s) OVER (PARTITION BY k ORDER BY o, s)",
    ]
    node = over(rows, calls, [pa.string(), pa.int64(), pa.int64(), pa.string()])
    found = computed(node, rows, 1)
    for number, call in enumerate(calls):
        wanted = in_duckdb(rows, call).rename_columns([*SCHEMA.names, f"result {number}"])
        assert bag(found.select(wanted.schema.names)) == bag(wanted)


def test_the_order_of_rows_is_handed_on() -> None:
    """What makes LAST_VALUE the same each time: one sort, below the numbering."""
    calls = [f"{name}(s) OVER (PARTITION BY k ORDER BY v)" for name in ("last_value", "array_agg")]
    node = over(rows_of(3, 1), calls, [pa.string(), pa.list_(pa.string())])
    context = open_session().context
    batch = pa.RecordBatch.from_pylist([], SCHEMA)
    context.register_record_batches("input_0", [[batch]])
    plan = context.sql(window_query(node).sql("postgres")).execution_plan().display_indent()
    assert plan.count("SortExec") == 1
    assert plan.index("array_agg") < plan.index("row_number") < plan.index("SortExec")


def test_a_large_partition_is_cut_by_its_keys() -> None:
    rows = rows_of(60, 4)
    call = "count(*) OVER (PARTITION BY k, v)"
    node = over(rows, [call], [pa.int64()])
    assert bag(computed(node, rows, 1, memory_limit=200)) == bag(in_duckdb(rows, call))


def test_an_aggregate_that_cannot_forget_is_refused_at_planning() -> None:
    call = f"string_agg(s, ',') OVER (PARTITION BY k {TOTAL} ROWS 2 PRECEDING)"
    with pytest.raises(SqlError, match="string_agg can't be computed over a frame whose start"):
        plan_over(over(rows_of(3, 1), [call], [pa.string()]))


def test_no_rows() -> None:
    rows = rows_of(3, 1).slice(0, 0)
    node = over(rows, ["row_number() OVER (ORDER BY o)"], [pa.int64()])
    assert computed(node, rows, 1).num_rows == 0
