"""From a `nodes.Join` to what its workers need."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql import nodes
from ferris_beam.sql.joins.common import common_type
from ferris_beam.sql.joins.condition import Condition
from ferris_beam.sql.joins.expressions import Expressions
from ferris_beam.sql.joins.matching import JoinRule
from ferris_beam.sql.joins.sides import JoinSide
from ferris_beam.sql.text import SqlText


def sides_of(node: nodes.Join, text: SqlText | None = None) -> tuple[JoinSide, JoinSide]:
    """Both sides of a join. Raises `SqlError` where keys can't be compared."""
    left_keys = [left for left, _ in node.keys]
    right_keys = [right for _, right in node.keys]
    left = Expressions(left_keys, node.left.schema, text)
    right = Expressions(right_keys, node.right.schema, text)
    types = [
        _common(pair, given, text)
        for pair, given in zip(node.keys, zip(left.types, right.types, strict=True), strict=True)
    ]
    needed = set(node.schema.names)
    if node.residual is not None:
        needed |= nodes.columns_in(node.residual)
    return (
        JoinSide(left_keys, left, types, node.left.schema, needed),
        JoinSide(right_keys, right, types, node.right.schema, needed),
    )


def rule_of(
    node: nodes.Join, left: JoinSide, right: JoinSide, text: SqlText | None = None
) -> JoinRule:
    """How the prepared rows of both sides are joined."""
    residual = node.residual
    condition = None
    if residual is not None:
        condition = Condition(residual, left.schema, right.schema, text)
    return JoinRule(
        node.kind,
        node.schema,
        left.schema,
        right.schema,
        tuple(left.key_columns),
        tuple(right.key_columns),
        condition,
        node.null_aware,
        node.single,
        node.nulls_equal,
    )


def _common(
    pair: tuple[exp.Expression, exp.Expression],
    types: Sequence[pa.DataType],
    text: SqlText | None,
) -> pa.DataType:
    found = common_type(*types)
    if found is not None:
        return found
    message = f"a join can't compare {types[0]} with {types[1]}"
    hint = "cast one side to the other's type, or join by a part of it (a field, an item)"
    text = text or SqlText(" = ".join(each.sql() for each in pair))
    raise text.error(message, pair[0], hint)
