"""Results come in parts of bounded size; what does not fit is held in pieces, or refused."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from ferris_beam.errors import FatalError
from ferris_beam.sql.joins import BroadcastJoin, GivenTable, plan_hash_join
from ferris_beam.sql.joins.completion import pieces_of, smaller
from ferris_beam.sql.joins.matching import PART_ROWS
from tests.sql.joins.staged import batch_of
from tests.sql.joins.test_kinds import RUN, join_of, table


def test_a_join_that_explodes_comes_in_parts() -> None:
    left, right = table("l", [1] * 1000, pa.int64()), table("r", [1] * 1000, pa.int64())
    join = BroadcastJoin(join_of(left, right, "left"), GivenTable(right.to_batches()))
    join.open(RUN)
    parts = [part.num_rows for part in join.run(batch_of(left))]
    assert sum(parts) == 1_000_000
    assert max(parts) <= PART_ROWS
    assert len(parts) == -(-1_000_000 // PART_ROWS)


def test_parts_of_wide_rows_are_shorter() -> None:
    left = pa.table({"l.k": [1] * 300, "l.text": ["x" * 100_000] * 300})
    right = table("r", [1] * 10, pa.int64())
    join = BroadcastJoin(join_of(left, right, "inner"), GivenTable(right.to_batches()))
    join.open(RUN)
    parts = list(join.run(batch_of(left)))
    assert sum(part.num_rows for part in parts) == 3000
    assert max(part.nbytes for part in parts) < 256 << 20


def test_a_batch_without_results_is_an_empty_batch() -> None:
    left, right = table("l", [1], pa.int64()), table("r", [2], pa.int64())
    node = join_of(left, right, "inner")
    join = BroadcastJoin(node, GivenTable(right.to_batches()))
    join.open(RUN)
    (found,) = join.run(batch_of(left))
    assert found.num_rows == 0
    assert found.schema.equals(node.schema)


def test_rows_of_a_side_that_ends_late_pass_by() -> None:
    """The smaller side is held, and the other is not read ahead of it."""
    read = 0

    def endless() -> object:
        nonlocal read
        while True:
            read += 1
            yield pa.record_batch({"a": np.arange(10)})

    few = [pa.record_batch({"a": np.arange(10)})] * 3
    held, rows, passing = smaller({"left": endless(), "right": few}, 1 << 20)  # type: ignore[dict-item]
    assert held == "right"
    assert len(rows) == 3
    assert read <= 4
    assert next(iter(passing)).num_rows == 10


def test_neither_side_fits() -> None:
    batches = [pa.record_batch({"a": np.arange(10)})] * 9
    assert smaller({"left": batches, "right": batches}, 300)[0] is None
    assert [len(piece) for piece in pieces_of(batches, 160)] == [2, 2, 2, 2, 1]


@pytest.mark.parametrize(
    ("kind", "flags", "what"),
    [("anti", {"null_aware": True}, "NOT IN"), ("left", {"single": True}, "a scalar subquery")],
)
def test_what_must_be_held_as_a_whole_is_refused(kind, flags, what) -> None:  # type: ignore[no-untyped-def]
    left, right = table("l", [1], pa.int64()), table("r", list(range(100)), pa.int64())
    completion = plan_hash_join(join_of(left, right, kind, **flags), memory_limit=100).completion
    completion.open()
    with pytest.raises(FatalError, match=f"the right side of {what} takes more than"):
        list(completion.results(0, [left.to_batches(), right.to_batches()]))


def test_a_table_that_is_too_large_is_refused() -> None:
    left, right = table("l", [1], pa.int64()), table("r", list(range(100)), pa.int64())
    node = join_of(left, right, "inner")
    join = BroadcastJoin(node, GivenTable(right.to_batches(), name="file:///d.csv"), limit=1000)
    with pytest.raises(FatalError, match=r"file:///d.csv takes more than .*broadcast_limit"):
        join.open(RUN)
