"""Which side of a join is held by workers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from ferris_beam.sql.nodes import (
    Filter,
    Given,
    Join,
    Named,
    Node,
    Project,
    Scan,
    Sort,
    column,
    walk,
)
from ferris_beam.sql.rules import Estimate, estimate, optimize, size_streams
from ferris_beam.sql.rules.strategy import choose_strategies
from tests.sql.interpreter import run
from tests.sql.rules.test_filters_at_joins import expression, join, rows, scan

LARGE, SMALL = 1e9, 1e3
TABLE = pa.table({"k": [1, 2, 2, None], "x": [1, 2, 3, 4]})


def sized(kind: Any, left: float | None, right: float | None, **more: Any) -> Join:
    plan = join(kind, **more)
    sides = replace(plan.left, rows=left), replace(plan.right, rows=right)  # type: ignore[call-arg]
    return replace(plan, left=sides[0], right=sides[1])


def chosen(plan: Node, **options: Any) -> Join:
    found = choose_strategies(plan, **options)
    return next(each for each in walk(found) if isinstance(each, Join))


@pytest.mark.parametrize("kind", ["inner", "left", "semi", "anti"])
def test_a_small_right_side_is_held(kind: str) -> None:
    found = chosen(sized(kind, LARGE, SMALL))
    assert (found.strategy, found.kind) == ("broadcast", kind)
    assert found.why == "the right side is small: about 40 kB"


@pytest.mark.parametrize("kind", ["inner", "right"])
def test_a_small_left_side_changes_places(kind: str) -> None:
    plan = sized(kind, SMALL, LARGE)
    found = choose_strategies(plan)
    assert isinstance(found, Project)
    assert found.schema == plan.schema
    inner = found.input
    assert isinstance(inner, Join)
    assert (inner.strategy, inner.right) == ("broadcast", plan.left)
    assert inner.kind == ("inner" if kind == "inner" else "left")
    assert rows(run(found)) == rows(run(plan))


@pytest.mark.parametrize("kind", ["left", "semi", "anti"])
def test_a_small_left_side_does_not_help(kind: str) -> None:
    assert chosen(sized(kind, SMALL, LARGE)).strategy == "hash"


def test_full_joins_go_by_hash() -> None:
    assert chosen(sized("full", SMALL, SMALL)).strategy == "hash"


def test_a_right_join_with_a_small_right_side_goes_by_hash() -> None:
    assert chosen(sized("right", LARGE, SMALL)).strategy == "hash"


def test_the_smaller_of_two_small_sides_is_held() -> None:
    assert chosen(sized("inner", 10, 20)).right.schema.names[0] == "l.k"
    assert chosen(sized("inner", 20, 10)).right.schema.names[0] == "r.k"


def test_large_or_unknown_sides_go_by_hash() -> None:
    assert chosen(sized("inner", LARGE, LARGE)).why == (
        "left about 40 GB, right about 40 GB; the limit is about 64 MB"
    )
    assert chosen(sized("inner", None, None)).why == "the sizes of both sides are unknown"


def test_the_limit_is_an_option() -> None:
    plan = sized("left", LARGE, SMALL)
    assert chosen(plan, broadcast_limit=1000).strategy == "hash"
    found = optimize(plan, broadcast_limit=1000)
    assert [each.strategy for each in walk(found) if isinstance(each, Join)] == ["hash"]


def test_a_scalar_subquery_never_changes_places() -> None:
    assert chosen(sized("inner", SMALL, LARGE, single=True)).strategy == "hash"


def test_an_endless_side_is_not_held() -> None:
    plan = sized("left", LARGE, SMALL)
    endless = replace(plan.right, bounded=False)  # type: ignore[call-arg]
    assert chosen(replace(plan, right=endless)).strategy == "hash"


def test_not_in_and_no_keys_need_the_whole_right_side() -> None:
    assert chosen(sized("anti", LARGE, None, null_aware=True)).strategy == "broadcast"
    assert chosen(sized("left", LARGE, None, keys=False)).strategy == "broadcast"
    assert chosen(sized("left", LARGE, LARGE, keys=False)).strategy == "hash"


def test_estimates_follow_the_plan() -> None:
    source = scan(TABLE, "t", rows=1000.0)
    narrow = Filter(source.schema, source, expression('"t.k" = 5 AND "t.x" > 3'))
    assert estimate(narrow) == Estimate(30, 480)
    assert estimate(Sort(source.schema, source, (), limit=7)).rows == 7
    assert estimate(scan(TABLE, "t")) == Estimate(None, None)
    given = Given(source.schema, "t", "t", ("k", "x"))
    assert str(estimate(given)) == "unknown size"
    assert estimate(replace(source, rows=None, nbytes=1600.0)).nbytes == 4800


def test_a_stream_is_as_large_as_its_plan_if_that_ends() -> None:
    """Of streams that read streams, too; a PCollection of the same name is another thing."""
    source = scan(TABLE, "t", rows=1000.0)
    read = Given(source.schema, "s", "t", ("k", "x"), stream=True)
    plans: dict[str, Node] = {"s": Filter(source.schema, source, expression('"t.k" = 5'))}
    plans["again"] = size_streams(read, plans)
    assert estimate(size_streams(replace(read, name="again"), plans)).rows == 100
    assert size_streams(replace(read, stream=False), plans).rows is None  # type: ignore[attr-defined]
    plans["s"] = replace(source, bounded=False)
    for name in ("s", "again", "unknown"):
        assert estimate(size_streams(replace(read, name=name), plans)).rows is None


def test_bytes_are_counted_before_columns_are_pruned() -> None:
    """Half of the columns are half of the bytes."""
    source: Node = scan(TABLE, "t", nbytes=1600.0)
    top = Project(pa.schema([source.schema.field("t.k")]), source, (Named("t.k", column("t.k")),))
    found = optimize(top)
    assert isinstance(found, Scan)
    assert estimate(found).nbytes == 2400
