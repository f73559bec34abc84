"""Every kind of join, with every kind of condition, above it and as its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from sqlglot import exp, parse_one

from ferris_beam.sql.nodes import Filter, Join, Named, Node, Project, Scan, column, walk
from ferris_beam.sql.rules import optimize
from ferris_beam.sql.rules.outer_joins import outer_joins
from ferris_beam.sql.rules.push_filters import push_filters
from tests.sql.interpreter import run
from tests.sql.rules.test_same_rows import rows

KINDS = ("inner", "left", "right", "full", "semi", "anti")
LEFT = pa.table({"k": [1, 1, 2, 3, None, 4], "x": [1, 5, None, 7, 2, 5], "s": list("abcdef")})
RIGHT = pa.table({"k": [1, 2, 2, None, 9, 4], "y": [1, None, 5, 7, 2, 6], "t": list("a3cd1f")})

ON_LEFT = ('"l.x" > 2', '"l.x" IS NULL', '"l.k" = 1', 'NOT ("l.x" = 5)', "\"l.s\" IN ('a', 'b')")
ON_RIGHT = (
    '"r.y" > 2',
    '"r.y" IS NULL',
    '"r.y" IS NOT NULL OR "r.k" IS NULL',
    '"r.k" = 2',
    "\"r.t\" LIKE 'c%'",
    'COALESCE("r.y", 9) > 5',
)
ON_BOTH = (
    '"l.x" = "r.y"',
    '"l.x" < "r.y"',
    '"l.x" = "r.y" OR "r.y" IS NULL',
    '("l.k" = 1 AND "r.y" = 1) OR ("l.k" = 1 AND "l.x" = 5)',
    '"l.x" > 2 AND "r.y" > 1',
    '"l.x" + "r.y" > 6',
    "1 = 1",
    "1 = 2",
)


def expression(text: str) -> exp.Expression:
    found = parse_one(text, dialect="postgres")
    assert isinstance(found, exp.Expression)
    return found


def scan(table: pa.Table, alias: str, **more: Any) -> Scan:
    schema = pa.schema([(f"{alias}.{each.name}", each.type) for each in table.schema])
    return Scan(schema, table, alias, tuple(table.schema.names), **more)


def join(kind: Any, residual: str = "", keys: bool = True, **more: Any) -> Join:
    left, right = scan(LEFT, "l"), scan(RIGHT, "r")
    shown = [*left.schema] if kind in ("semi", "anti") else [*left.schema, *right.schema]
    pairs = ((column("l.k"), column("r.k")),) if keys else ()
    condition = expression(residual) if residual else None
    return Join(pa.schema(shown), left, right, kind, pairs, condition, **more)


def same(plan: Node) -> None:
    for rule in (push_filters, outer_joins, optimize):
        changed = rule(plan)
        assert changed.schema.names == plan.schema.names
        assert rows(run(changed)) == rows(run(plan)), rule.__name__


@pytest.mark.parametrize("condition", ON_LEFT + ON_RIGHT + ON_BOTH)
@pytest.mark.parametrize("kind", KINDS)
def test_above(kind: str, condition: str) -> None:
    plan = join(kind)
    if kind not in ("semi", "anti") or "r." not in condition:
        same(Filter(plan.schema, plan, expression(condition)))


@pytest.mark.parametrize("condition", ON_LEFT + ON_RIGHT + ON_BOTH)
@pytest.mark.parametrize("kind", KINDS)
def test_own(kind: str, condition: str) -> None:
    same(join(kind, condition))
    if kind != "full":  # DuckDB has no full join without keys
        same(join(kind, condition, keys=False))


@pytest.mark.parametrize("condition", ON_LEFT + ON_RIGHT)
def test_not_in(condition: str) -> None:
    same(join("anti", condition, null_aware=True))
    plan = join("anti", null_aware=True)
    if "r." not in condition:
        same(Filter(plan.schema, plan, expression(condition)))


@pytest.mark.parametrize("condition", ON_RIGHT)
def test_null_keys_that_match(condition: str) -> None:
    plan = join("left", nulls_equal=True)
    same(Filter(plan.schema, plan, expression(condition)))


def pushed(condition: str, kind: str = "inner", **more: Any) -> Node:
    plan = join(kind, **more)
    return push_filters(Filter(plan.schema, plan, expression(condition)))


def shape(node: Node) -> str:
    return " ".join(type(each).__name__ for each in walk(node))


def test_each_side_gets_its_own() -> None:
    assert shape(pushed('"l.x" > 2 AND "r.y" > 2')) == "Join Filter Scan Filter Scan"


def test_the_filled_up_side_of_an_outer_join_keeps_its_rows() -> None:
    assert shape(pushed('"r.y" > 2', "left")) == "Filter Join Scan Scan"
    assert shape(pushed('"l.x" > 2', "right")) == "Filter Join Scan Scan"
    assert shape(pushed('"l.x" > 2 AND "r.y" > 2', "full")) == "Filter Join Scan Scan"


def test_what_may_fail_stays_above_the_join() -> None:
    """CAST is for the rows that the join leaves."""
    condition = 'CAST("l.s" AS BIGINT) > 2 AND "l.x" > 2'
    assert shape(pushed(condition)) == "Filter Join Filter Scan Scan"


def test_what_may_fail_is_last_among_filters() -> None:
    left = scan(LEFT, "l")
    plan = Filter(left.schema, left, expression('CAST("l.s" AS BIGINT) > 2 AND "l.x" > 99'))
    upper = push_filters(plan)
    assert isinstance(upper, Filter)
    assert isinstance(upper.input, Filter)
    assert upper.input.condition.sql() == '"l.x" > 99'
    assert run(upper).num_rows == 0


def test_a_second_match_is_not_hidden() -> None:
    """A scalar subquery's join is told of two rows, also where a filter above drops one."""
    plan = join("left", single=True)
    above = Filter(plan.schema, plan, expression('"r.y" > 2'))
    assert shape(push_filters(above)) == "Filter Join Scan Scan"
    assert outer_joins(above).inputs[0] == plan


def test_equality_becomes_a_key() -> None:
    found = pushed('"l.x" = "r.y"', keys=False)
    assert isinstance(found, Join)
    assert [(one.name, other.name) for one, other in found.keys] == [("l.x", "r.y")]
    assert found.residual is None


def test_keys_of_other_types_are_cast() -> None:
    plan = join("inner", keys=False)
    narrow = scan(RIGHT.cast(pa.schema([("k", "int32"), ("y", "int32"), ("t", "string")])), "r")
    plan = replace(plan, right=narrow)
    found = push_filters(Filter(plan.schema, plan, expression('"l.x" = "r.y"')))
    assert isinstance(found, Join)
    assert [side.sql() for key in found.keys for side in key] == ['"l.x"', 'CAST("r.y" AS BIGINT)']


def test_a_left_join_whose_filled_rows_are_dropped_is_inner() -> None:
    for condition, kind in {
        '"r.y" > 2': "inner",
        '"r.y" IS NULL': "left",
        '"r.y" IS NOT NULL': "inner",
        '"r.y" > 2 OR "l.x" > 2': "left",
        'COALESCE("r.y", 9) > 5': "left",
    }.items():
        plan = join("left")
        found = outer_joins(Filter(plan.schema, plan, expression(condition))).inputs[0]
        assert isinstance(found, Join)
        assert found.kind == kind, condition


def test_the_other_side_is_filtered_by_what_its_key_equals() -> None:
    plan = join("left")
    found = optimize(Filter(plan.schema, plan, expression('"l.k" = 1')))
    scans = [each for each in walk(found) if isinstance(each, Scan)]
    assert {each.alias: each.predicate.sql() for each in scans if each.predicate} == {
        "l": '"l.k" = 1',
        "r": '"r.k" = 1',
    }


def test_columns_are_read_only_where_needed() -> None:
    plan = join("inner", '"l.x" < "r.y"')
    top = Project(pa.schema([plan.schema.field("l.s")]), plan, ())
    top = replace(top, columns=(Named("l.s", column("l.s")),))
    found = {each.alias: each.names for each in walk(optimize(top)) if isinstance(each, Scan)}
    assert found == {"l": ("k", "x", "s"), "r": ("k", "y")}
