"""Aggregations run as a stage is, without Beam: batches, bundles, partitions."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa
import sqlglot
from sqlglot import exp

from ferris_beam.batches.hashing import split_by_partition
from ferris_beam.sql import nodes
from ferris_beam.sql.aggregation import GroupBy, plan_aggregate
from ferris_beam.sql.plan.aggregate_types import aggregate_types
from ferris_beam.sql.text import SqlText

US = pa.timestamp("us")


def expression(sql: str) -> exp.Expression:
    """DuckDB's expression over columns by their names."""
    return sqlglot.parse_one(sql, read="duckdb").transform(
        lambda node: nodes.column(node.name) if isinstance(node, exp.Column) else node
    )


def aggregate(
    schema: pa.Schema,
    calls: Sequence[str],
    keys: Sequence[str] = (),
    window: nodes.Window | None = None,
    types: Sequence[pa.DataType] | None = None,
) -> nodes.Aggregate:
    """A node over rows of ``schema``; calls are named c0, c1, …"""
    read = [expression(call) for call in calls]
    kinds = types or aggregate_types(read, schema, SqlText(""))
    fields = [pa.field(key, _plain(schema.field(key).type)) for key in keys]
    if window is not None:
        time = schema.field(window.time.name).type
        kind = pa.timestamp("us", getattr(time, "tz", None))
        fields = [pa.field(window.start, kind), pa.field(window.end, kind), *fields]
    fields += [pa.field(f"c{place}", kind) for place, kind in enumerate(kinds)]
    return nodes.Aggregate(
        pa.schema(fields),
        nodes.Given(schema, "t", "t", tuple(schema.names)),
        tuple(nodes.Named(key, nodes.column(key)) for key in keys),
        tuple(nodes.Named(f"c{place}", each) for place, each in enumerate(read)),
        window,
    )


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def run(
    node: nodes.Aggregate,
    batches: Sequence[pa.RecordBatch],
    partitions: int = 3,
    bundle: int = 2,
    plan: GroupBy | None = None,
) -> pa.Table:
    """The rows of all partitions; ``bundle`` batches are flushed together."""
    plan = pickle.loads(pickle.dumps(plan or plan_aggregate(node)))
    preparation, completion = plan.preparation, plan.completion
    preparation.open()
    completion.open()
    received: list[list[pa.RecordBatch]] = [[] for _ in range(partitions)]

    def send(states: Sequence[pa.RecordBatch]) -> None:
        for state in states:
            for number, part in split_by_partition(state, preparation.key_columns, partitions):
                received[number].append(part)

    for place, batch in enumerate(batches):
        send(list(preparation.add(batch, None)))
        if place % bundle == bundle - 1:
            send(list(preparation.flush()))
    send(list(preparation.flush()))
    found = [
        rows
        for number in range(partitions)
        for rows in completion.results(number, [received[number]])
    ]
    return pa.Table.from_batches(found, node.schema)


def cut(rows: pa.RecordBatch, seed: int, pieces: int = 6) -> list[pa.RecordBatch]:
    """The rows in another order, cut anywhere; some batches are empty."""
    random = np.random.default_rng(seed)
    rows = rows.take(pa.array(random.permutation(rows.num_rows)))
    places = np.sort(random.integers(0, rows.num_rows + 1, pieces))
    borders = [0, *places.tolist(), rows.num_rows]
    return [rows.slice(a, b - a) for a, b in pairwise(borders)]


def once(calls: str | Sequence[str], rows: pa.RecordBatch, **options: object) -> list[object]:
    """The one row of a global aggregate."""
    node = aggregate(rows.schema, [calls] if isinstance(calls, str) else calls, **options)  # type: ignore[arg-type]
    found = run(node, cut(rows, 1))
    assert found.num_rows == 1
    return list(found.to_pylist()[0].values())
