"""A flag beside each row: whether the subquery has a row for it.

The subquery's rows are made distinct in all that is compared, so that a left join with them adds
no rows.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from ferris_beam.sql.nodes import Named, Node, Sort, column
from ferris_beam.sql.plan.builder import Subplanner
from ferris_beam.sql.plan.subqueries.correlation import Pair, equality, inner_columns, joined
from ferris_beam.sql.plan.subqueries.pulled import Pulled


def flagged(
    plan: Node, pulled: Pulled, keys: Sequence[Pair], planner: Subplanner
) -> tuple[Node, str]:
    """``plan`` with a column that is TRUE where a row of ``pulled`` meets its conditions and
    equals ``keys``, else NULL; and the name of that column."""
    grouped, conditions, names = grouped_by(pulled, [inner for _, inner in keys], planner)
    pairs = [(outer, column(name)) for (outer, _), name in zip(keys, names, strict=True)]
    flag = planner.names.unique("exists")
    right = with_flag(grouped, flag, planner)
    return joined(planner, plan, right, "left", conditions, pairs), flag


def with_flag(node: Node, flag: str, planner: Subplanner) -> Node:
    """With a column that is TRUE in every row."""
    columns = [Named(each.name, column(each.name)) for each in node.schema]
    return planner.construct.project(node, [*columns, Named(flag, exp.true())])


def grouped_by(
    pulled: Pulled,
    values: Sequence[exp.Expression],
    planner: Subplanner,
    calls: Sequence[Named] = (),
) -> tuple[Node, list[exp.Expression], list[str]]:
    """The rows of ``pulled`` grouped by what its conditions compare, and by ``values``: the node,
    the conditions over it, and the names of the values."""
    keys: list[Named] = []
    conditions: list[exp.Expression] = []
    for part in pulled.conditions:
        if not inner_columns(part):
            conditions.append(part)
            continue
        found = equality(part)
        assert found is not None
        name = planner.names.unique("correlated")
        keys.append(Named(name, found.inner))
        conditions.append(found.over(column(name)))
    compared = [Named(planner.names.unique("compared"), value) for value in values]
    if not (keys or compared or calls):
        return _first(pulled.node), conditions, []
    node = planner.construct.aggregate(pulled.node, [*keys, *compared], calls)
    return node, conditions, [each.name for each in compared]


def _first(node: Node) -> Node:
    """One row, where there are any."""
    return Sort(node.schema, node, (), limit=1)
