"""Queries as sqlglot parsed them become plans.

Subqueries in expressions
-------------------------
`Builder` plans FROM, WHERE and so on; subqueries in expressions (scalar, IN, EXISTS, ANY, ALL) it
leaves in place, as they were written, and hands over to ``subqueries.apply``::

    plan, expression = subqueries.apply(plan, expression, planner)

``expression`` is bound but for the insides of its subqueries: the left side of IN names columns of
``plan``. The answer is ``plan`` with the subqueries joined to it (its columns kept, others beside
them), and the expression with columns in their place. ``planner`` is a `Subplanner`:

- ``planner.filtering``: the expression is a condition of WHERE, HAVING or QUALIFY, one of those
  that must all be true (they are given one by one), so a semi or anti join may take its place and
  the answer is then TRUE. Else its value is asked for, and no row of ``plan`` may be lost.
- ``planner.plan_query(query)`` plans a subquery: its node, the scope of its result, whose
  ``fields`` are the result's columns in order (`Field.flat`: the name in the node's schema), and
  the names of the columns of ``plan`` that it needs (empty: it is not correlated). Such a column
  is a `scope.OuterColumn` in the node's expressions: a name of ``plan``, not of the node's inputs.
  Names are unique in a statement, so both plans may stand in one join.
- ``planner.construct`` makes nodes and finds their schemas, ``planner.names`` hands out names,
  ``planner.text`` makes errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from sqlglot import exp

from ferris_beam.sql.nodes import Node
from ferris_beam.sql.plan.binding import outer_schema
from ferris_beam.sql.plan.catalog import Catalog
from ferris_beam.sql.plan.construct import Construct
from ferris_beam.sql.plan.names import Names
from ferris_beam.sql.plan.outer import outer_columns
from ferris_beam.sql.plan.scope import Field, Scope
from ferris_beam.sql.text import SqlText


@dataclass(frozen=True)
class Planned:
    """A query's plan: ``names`` are what the user calls the columns of ``node``, in order."""

    node: Node
    names: tuple[str, ...]

    def scope(self, relation: str) -> Scope:
        """The columns as those of a relation."""
        schema = self.node.schema
        return Scope(
            tuple(
                Field(relation, name, flat.name, flat.type)
                for name, flat in zip(self.names, schema, strict=True)
            )
        )


@dataclass(frozen=True, eq=False)
class CommonTable:
    """A query of WITH, what its own names mean, and how often it is named."""

    name: str
    query: exp.Expr
    columns: tuple[exp.Identifier, ...]
    around: Builder
    references: int


@dataclass(frozen=True)
class Builder:
    """Plans the queries of one statement. ``outer`` is the scope around a subquery; ``shared`` are
    queries of WITH that became streams of their own: name and plan."""

    catalog: Catalog
    text: SqlText
    names: Names = field(default_factory=Names)
    outer: Scope | None = None
    common: Mapping[str, CommonTable] = field(default_factory=dict)
    shared: dict[CommonTable, tuple[str, Node]] = field(default_factory=dict)

    @cached_property
    def construct(self) -> Construct:
        return Construct(self.text, outer_schema(self.outer))

    def plan(self, query: exp.Expr, prefix: str = "") -> Planned:
        """The plan of a query. Its columns go by ``prefix.name``, without a prefix by the names
        that the user gave them."""
        from ferris_beam.sql.plan.queries import plan_query  # a query holds queries

        return plan_query(self, query, prefix)

    def inside(self, outer: Scope) -> Builder:
        """The builder of subqueries in a query of scope ``outer``."""
        return replace(self, outer=outer)


@dataclass(frozen=True)
class Subplanner:
    """What `subqueries.apply` may ask for; see above."""

    builder: Builder
    scope: Scope
    filtering: bool

    @property
    def text(self) -> SqlText:
        return self.builder.text

    @property
    def names(self) -> Names:
        return self.builder.names

    @property
    def construct(self) -> Construct:
        return self.builder.construct

    def plan_query(
        self, query: exp.Expr, outer: Scope | None = None
    ) -> tuple[Node, Scope, frozenset[str]]:
        """Plans a subquery; ``outer`` in place of the scope that it stands in."""
        builder = self.builder.inside(outer or self.scope)
        prefix = self.names.unique("subquery")
        planned = builder.plan(query, prefix)
        return planned.node, planned.scope(""), outer_columns(planned.node)
