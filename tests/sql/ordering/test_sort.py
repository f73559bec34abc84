"""ORDER BY, LIMIT and OFFSET."""

from __future__ import annotations

import itertools
import random
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from sqlglot import parse_one

from ferris_beam.interval import Interval, Origin
from ferris_beam.sql import nodes
from ferris_beam.sql.joins import gathering
from ferris_beam.sql.ordering import plan_sort
from tests.sql.joins.staged import batch_of, cut, given, partitions_of, run_stage
from tests.sql.ordering.test_windows import SCHEMA, rows_of

ORDERS = [
    ("v", True, True),
    ("v", False, True),
    ("k", False, False),
    ("x", True, False),
    ("k + v", False, False),
]


def sort(rows: pa.Table, order: list[tuple[str, bool, bool]], **limits: Any) -> nodes.Sort:
    items = tuple(
        nodes.Ordering(
            parse_one(text).transform(
                lambda node: nodes.column(node.name) if node.key == "column" else node
            ),
            descending,
            nulls_first,
        )
        for text, descending, nulls_first in order
    )
    return nodes.Sort(rows.schema, given(rows), items, **limits)


def in_order(node: nodes.Sort, rows: pa.Table, seed: int, **options: Any) -> pa.Table:
    preparation, completion = plan_sort(node, **options)
    return run_stage([preparation], completion, [cut(rows, random.Random(seed))], node.schema)


@settings(max_examples=40, deadline=None)
@drawn(
    count=st.integers(0, 40),
    order=st.lists(st.sampled_from(ORDERS), min_size=1, max_size=3, unique_by=lambda each: each[0]),
    limit=st.none() | st.integers(0, 50),
    offset=st.sampled_from([0, 0, 3, 50]),
    seed=st.integers(0, 99),
)
def test_as_in_duckdb(
    count: int, order: list[tuple[str, bool, bool]], limit: int | None, offset: int, seed: int
) -> None:
    """Ties are broken by the other columns, from left to right."""
    rows = rows_of(count, seed)
    items = [
        f"{text} {'DESC' if descending else 'ASC'} NULLS {'FIRST' if first else 'LAST'}"
        for text, descending, first in order
    ]
    rest = [f"{name} ASC NULLS LAST" for name in SCHEMA.names]
    query = f"SELECT * FROM rows ORDER BY {', '.join([*items, *rest])}"
    query += "" if limit is None else f" LIMIT {limit}"
    wanted = duckdb.sql(f"{query} OFFSET {offset}").to_arrow_table()
    found = in_order(sort(rows, order, limit=limit, offset=offset), rows, seed)
    assert found.to_pylist() == wanted.to_pylist()


@pytest.mark.parametrize("held", [5, 30, 100])
@pytest.mark.parametrize("order", [[("v", False, False)], []])
def test_what_is_held_is_reduced_many_times(
    held: int, order: list[tuple[str, bool, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "HELD_ROWS", held)
    rows = rows_of(300, 3)
    found = in_order(sort(rows, order, limit=7), rows, 1)
    wanted = rows
    if order:
        wanted = duckdb.sql("SELECT * FROM rows ORDER BY v NULLS LAST, k, o, x, s").to_arrow_table()
        assert found["v"].to_pylist() == wanted["v"].to_pylist()[:7]
    else:
        assert found.to_pylist() == wanted.slice(0, 7).to_pylist()


def test_only_the_first_rows_are_sent() -> None:
    rows = rows_of(500, 1)
    preparation, _ = plan_sort(sort(rows, [("v", False, False)], limit=5, offset=2))
    (arrived,) = partitions_of([preparation], [cut(rows, random.Random(1), 90)], 1)
    assert sum(batch.num_rows for batch in arrived[0]) == 7


def test_more_than_memory() -> None:
    """Sorted through files, in parts."""
    count = 4_000_000
    rng = np.random.default_rng(1)
    rows = pa.table({"a": rng.permutation(count), "b": rng.random(count)})
    node = sort(rows, [("a", True, False)])
    _, completion = plan_sort(node, memory_limit=1)
    parts = list(completion.results(0, [rows.to_batches(max_chunksize=10_000)]))
    assert len(parts) > 2
    assert max(part.num_rows for part in parts) <= 1 << 16
    found = pa.Table.from_batches(parts)
    assert (found["a"].to_numpy() == np.arange(count)[::-1]).all()
    assert (found["b"].to_numpy() == rows["b"].to_numpy()[np.argsort(-rows["a"].to_numpy())]).all()


ORIGINS = [
    Origin(("a",), Interval(unit, start, start + 1), parts=parts)
    for unit in ("file 1", "file 2")
    for start in (0, 9, 10, 1 << 70)
    for parts in (((0, 2),), ((1, 2),))
]


@pytest.mark.parametrize(("limit", "offset"), [(0, 0), (1, 0), (7, 0), (7, 5), (None, 30), (99, 0)])
def test_without_an_order_the_first_rows_of_the_sources(limit: int | None, offset: int) -> None:
    numbers = itertools.count()
    batches = [
        (pa.record_batch({"n": [next(numbers) for _ in range(3)]}), origin) for origin in ORIGINS
    ]
    rows = pa.Table.from_batches([batch for batch, _ in batches])
    node = nodes.Sort(rows.schema, given(rows), (), limit, offset)
    for seed in range(3):
        random.Random(seed).shuffle(batches)
        preparation, completion = plan_sort(node)
        found = run_stage([preparation], completion, [batches], node.schema)
        end = None if limit is None else offset + limit
        assert found["n"].to_pylist() == list(range(48))[offset:end]


def test_rows_without_a_place() -> None:
    rows = rows_of(5, 1)
    preparation, completion = plan_sort(nodes.Sort(rows.schema, given(rows), (), 3))
    preparation.open()
    sent = [*preparation.add(batch_of(rows), None), *preparation.flush()]
    (found,) = completion.results(0, [sent])
    assert found["s"].to_pylist() == ["0", "1", "2"]
