"""Where a condition goes at a join: to one of its sides, into its keys, or above.

====== ============================ ==============================
kind   a filter above may go        the join's own condition may go
====== ============================ ==============================
inner  left, right, keys            left, right, keys
left   left                         right, keys
right  right                        left, keys
full   nowhere                      keys
semi   left                         left, right, keys
anti   left                         right, keys
====== ============================ ==============================

A right side that may match once only (``single``) keeps its rows as far as filters from above are
concerned: dropping one could hide that there are two. NOT IN gains no keys: each of its keys is
compared with NULLs in mind.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlglot import exp

from ferris_beam.sql.nodes import Join, columns_in
from ferris_beam.sql.plan.types import cast, common_type
from ferris_beam.sql.rules.expressions import conjunction, conjuncts, is_true
from ferris_beam.sql.rules.fallible import is_infallible, is_repeatable, known_type, same_family

Key = tuple[exp.Expression, exp.Expression]

_ABOVE_LEFT = frozenset({"inner", "left", "semi", "anti"})
_ABOVE_RIGHT = frozenset({"inner", "right"})
_OWN_LEFT = frozenset({"inner", "right", "semi"})
_OWN_RIGHT = frozenset({"inner", "left", "semi", "anti"})


@dataclass
class Placed:
    """``above`` stays over the join; ``left`` and ``right`` go below it."""

    left: list[exp.Expression] = field(default_factory=list)
    right: list[exp.Expression] = field(default_factory=list)
    above: list[exp.Expression] = field(default_factory=list)
    keys: tuple[Key, ...] = ()
    own: list[exp.Expression] = field(default_factory=list)

    @property
    def residual(self) -> exp.Expression | None:
        return conjunction(self.own) if self.own else None


def place(node: Join, parts: Iterable[exp.Expression]) -> Placed:
    """The conditions ``parts`` above ``node``, and its own, each at its place."""
    placed = Placed(keys=node.keys)
    for part in conjuncts(node.residual):
        if not is_true(part):
            _place_own(node, part, placed)
    for part in parts:
        _place_above(node, part, placed)
    return placed


def _place_own(node: Join, part: exp.Expression, placed: Placed) -> None:
    used = columns_in(part)
    left, right = set(node.left.schema.names), set(node.right.schema.names)
    if not is_repeatable(part):
        placed.own.append(part)
    elif used <= left and node.kind in _OWN_LEFT and is_infallible(part, node.left.schema):
        placed.left.append(part)
    elif used and used <= right and node.kind in _OWN_RIGHT and _safe_right(node, part):
        placed.right.append(part)
    elif not node.null_aware and (key := _key(node, part)) is not None:
        placed.keys = _with(placed.keys, key)
    else:
        placed.own.append(part)


def _place_above(node: Join, part: exp.Expression, placed: Placed) -> None:
    used = columns_in(part)
    left, right = set(node.left.schema.names), set(node.right.schema.names)
    if not is_repeatable(part):
        placed.above.append(part)
    elif used <= left and node.kind in _ABOVE_LEFT and is_infallible(part, node.left.schema):
        placed.left.append(part)
    elif used <= right and _may_go_right(node) and _safe_right(node, part):
        placed.right.append(part)
    elif node.kind != "inner" or node.single or not _safe(node, part):
        placed.above.append(part)
    elif (key := _key(node, part)) is not None:
        placed.keys = _with(placed.keys, key)
    else:
        placed.own.append(part)


def _may_go_right(node: Join) -> bool:
    return node.kind in _ABOVE_RIGHT and not node.single


def _safe_right(node: Join, part: exp.Expression) -> bool:
    return is_infallible(part, node.right.schema)


def _safe(node: Join, part: exp.Expression) -> bool:
    """Over the columns of both sides, though only the left ones are put out by some kinds."""
    both = node.left.schema
    for each in node.right.schema:
        both = both.append(each)
    return is_infallible(part, both)


def _key(node: Join, part: exp.Expression) -> Key | None:
    """An equality between a column of each side, both as their common type: the hash is of that."""
    if not isinstance(part, exp.EQ) or node.nulls_equal:
        return None
    for one, other in ((part.this, part.expression), (part.expression, part.this)):
        left, right = known_type(one, node.left.schema), known_type(other, node.right.schema)
        if left is None or right is None or not same_family(left, right):
            continue
        both = common_type(left, right)
        if both is not None:
            return cast(one.copy(), left, both), cast(other.copy(), right, both)
    return None


def _with(keys: tuple[Key, ...], key: Key) -> tuple[Key, ...]:
    return keys if key in keys else (*keys, key)
