"""Subqueries that no join expresses are refused by name, at their place."""

from __future__ import annotations

import pytest

from ferris_beam.errors import SqlError
from ferris_beam.sql.nodes import Join, Node, walk
from ferris_beam.sql.plan import Catalog, plan_program
from ferris_beam.sql.syntax import parse
from ferris_beam.sql.text import SqlText
from tests.sql.subqueries.test_against_duckdb import SCHEMA


def planned(query: str) -> Node:
    text = SqlText(query)
    catalog = Catalog({name: SCHEMA for name in ("t", "u", "v")})
    return plan_program(parse(text), text, catalog).outputs[0].node


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "SELECT (SELECT a, b FROM u) AS x FROM t",
            "a subquery in an expression has one column, and this one has 2",
        ),
        (
            "SELECT (t.a, t.b) IN (SELECT a, b FROM u) AS x FROM t",
            "IN with several columns inside of an expression is not supported",
        ),
        (
            "SELECT * FROM t WHERE (t.a, t.b) IN (SELECT a FROM u)",
            "2 values on the left of IN, and a subquery of 1 column",
        ),
        (
            "SELECT * FROM t WHERE t.a > ALL (SELECT a, b FROM u)",
            "a subquery of 2 columns can't be compared with a value",
        ),
        (
            "SELECT * FROM t WHERE t.s LIKE ANY (SELECT s FROM u)",
            "LIKE with ANY or ALL is not supported",
        ),
        (
            "SELECT * FROM t WHERE EXISTS (SELECT 1 FROM u FULL JOIN v ON u.a = v.a AND v.b = t.b)",
            "FULL JOIN is not supported",
        ),
        (
            "SELECT r FROM (SELECT random() AS r, a FROM t) t"
            " WHERE r < (SELECT count(*) FROM u WHERE u.a < t.a)",
            "an aggregate below a condition other than an equality is not supported",
        ),
    ],
)
def test_refused_by_name(query: str, message: str) -> None:
    with pytest.raises(SqlError) as caught:
        planned(query)
    assert message in str(caught.value)
    assert "^" in str(caught.value)


def joins(query: str) -> list[Join]:
    return [node for node in walk(planned(query)) if isinstance(node, Join)]


def test_equalities_become_keys() -> None:
    """No fallback is taken where a join of the two says it."""
    (join,) = joins("SELECT * FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a AND u.b > t.b)")
    assert (join.kind, len(join.keys)) == ("semi", 1)
    assert join.residual is not None
    (join,) = joins("SELECT * FROM t WHERE a NOT IN (SELECT a FROM u)")
    assert (join.kind, join.null_aware, len(join.keys)) == ("anti", True, 1)
    (join,) = joins("SELECT * FROM t WHERE b < (SELECT avg(b) FROM u WHERE u.a = t.a)")
    assert (join.kind, join.single, len(join.keys)) == ("left", False, 1)
    (join,) = joins("SELECT * FROM t WHERE b = (SELECT b FROM u WHERE u.a = t.a)")
    assert (join.kind, join.single) == ("left", True)
