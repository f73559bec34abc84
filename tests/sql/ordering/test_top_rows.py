"""Top-N and deduplication: rows that can't be among the first stay where they are."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest
from sqlglot import parse_one

from ferris_beam.sql.joins import gathering
from ferris_beam.sql.ordering import plan_over, row_limit
from ferris_beam.sql.ordering.top_rows import RowLimit
from tests.sql.joins.staged import bag, cut, partitions_of, run_stage
from tests.sql.ordering.test_windows import over, rows_of

ROW_NUMBER = "row_number() OVER (PARTITION BY k ORDER BY v, s)"
RANK = "rank() OVER (PARTITION BY k ORDER BY v, s)"


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ('"result 0" <= 3', 3),
        ('"result 0" < 3', 2),
        ('3 >= "result 0"', 3),
        ('"result 0" = 1', 1),
        ('1 = "result 0"', 1),
        ('"v" > 1 AND ("result 0" <= 5) AND "result 0" <= 4', 4),
        ('"result 0" > 3', None),
        ('"result 0" <= 3 OR "v" = 1', None),
        ('"result 0" <= "v"', None),
        ('"v" <= 3', None),
    ],
)
def test_which_filters_limit(condition: str, count: int | None) -> None:
    node = over(rows_of(3, 1), [ROW_NUMBER], [pa.int64()])
    wanted = None if count is None else RowLimit("result 0", count)
    assert row_limit(parse_one(condition), node) == wanted


def test_other_calls_need_all_rows() -> None:
    condition = parse_one('"result 0" <= 3')
    for other in ("count(*) OVER (PARTITION BY k)", "sum(v) OVER (PARTITION BY k ORDER BY v, s)"):
        assert (
            row_limit(condition, over(rows_of(3, 1), [ROW_NUMBER, other], [pa.int64()] * 2)) is None
        )
    both = over(rows_of(3, 1), [ROW_NUMBER, RANK], [pa.int64()] * 2)
    assert row_limit(condition, both) == RowLimit("result 0", 3)


@pytest.mark.parametrize("call", [ROW_NUMBER, "rank() OVER (PARTITION BY k ORDER BY v)"])
@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("held", [4, 30, 1000])
def test_the_first_rows_are_the_same(
    call: str, count: int, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where what is held is reduced many times."""
    monkeypatch.setattr(gathering, "HELD_ROWS", held)
    rows = rows_of(200, 7)
    node = over(rows, [call], [pa.int64()])

    def first(limit: RowLimit | None) -> pa.Table:
        preparation, completion = plan_over(node, limit=limit)
        found = run_stage([preparation], completion, [cut(rows, random.Random(1))], node.schema)
        return found.filter(pa.compute.field("result 0") <= count)

    assert bag(first(RowLimit("result 0", count))) == bag(first(None))


def test_other_rows_are_not_sent() -> None:
    rows = rows_of(500, 7)
    node = over(rows, [ROW_NUMBER], [pa.int64()])
    preparation, _ = plan_over(node, limit=RowLimit("result 0", 2))
    (arrived,) = partitions_of([preparation], [cut(rows, random.Random(1), 60)], 1)
    assert sum(batch.num_rows for batch in arrived[0]) == 2 * 4  # keys 0, 1, 2 and NULL
