"""USING and NATURAL: columns of both sides that the result holds once."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.nodes import JoinKind, Named, Node, column
from ferris_beam.sql.plan.builder import Builder
from ferris_beam.sql.plan.relations import Relation
from ferris_beam.sql.plan.rewriting import at
from ferris_beam.sql.plan.scope import Field, Scope
from ferris_beam.sql.plan.types import cast, common_type
from ferris_beam.sql.text import did_you_mean


def common_names(
    builder: Builder, left: Relation, right: Relation, join: exp.Join
) -> list[exp.Identifier]:
    """The names of NATURAL: columns that both sides have."""
    theirs = {field.name for field in right.scope.fields if field.alone}
    names = [field.name for field in left.scope.fields if field.alone and field.name in theirs]
    if not names:
        raise builder.text.error(
            "NATURAL JOIN: the two sides have no column of the same name", join.this, "write ON …"
        )
    place = join.this.find(exp.Identifier, exp.Literal)
    identifiers = [exp.Identifier(this=name, quoted=True) for name in names]
    for identifier in identifiers:
        at(identifier, place or join.this)
    return identifiers


def plan_using(
    builder: Builder, left: Relation, right: Relation, kind: JoinKind, names: list[exp.Identifier]
) -> Relation:
    """The join by equal columns of these names."""
    pairs = [
        (_find(builder, name, left, "left"), _find(builder, name, right, "right")) for name in names
    ]
    keys = [
        (at(column(one.flat), name), at(column(other.flat), name))
        for (one, other), name in zip(pairs, names, strict=True)
    ]
    node: Node = builder.construct.join(left.node, right.node, kind, keys)
    if kind in ("semi", "anti"):
        return Relation(node, left.scope)
    merged = [Field("", one.name, one.flat, one.type) for one, _ in pairs]
    if kind == "right":
        merged = [Field("", one.name, other.flat, other.type) for one, other in pairs]
    if kind == "full":
        node, merged = _coalesced(builder, node, pairs)
    return Relation(node, _scope(left.scope, right.scope, pairs, merged))


def _find(builder: Builder, name: exp.Identifier, relation: Relation, side: str) -> Field:
    found = relation.scope.find(name.name)
    if len(found) == 1:
        return found[0]
    known = [field.name for field in relation.scope.fields if field.alone]
    if found:
        raise builder.text.error(
            f"{name.name!r} can mean several columns of the {side} side", name, "write ON …"
        )
    raise builder.text.error(
        f"the {side} side has no column {name.name!r}", name, did_you_mean(name.name, known)
    )


def _coalesced(
    builder: Builder, node: Node, pairs: list[tuple[Field, Field]]
) -> tuple[Node, list[Field]]:
    """FULL JOIN: the value of either side, in a column of its own."""
    columns = [Named(name, column(name)) for name in node.schema.names]
    merged = []
    for one, other in pairs:
        both = common_type(one.type, other.type) or one.type
        value = exp.Coalesce(
            this=cast(column(one.flat), one.type, both),
            expressions=[cast(column(other.flat), other.type, both)],
        )
        flat = builder.names.unique(one.name)
        columns.append(Named(flat, value))
        merged.append(Field("", one.name, flat, both))
    project = builder.construct.project(node, columns)
    kinds: dict[str, pa.DataType] = {field.name: field.type for field in project.schema}
    return project, [replace(field, type=kinds[field.flat]) for field in merged]


def _scope(
    left: Scope, right: Scope, pairs: list[tuple[Field, Field]], merged: list[Field]
) -> Scope:
    """The merged columns stand where the left ones stood."""
    fields: list[Field] = []
    ours = {id(one): new for (one, _), new in zip(pairs, merged, strict=True)}
    theirs = {id(other) for _, other in pairs}
    for field in left.fields:
        if id(field) in ours:
            fields += [ours[id(field)], replace(field, alone=False)]
        else:
            fields.append(field)
    fields += [replace(f, alone=False) if id(f) in theirs else f for f in right.fields]
    return replace(left.and_(right), fields=tuple(fields))
