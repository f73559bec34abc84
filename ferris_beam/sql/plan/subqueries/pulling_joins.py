"""Joins and unions in a subquery."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.nodes import Join, Named, Node, Union, column
from ferris_beam.sql.plan.outer import expressions_of, is_outer
from ferris_beam.sql.plan.rewriting import conjunction, conjuncts
from ferris_beam.sql.plan.subqueries.correlation import inner_columns
from ferris_beam.sql.plan.subqueries.pulled import Pulled

if TYPE_CHECKING:
    from ferris_beam.sql.plan.subqueries.pulling import Puller


def pull_join(puller: Puller, node: Join) -> Pulled:
    """Conditions of an inner join go up as they are. Beside the right side of others, whose
    condition decides what a left row is put out with, they stay: over the values of the outer
    columns, joined to the left side."""
    if node.kind == "semi" and puller.repeats:
        schema = pa.schema([*node.left.schema, *node.right.schema])
        node = replace(node, kind="inner", schema=schema)
    left, right = puller.pull(node.left), puller.pull(node.right)
    what = f"a column of the query around it in {node.kind.upper()} JOIN"
    if left.missing is not None or right.missing is not None:
        raise puller.refuse(what)
    if node.kind == "inner" and not node.single:
        return _inner(puller, node, left, right)
    own = [each for each in expressions_of(node) if is_outer(each)]
    beside = own or right.conditions
    if node.kind in ("right", "full") or (beside and (node.null_aware or node.nulls_equal)):
        raise puller.refuse(what)
    if not beside:
        return Pulled(_joined(puller, node, left.node, right.node), left.conditions)
    left, around = puller.bound(left, what, [*own, *right.conditions])
    keys = tuple((around.bound(one), around.bound(other)) for one, other in node.keys)
    parts = [around.bound(part) for part in [*conjuncts(node.residual), *right.conditions]]
    changed = replace(node, keys=keys, residual=conjunction(parts))
    return Pulled(_joined(puller, changed, left.node, right.node), left.conditions)


def _inner(puller: Puller, node: Join, left: Pulled, right: Pulled) -> Pulled:
    keys = tuple(key for key in node.keys if not any(is_outer(side) for side in key))
    equal = [exp.EQ(this=a, expression=b) for a, b in node.keys if is_outer(a) or is_outer(b)]
    parts = conjuncts(node.residual)
    residual = conjunction([part for part in parts if not is_outer(part)])
    changed = replace(node, keys=keys, residual=residual)
    outer = [part for part in parts if is_outer(part)]
    conditions = [*left.conditions, *right.conditions, *equal, *outer]
    return Pulled(_joined(puller, changed, left.node, right.node), conditions)


def _joined(puller: Puller, node: Join, left: Node, right: Node) -> Join:
    joined = puller.planner.construct.join(
        left, right, node.kind, node.keys, node.residual, node.nulls_equal
    )
    return replace(joined, single=node.single, null_aware=node.null_aware)


def pull_union(puller: Puller, node: Union) -> Pulled:
    """Each branch beside the same outer columns, which become columns of the union."""
    what = "UNION over a column of the query around it"
    branches = [puller.pull(branch) for branch in node.branches]
    if any(each.missing is not None for each in branches):
        raise puller.refuse(what)
    conditions = [part for each in branches for part in each.conditions]
    bound = [puller.bound(each, what, conditions)[0] for each in branches]
    nodes = []
    for branch, each in zip(node.branches, bound, strict=True):
        extra = [name for part in each.conditions for name in inner_columns(part)]
        kept = [Named(name, column(name)) for name in [*branch.schema.names, *extra]]
        nodes.append(puller.planner.construct.project(each.node, kept))
    first = nodes[0].schema
    fields = [*node.schema, *list(first)[len(node.schema) :]]
    return Pulled(Union(pa.schema(fields), tuple(nodes)), bound[0].conditions)
