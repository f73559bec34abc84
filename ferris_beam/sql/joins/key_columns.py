"""Keys of the side that workers hold, computed as columns below the join."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.joins.sides import unused_name
from ferris_beam.sql.kernel import types_of
from ferris_beam.sql.nodes import Join, Named, Project, column
from ferris_beam.sql.text import SqlText


def with_key_columns(node: Join, text: SqlText | None = None) -> Join:
    """``node`` with a Project under it that computes the right keys which aren't columns.

    A row whose key can't be computed is then rejected where the side is read, as a dead letter,
    once; while a worker loads its table, there is nowhere that it could go.
    """
    names = list(node.right.schema.names)
    keys: list[tuple[exp.Expression, exp.Expression]] = []
    added: list[Named] = []
    for left, right in node.keys:
        if not isinstance(right, exp.Column):
            added.append(Named(unused_name("key", names), right))
            names.append(added[-1].name)
            right = column(added[-1].name)
        keys.append((left, right))
    if not added:
        return node
    kinds = types_of([each.expression for each in added], node.right.schema, text)
    fields = [pa.field(each.name, kind) for each, kind in zip(added, kinds, strict=True)]
    kept = [Named(name, column(name)) for name in node.right.schema.names]
    schema = pa.schema([*node.right.schema, *fields])
    return replace(node, right=Project(schema, node.right, (*kept, *added)), keys=tuple(keys))
