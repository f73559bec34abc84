"""Each rule on the plans it is for: the shape before and after."""

from __future__ import annotations

import pyarrow as pa
import pytest

from ferris_beam.sql.nodes import (
    Aggregate,
    Filter,
    Join,
    Named,
    Node,
    Over,
    Project,
    Rows,
    Sort,
    Union,
    Unnest,
    column,
    walk,
)
from ferris_beam.sql.rules import optimize
from ferris_beam.sql.rules.compute_constants import computed
from ferris_beam.sql.rules.fallible import is_infallible
from ferris_beam.sql.rules.fold_constants import folded
from ferris_beam.sql.rules.merge_projects import merge_projects
from ferris_beam.sql.rules.order_joins import order_joins
from ferris_beam.sql.rules.prune_columns import prune_columns
from ferris_beam.sql.rules.push_filters import push_filters
from ferris_beam.sql.rules.push_limits import push_limits
from ferris_beam.sql.rules.remove_distinct import remove_distinct
from tests.sql.rules.test_filters_at_joins import expression, scan

TABLE = pa.table(
    {
        "k": pa.array([1, 2, 2, None]),
        "x": pa.array([1, 2, 3, 4]),
        "s": pa.array(list("abcd")),
        "l": pa.array([[1], [], None, [2, 3]]),
    }
)
T = scan(TABLE, "t")


def shape(node: Node) -> str:
    return " ".join(type(each).__name__ for each in walk(node))


def filtered(node: Node, text: str) -> Filter:
    return Filter(node.schema, node, expression(text))


def project(node: Node, **columns: str) -> Project:
    named = tuple(Named(name, expression(text)) for name, text in columns.items())
    return Project(pa.schema([(name, pa.int64()) for name in columns]), node, named)


def grouped(node: Node, *names: str) -> Aggregate:
    fields = [node.schema.field(name) for name in names]
    calls = (Named("n", expression("COUNT(*)")),)
    keys = tuple(Named(name, column(name)) for name in names)
    return Aggregate(pa.schema([*fields, ("n", pa.int64())]), node, keys, calls)


UNNESTED = Unnest(T.schema.append(pa.field("item", pa.int64())), T, column("t.l"), "item")
OVER = Over(
    T.schema.append(pa.field("m", pa.int64())),
    T,
    (column("t.k"),),
    (Named("m", expression('MAX("t.x") OVER (PARTITION BY "t.k")')),),
)
UNION = Union(T.schema, (T, T))


@pytest.mark.parametrize(
    ("plan", "after"),
    [
        (filtered(project(T, n='"t.x"'), '"n" > 1'), "Project Filter Scan"),
        (filtered(project(T, n='"t.x" + 1'), '"n" > 1'), "Filter Project Scan"),
        (filtered(grouped(T, "t.k"), '"t.k" = 1'), "Aggregate Filter Scan"),
        (filtered(grouped(T, "t.k"), '"n" = 1'), "Filter Aggregate Scan"),
        (filtered(grouped(T, "t.k"), '"n" = 1 AND "t.k" = 1'), "Filter Aggregate Filter Scan"),
        (filtered(grouped(T), "1 = 2"), "Filter Aggregate Scan"),
        (filtered(grouped(T), "FALSE"), "Rows"),
        (grouped(filtered(T, "FALSE")), "Aggregate Rows"),
        (grouped(filtered(T, "FALSE"), "t.k"), "Rows"),
        (filtered(OVER, '"t.k" = 1'), "Over Filter Scan"),
        (filtered(OVER, '"t.x" = 1'), "Filter Over Scan"),
        (filtered(UNNESTED, '"t.k" = 1'), "Unnest Filter Scan"),
        (filtered(UNNESTED, '"item" = 1'), "Filter Unnest Scan"),
        (filtered(UNION, '"t.k" = 1'), "Union Filter Scan Filter Scan"),
        (Union(T.schema, (filtered(T, "FALSE"), T)), "Project Scan"),
        (filtered(Sort(T.schema, T, ()), '"t.k" = 1'), "Sort Filter Scan"),
        (filtered(Sort(T.schema, T, (), limit=5), '"t.k" = 1'), "Filter Sort Scan"),
        (filtered(filtered(T, '"t.k" = 1'), '"t.x" = 1'), "Filter Scan"),
        (filtered(filtered(T, '"t.k" <> 0'), '1 / "t.k" = 1'), "Filter Filter Scan"),
        (filtered(T, "RANDOM() < 0.5"), "Filter Scan"),
        (filtered(project(T, n="RANDOM()"), '"n" < 1'), "Filter Project Scan"),
    ],
)
def test_filters_move_as_far_as_they_may(plan: Node, after: str) -> None:
    assert shape(push_filters(plan)) == after


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ('"t.k" > 5 AND NOT ("t.s" = \'a\' OR "t.x" IS NULL)', True),
        ('"t.k" BETWEEN 1 AND 5', True),
        ('"t.k" IN (1, 2, NULL)', True),
        ("\"t.s\" LIKE 'a%'", True),
        ("LOWER(\"t.s\") = 'a'", True),
        ('TRY_CAST("t.s" AS BIGINT) IS NULL', True),
        ('CAST("t.s" AS BIGINT) = 1', False),
        ('"t.k" + 1 > 5', False),
        ('"t.k" / "t.x" > 5', False),
        ('"t.s" = 5', False),
        ('"t.k" = "t.s"', False),
        ('mine("t.k") = 5', False),
        ('"unknown" = 5', False),
    ],
)
def test_what_can_fail(text: str, safe: bool) -> None:
    assert is_infallible(expression(text), T.schema) is safe


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("a AND TRUE", "a"),
        ("a OR 1 = 1", "TRUE"),
        ("a AND (b OR 2 < 1)", "a AND b"),
        ("NOT 1 = 1 OR a", "a"),
        ("a AND NULL", "a AND NULL"),
        ("1.0 = 1", "TRUE"),
        ("(a OR b) AND TRUE AND c", "(a OR b) AND c"),
    ],
)
def test_constants_are_folded(text: str, after: str) -> None:
    assert folded(expression(text)).sql() == after


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("x > 1 + 2 * 3", "x > 7"),
        ("x BETWEEN 0.06 - 0.01 AND 0.06 + 0.01", "x BETWEEN 0.05 AND 0.07"),
        ("x IN (1 + 1, 3)", "x IN (2, 3)"),
        ("x > 1 / 0", "x > 1 / 0"),
        ("x > RANDOM() + 1", "x > RANDOM() + 1"),
        ("x > y + 1", "x > y + 1"),
        ("x < 1 - 2", "x < -1"),
    ],
)
def test_constants_are_computed(text: str, after: str) -> None:
    assert computed(expression(text)).sql("postgres") == after


def test_projects_are_merged_unless_that_computes_twice() -> None:
    once = project(project(T, n='"t.x" + 1'), m='"n" * 2')
    assert shape(merge_projects(once)) == "Project Scan"
    twice = project(project(T, n='"t.x" + 1'), m='"n" * "n"')
    assert shape(merge_projects(twice)) == "Project Project Scan"
    renamed = project(project(T, n='"t.x"'), m='"n" * "n"')
    assert shape(merge_projects(renamed)) == "Project Scan"
    random = project(project(T, n="RANDOM()"), m='"n"')
    assert shape(merge_projects(random)) == "Project Project Scan"


def test_limits_stop_the_source() -> None:
    def limited(node: Node, offset: int = 0) -> Node:
        return push_limits(Sort(node.schema, node, (), limit=3, offset=offset))

    assert shape(limited(T)) == "Scan"
    assert shape(limited(project(T, n='"t.x"'))) == "Project Scan"
    assert shape(limited(project(T, n='1 / "t.x"'))) == "Sort Project Scan"
    assert shape(limited(filtered(T, '"t.x" > 1'))) == "Sort Filter Scan"
    assert shape(limited(T, offset=2)) == "Sort Scan"
    assert walk(limited(T, offset=2))[1].limit == 5  # type: ignore[attr-defined]


def test_a_filter_that_the_source_takes_lets_the_limit_through() -> None:
    plan = Sort(T.schema, filtered(T, '"t.x" > 1'), (), limit=3)
    assert shape(optimize(plan)) == "Scan"


def test_distinct_of_what_is_distinct() -> None:
    def distinct(node: Node, *names: str) -> Node:
        schema = pa.schema([node.schema.field(name) for name in names])
        return Aggregate(schema, node, tuple(Named(name, column(name)) for name in names), ())

    groups = grouped(T, "t.k", "t.s")
    assert shape(remove_distinct(distinct(groups, "t.k", "t.s", "n"))) == "Project Aggregate Scan"
    assert shape(remove_distinct(distinct(groups, "t.k", "n"))) == "Aggregate Aggregate Scan"
    assert shape(remove_distinct(distinct(T, "t.k"))) == "Aggregate Scan"


def test_one_column_is_left_to_count_rows_by() -> None:
    plan = prune_columns(grouped(T))
    assert plan.inputs[0].schema.names == ["t.k"]


def test_columns_for_a_filter_only_do_not_travel() -> None:
    other = scan(TABLE, "o")
    sides = filtered(T, "\"t.s\" = 'a'"), other
    keys = ((column("t.k"), column("o.k")),)
    join = Join(pa.schema([*T.schema, *other.schema]), *sides, "inner", keys)
    plan = prune_columns(project(join, n='"t.x" + "o.x"'))
    assert shape(plan) == "Project Join Project Filter Scan Scan"
    assert [each.schema.names for each in plan.inputs[0].inputs] == [["t.k", "t.x"], ["o.k", "o.x"]]


def test_relations_wait_for_what_connects_them() -> None:
    a, b, c = (scan(TABLE, name) for name in "abc")
    crossed = Join(pa.schema([*a.schema, *b.schema]), a, b, "inner", ())
    keys = ((column("a.k"), column("c.k")), (column("b.x"), column("c.x")))
    plan = Join(pa.schema([*crossed.schema, *c.schema]), crossed, c, "inner", keys)
    found = order_joins(plan)
    assert found.schema.names == plan.schema.names
    assert all(join.keys for join in walk(found) if isinstance(join, Join))
    connected = Join(crossed.schema, a, b, "inner", ((column("a.k"), column("b.k")),))
    assert order_joins(connected) is connected


def test_no_rows_are_not_read() -> None:
    plan = filtered(project(T, n='"t.x"'), "1 = 2")
    found = optimize(plan)
    assert isinstance(found, Rows)
    assert found.schema == plan.schema
