"""Conditions between two sides of a join: keys, what concerns one side, and the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlglot import exp

from ferris_beam.sql.nodes import columns_in
from ferris_beam.sql.plan.outer import is_outer
from ferris_beam.sql.plan.rewriting import unwrapped

Pair = tuple[exp.Expression, exp.Expression]


@dataclass
class Sorted:
    """Conditions by what they name: ``keys`` are equal expressions over left and right,
    ``null_safe_keys`` those of IS NOT DISTINCT FROM; ``both`` is what is left."""

    keys: list[Pair] = field(default_factory=list)
    null_safe_keys: list[Pair] = field(default_factory=list)
    left: list[exp.Expression] = field(default_factory=list)
    right: list[exp.Expression] = field(default_factory=list)
    both: list[exp.Expression] = field(default_factory=list)


def sort_conditions(
    conditions: Iterable[exp.Expression], left: Iterable[str], right: Iterable[str]
) -> Sorted:
    """``left`` and ``right`` are the columns of each side. TRUE is left out."""
    sides = frozenset(left), frozenset(right)
    result = Sorted()
    for condition in conditions:
        inner = unwrapped(condition)
        names = columns_in(inner)
        if isinstance(inner, exp.Boolean) and inner.this:
            continue
        pair = key_pair(inner, *sides)
        if pair is not None and isinstance(inner, exp.NullSafeEQ):
            result.null_safe_keys.append(pair)
        elif pair is not None:
            result.keys.append(pair)
        elif is_outer(inner) or not names:
            result.both.append(condition)
        elif names <= sides[0]:
            result.left.append(condition)
        elif names <= sides[1]:
            result.right.append(condition)
        else:
            result.both.append(condition)
    return result


def key_pair(condition: exp.Expression, left: frozenset[str], right: frozenset[str]) -> Pair | None:
    """The expressions over left and right that an equation compares; None: it is no such."""
    if not isinstance(condition, (exp.EQ, exp.NullSafeEQ)) or is_outer(condition):
        return None
    first, second = unwrapped(condition.this), unwrapped(condition.expression)
    names, other_names = columns_in(first), columns_in(second)
    if not names or not other_names:
        return None
    if names <= left and other_names <= right:
        return first, second
    if names <= right and other_names <= left:
        return second, first
    return None
