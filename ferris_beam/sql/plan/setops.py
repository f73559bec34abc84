"""UNION, UNION ALL, EXCEPT and INTERSECT."""

from __future__ import annotations

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql import nodes
from ferris_beam.sql.kernel.types import spoken
from ferris_beam.sql.nodes import Named, Node, column
from ferris_beam.sql.plan.builder import Builder, Planned
from ferris_beam.sql.plan.distinct import distinct
from ferris_beam.sql.plan.refusing import counted, refuse_others
from ferris_beam.sql.plan.types import cast, common_type

_KNOWN = ("with_", "this", "expression", "distinct", "by_name", "order", "limit", "offset")


def plan_set_operation(builder: Builder, query: exp.SetOperation, prefix: str) -> Planned:
    """The plan of two queries put together. Types are unified by casts."""
    refuse_others(query, _KNOWN, builder.text)
    sides = [builder.plan(each, builder.names.unique("branch")) for each in _branches(query)]
    if query.args.get("by_name"):
        sides = _by_name(builder, query, sides)
    count = len(sides[0].names)
    for side in sides[1:]:
        if len(side.names) != count:
            raise builder.text.error(
                f"the first query of {query.key.upper()} has {counted(count, 'column')}, "
                f"and another one {len(side.names)}",
                query.expression,
            )
    return _combined(builder, query, sides, prefix)


def _branches(query: exp.SetOperation) -> list[exp.Expression]:
    """UNION ALL of UNION ALL is one node with many branches."""
    left, right = query.this, query.expression
    if _is_plain_union_all(query) and isinstance(left, exp.Union) and _is_plain_union_all(left):
        return [*_branches(left), right]
    return [left, right]


def _is_plain_union_all(query: exp.SetOperation) -> bool:
    said = {name for name, value in query.args.items() if value}
    return isinstance(query, exp.Union) and said <= {"this", "expression"}


def _by_name(builder: Builder, query: exp.SetOperation, sides: list[Planned]) -> list[Planned]:
    """The columns of all sides, by their names; NULL where a side has none."""
    if not isinstance(query, exp.Union):
        raise builder.text.error(f"{query.key.upper()} BY NAME is not supported", query)
    names = list(dict.fromkeys(name for side in sides for name in side.names))
    result = []
    for side in sides:
        found = dict(zip(side.names, side.node.schema.names, strict=True))
        prefix = builder.names.unique("branch")
        columns = [
            Named(f"{prefix}.{name}", column(found[name]) if name in found else exp.Null())
            for name in names
        ]
        result.append(Planned(builder.construct.project(side.node, columns), tuple(names)))
    return result


def _combined(
    builder: Builder, query: exp.SetOperation, sides: list[Planned], prefix: str
) -> Planned:
    names = sides[0].names
    kinds = [_common(builder, query, sides, place) for place in range(len(names))]
    flat = [f"{prefix}.{name}" for name in names]
    if isinstance(query, exp.Union):
        branches = tuple(_cast(builder, side.node, kinds, None) for side in sides)
        schema = pa.schema([pa.field(n, k) for n, k in zip(flat, kinds, strict=True)])
        node: Node = nodes.Union(schema, branches)
        if query.args.get("distinct"):
            node = distinct(builder, node)
        return Planned(node, names)
    if not query.args.get("distinct"):
        raise builder.text.error(
            f"{query.key.upper()} ALL is not supported", query.expression, "leave out ALL"
        )
    left = distinct(builder, _cast(builder, sides[0].node, kinds, flat))
    right = _cast(builder, sides[1].node, kinds, None)
    keys = [
        (column(ours), column(theirs))
        for ours, theirs in zip(flat, right.schema.names, strict=True)
    ]
    kind: nodes.JoinKind = "semi" if isinstance(query, exp.Intersect) else "anti"
    return Planned(builder.construct.join(left, right, kind, keys, nulls_equal=True), names)


def _common(
    builder: Builder, query: exp.SetOperation, sides: list[Planned], place: int
) -> pa.DataType:
    kind = sides[0].node.schema.field(place).type
    for side in sides[1:]:
        other = side.node.schema.field(place).type
        both = common_type(kind, other)
        if both is None:
            raise builder.text.error(
                f"{query.key.upper()}: column {place + 1} ({sides[0].names[place]}) is "
                f"{spoken(kind)} on one side and {spoken(other)} on the other",
                query.expression,
                "cast one of them",
            )
        kind = both
    return kind


def _cast(builder: Builder, node: Node, kinds: list[pa.DataType], names: list[str] | None) -> Node:
    """The columns as ``kinds``, under ``names``; the node itself where nothing changes."""
    if names is None and [field.type for field in node.schema] == kinds:
        return node
    columns = [
        Named(name, cast(column(field.name), field.type, kind))
        for name, field, kind in zip(names or node.schema.names, node.schema, kinds, strict=True)
    ]
    return builder.construct.project(node, columns)
