"""Conditions between a subquery and the query around it, as keys and residual of a join."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from ferris_beam.sql.nodes import Join, JoinKind, Node, column
from ferris_beam.sql.plan.builder import Subplanner
from ferris_beam.sql.plan.outer import is_outer
from ferris_beam.sql.plan.rewriting import conjunction, rewrite
from ferris_beam.sql.plan.scope import OuterColumn

Pair = tuple[exp.Expression, exp.Expression]


@dataclass(frozen=True)
class Equality:
    """``inner`` is over the subquery's columns, ``outer`` over those of the query around.
    ``null_safe``: NULL equals NULL."""

    inner: exp.Expression
    outer: exp.Expression
    null_safe: bool = False

    def over(self, inner: exp.Expression) -> exp.Expression:
        """The same equality, of ``inner``."""
        if self.null_safe:
            return exp.NullSafeEQ(this=inner, expression=self.outer)
        return exp.EQ(this=inner, expression=self.outer)


def equality(condition: exp.Expression) -> Equality | None:
    """``inner = outer``, whichever side each stands on."""
    part = condition.unnest()
    if not isinstance(part, exp.EQ | exp.NullSafeEQ):
        return None
    for inner, outer in ((part.this, part.expression), (part.expression, part.this)):
        if not is_outer(inner) and has_columns(inner) and only_outer(outer):
            return Equality(inner, outer, isinstance(part, exp.NullSafeEQ))
    return None


def equalities(conditions: Iterable[exp.Expression]) -> list[Equality]:
    """Conditions of which it is known that all are equalities."""
    found = [equality(condition) for condition in conditions]
    assert None not in found
    return [each for each in found if each is not None]


def has_columns(expression: exp.Expression) -> bool:
    return expression.find(exp.Column) is not None


def only_outer(expression: exp.Expression) -> bool:
    """Whether it names columns of queries around, and no others."""
    found = list(expression.find_all(exp.Column))
    return bool(found) and all(isinstance(each, OuterColumn) for each in found)


def inner_columns(expression: exp.Expression) -> list[str]:
    """The columns of the subquery itself."""
    found = expression.find_all(exp.Column)
    names = (each.name for each in found if not isinstance(each, OuterColumn))
    return list(dict.fromkeys(names))


def localized(expression: exp.Expression, plan: Node) -> exp.Expression:
    """With the outer columns that ``plan`` puts out as its columns."""
    known = set(plan.schema.names)

    def local(node: exp.Expression) -> exp.Expression | None:
        if not isinstance(node, OuterColumn) or node.name not in known:
            return None
        result = column(node.name)
        result.meta.update(node.meta)
        return result

    return rewrite(expression, local)


def joined(
    planner: Subplanner,
    plan: Node,
    right: Node,
    kind: JoinKind,
    conditions: Iterable[exp.Expression],
    keys: Sequence[Pair] = (),
    single: bool = False,
) -> Join:
    """``plan`` and ``right``, which meet where all ``conditions`` hold and all ``keys`` are equal;
    each pair is one over ``plan`` and one over ``right``."""
    pairs, null_safe, rest = list(keys), [], []
    for condition in conditions:
        found = equality(condition)
        outer = None if found is None else localized(found.outer, plan)
        if found is None or outer is None or is_outer(outer):
            rest.append(localized(condition, plan))
        elif found.null_safe:
            null_safe.append((outer, found.inner))
        else:
            pairs.append((outer, found.inner))
    if pairs:  # keys are of one kind
        rest += [exp.NullSafeEQ(this=outer, expression=inner) for outer, inner in null_safe]
    join = planner.construct.join(
        plan,
        right,
        kind,
        pairs or null_safe,
        conjunction(rest),
        nulls_equal=bool(null_safe) and not pairs,
    )
    return replace(join, single=single)
