"""LATERAL: a query of FROM that names columns of what stands before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.nodes import JoinKind, Named, Node, column
from ferris_beam.sql.plan.builder import Builder, Subplanner
from ferris_beam.sql.plan.relations import Relation
from ferris_beam.sql.plan.scope import Scope
from ferris_beam.sql.plan.types import cast


def plan_lateral(builder: Builder, left: Relation, item: exp.Lateral, kind: JoinKind) -> Relation:
    """``left`` joined to the query of ``item``, whose conditions on columns of ``left`` become
    those of the join. Raises `SqlError` where a join can't say the same."""
    from ferris_beam.sql.plan.subqueries.pulling import Puller

    alias = item.alias
    if not isinstance(item.this, exp.Subquery) or not alias:
        raise builder.text.error(
            "LATERAL takes a query with an alias", item, "LATERAL (SELECT …) AS t"
        )
    planner = Subplanner(builder, left.scope.within(builder.outer), filtering=False)
    node, scope, _ = planner.plan_query(item.this.this)
    pulled = Puller(planner, item, plan=left.node).pull(node)
    joined = _joined(planner, left.node, pulled.node, kind, pulled.conditions, pulled.missing)
    fields = [replace(field, relation=alias) for field in scope.fields]
    names = item.args["alias"].args.get("columns") or []
    if len(names) > len(fields):
        raise builder.text.error(f"{alias} has {len(fields)} columns", names[len(fields)])
    for place, name in enumerate(names):
        fields[place] = replace(fields[place], name=name.name)
    return Relation(joined, left.scope.and_(Scope(tuple(fields))))


def _joined(
    planner: Subplanner,
    left: Node,
    right: Node,
    kind: JoinKind,
    conditions: list[exp.Expression],
    missing: Mapping[str, exp.Expression] | None,
) -> Node:
    """``missing`` are the values of an aggregate over no rows, which has a row all the same."""
    from ferris_beam.sql.plan.subqueries.correlation import joined

    if missing is None:
        return joined(planner, left, right, kind, conditions)
    flag = planner.names.unique("matched")
    kept = [Named(name, column(name)) for name in right.schema.names]
    flagged = planner.construct.project(right, [*kept, Named(flag, exp.true())])
    join = joined(planner, left, flagged, "left", conditions)
    absent = exp.Is(this=column(flag), expression=exp.Null())
    columns = [Named(name, column(name)) for name in left.schema.names]
    for field in right.schema:
        value: exp.Expression = column(field.name)
        if field.name in missing:
            typed = cast(missing[field.name], pa.null(), field.type)
            value = exp.Case(ifs=[exp.If(this=absent.copy(), true=typed)], default=value)
        columns.append(Named(field.name, value))
    return planner.construct.project(join, columns)
