"""Batches all of whose rows have a match: their own columns go on as they are."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferris_beam.sql import nodes
from ferris_beam.sql.joins import BroadcastJoin, GivenTable
from tests.sql.joins.staged import bag, batch_of
from tests.sql.joins.test_kinds import RUN, in_duckdb, join_of, table

_KEYS = list(range(12))


@pytest.mark.parametrize("kind", ["inner", "left", "semi", "anti"])
@settings(max_examples=25, deadline=None)
@given(
    batches=st.lists(st.lists(st.sampled_from(_KEYS), max_size=6), min_size=1, max_size=6),
    missing=st.sampled_from([[], [3], [0, 11]]),
    residual=st.sampled_from([None, '"l.n" < "r.n"']),
)
def test_one_after_another_of_any_length(
    kind: nodes.JoinKind, batches: list[list[int]], missing: list[int], residual: str | None
) -> None:
    """Lengths that come again, rows in any order, batches in which one row has no match."""
    rows = [key for key in random.Random(1).sample(_KEYS, 12) if key not in missing]
    right = table("r", rows, pa.int64())
    schema = table("l", _KEYS, pa.int64()).schema
    tables = [table("l", keys, pa.int64()).cast(schema) for keys in batches]
    node = join_of(tables[0], right, kind, residual=residual)
    join = BroadcastJoin(node, GivenTable([batch_of(right)]))
    join.open(RUN)
    condition = '"l.k" = "r.k"' + (f" AND {residual}" if residual else "")
    for left in tables:
        found = pa.Table.from_batches(join.run(batch_of(left)), node.schema)
        assert bag(found) == bag(in_duckdb(left, right, kind, condition))


def test_columns_are_not_copied() -> None:
    left, right = table("l", [2, 0, 1], pa.int64()), table("r", [1, 2, 0], pa.int64())
    join = BroadcastJoin(join_of(left, right, "inner"), GivenTable([batch_of(right)]))
    join.open(RUN)
    batch = batch_of(left)
    (found,) = join.run(batch)
    assert found["l.row"].buffers()[1].address == batch["l.row"].buffers()[1].address
    assert found["r.row"].to_pylist() == [1, 2, 0]
