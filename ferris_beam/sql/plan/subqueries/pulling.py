"""Correlated conditions pulled to the top of a subquery's plan.

What remains below names no column of a query around; for each row around, the subquery's rows are
those of the remaining plan that meet the conditions pulled (Kim 1982; Galindo-Legaria and Joshi,
"Orthogonal Optimization of Subqueries and Aggregation", 2001).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.nodes import (
    Aggregate,
    Filter,
    Join,
    Named,
    Node,
    Over,
    Project,
    Sort,
    Union,
    column,
)
from ferris_beam.sql.plan.builder import Subplanner
from ferris_beam.sql.plan.outer import expressions_of, is_outer, outer_columns
from ferris_beam.sql.plan.rewriting import conjunction, conjuncts, rewrite
from ferris_beam.sql.plan.subqueries.correlation import (
    equalities,
    equality,
    inner_columns,
    localized,
)
from ferris_beam.sql.plan.subqueries.domain import Domain, domain
from ferris_beam.sql.plan.subqueries.pulled import Conditions, Pulled
from ferris_beam.sql.plan.subqueries.pulling_joins import pull_join, pull_union
from ferris_beam.sql.plan.subqueries.pulling_order import pull_over, pull_sort
from ferris_beam.sql.plan.types import cast


@dataclass(frozen=True)
class Puller:
    """``repeats``: the subquery may have rows more often than it should, since only whether there
    is one matters. ``at`` is where errors point to. ``plan`` is the query around, from which the
    values are taken that equalities alone don't tell (`domain`)."""

    planner: Subplanner
    at: exp.Expression
    repeats: bool = False
    plan: Node | None = None

    def pull(self, node: Node) -> Pulled:
        """What is left of ``node``. Raises `SqlError` where no join expresses the correlation."""
        if not outer_columns(node):
            return Pulled(node)
        if isinstance(node, Filter):
            return self._filter(node)
        if isinstance(node, Project):
            return self._project(node)
        if isinstance(node, Aggregate):
            return self._aggregate(node)
        if isinstance(node, Sort):
            return pull_sort(self, node)
        if isinstance(node, Over):
            return pull_over(self, node)
        if isinstance(node, Join):
            return pull_join(self, node)
        if isinstance(node, Union):
            return pull_union(self, node)
        raise self.refuse(f"{type(node).__name__.upper()} over a column of the query around it")

    def equal(self, pulled: Pulled, what: str) -> Pulled:
        """The same, with equalities as its only conditions."""
        if all(equality(part) is not None for part in pulled.conditions):
            return pulled
        return self.bound(pulled, what)[0]

    def settled(self, pulled: Pulled, what: str) -> Pulled:
        """The same, with equalities and what concerns the query around alone."""
        if all(equality(part) or not inner_columns(part) for part in pulled.conditions):
            return pulled
        return self.bound(pulled, what)[0]

    def bound(
        self, pulled: Pulled, what: str, needed: Iterable[exp.Expression] = ()
    ) -> tuple[Pulled, Domain]:
        """``pulled`` beside the outer columns that its conditions and ``needed`` name."""
        found = None
        if self.plan is not None:
            found = domain(self.planner, self.plan, [*pulled.conditions, *needed])
        if found is None:
            raise self.refuse(what)
        node = found.joined(self.planner, pulled.node, pulled.conditions)
        return replace(pulled, node=node, conditions=found.equalities), found

    def _local(self, expression: exp.Expression) -> exp.Expression:
        return expression if self.plan is None else localized(expression, self.plan)

    def refuse(self, what: str) -> Exception:
        return self.planner.text.error(
            f"this subquery can't be joined to the query around it: {what} is not supported",
            self.at,
            "rewrite it as a JOIN of the two, with a condition between their columns",
        )

    def _filter(self, node: Filter) -> Pulled:
        below = self.pull(node.input)
        if below.missing is not None:
            return self._having(node, below)
        parts = conjuncts(node.condition)
        own = conjunction([part for part in parts if not is_outer(part)])
        kept = below.node if own is None else Filter(below.node.schema, below.node, own)
        return Pulled(kept, [*below.conditions, *(part for part in parts if is_outer(part))])

    def _having(self, node: Filter, below: Pulled) -> Pulled:
        """A group that HAVING drops must not look like one without rows: it stays, all NULL."""
        having = node.condition
        if is_outer(having):
            what = "HAVING with a column of the query around it"
            below, around = self.bound(below, what, [having])
            having = around.bound(having)
        assert below.missing is not None
        kept = {name for part in below.conditions for name in inner_columns(part)}
        columns = [
            Named(
                each.name,
                column(each.name) if each.name in kept else _where(having, column(each.name)),
            )
            for each in below.node.schema
        ]
        condition = self._local(_with_values(node.condition, below.missing))
        missing = {name: _where(condition, value) for name, value in below.missing.items()}
        return Pulled(
            Project(below.node.schema, below.node, tuple(columns)), below.conditions, missing
        )

    def _project(self, node: Project) -> Pulled:
        below = self.pull(node.input)
        own = node.columns
        if any(is_outer(each.expression) for each in own):
            what = "a SELECT list that names columns of the query around it"
            below, around = self.bound(below, what, [each.expression for each in own])
            own = tuple(Named(each.name, around.bound(each.expression)) for each in own)
        names = [name for part in below.conditions for name in inner_columns(part)]
        names = [name for name in dict.fromkeys(names) if name not in node.schema.names]
        fields = [below.node.schema.field(name) for name in names]
        columns = (*own, *(Named(name, column(name)) for name in names))
        project = Project(pa.schema([*node.schema, *fields]), below.node, columns)
        missing = None
        if below.missing is not None:
            missing = {
                each.name: self._local(_with_values(each.expression, below.missing))
                for each in node.columns
            }
        return Pulled(project, below.conditions, missing)

    def _aggregate(self, node: Aggregate) -> Pulled:
        """Rows of different rows around are grouped apart: by the values that tell them apart."""
        below = self.pull(node.input)
        if node.window is not None:
            raise self.refuse("a window of event time below a column of the query around it")
        if any(is_outer(each) for each in expressions_of(node)):
            what = "an aggregate of columns of the query around it"
            below, around = self.bound(below, what, expressions_of(node))
            keys = tuple(Named(each.name, around.bound(each.expression)) for each in node.keys)
            calls = tuple(Named(each.name, around.bound(each.expression)) for each in node.calls)
            node = replace(node, keys=keys, calls=calls)
        if not node.calls and node.keys:
            return self._distinct(node, below)
        below = self.equal(below, "an aggregate below a condition other than an equality")
        grouped, conditions = self._by_conditions(node, below)
        if node.keys:
            return Pulled(grouped, conditions)
        missing = {call.name: _of_no_rows(call.expression) for call in node.calls}
        pulled = Pulled(grouped, conditions, missing)
        return self._present(pulled) if self.repeats else pulled

    def _present(self, pulled: Pulled) -> Pulled:
        """With the row for nothing as a row like any other."""
        assert pulled.missing is not None
        construct, names = self.planner.construct, self.planner.names
        around = None
        if self.plan is not None:
            around = domain(self.planner, self.plan, pulled.conditions)
        if around is None:
            raise self.refuse("an aggregate without GROUP BY that names outer columns")
        flag = Named(names.unique("matched"), exp.true())
        kept = [Named(name, column(name)) for name in pulled.node.schema.names]
        flagged = construct.project(pulled.node, [*kept, flag])
        condition = conjunction([around.bound(part) for part in pulled.conditions])
        join = construct.join(around.node, flagged, "left", (), condition)
        absent = exp.Is(this=column(flag.name), expression=exp.Null())
        columns = [Named(name, column(name)) for name in around.node.schema.names]
        for name, value in pulled.missing.items():
            typed = cast(value, pa.null(), pulled.node.schema.field(name).type)
            either = exp.Case(ifs=[exp.If(this=absent.copy(), true=typed)], default=column(name))
            columns.append(Named(name, either))
        return Pulled(construct.project(join, columns), around.equalities)

    def _distinct(self, node: Aggregate, below: Pulled) -> Pulled:
        """Whatever the conditions are: rows are distinct together with the columns in them."""
        if not self.repeats:
            below = self.equal(below, "DISTINCT with a condition other than an equality")
        names = dict.fromkeys(name for part in below.conditions for name in inner_columns(part))
        taken = set(node.schema.names)
        keys = [Named(name, column(name)) for name in names if name not in taken]
        return Pulled(self._grouped(node, below.node, keys), below.conditions)

    def _grouped(self, node: Aggregate, input: Node, keys: Iterable[Named]) -> Node:
        return self.planner.construct.aggregate(input, (*node.keys, *keys), node.calls)

    def _by_conditions(self, node: Aggregate, below: Pulled) -> tuple[Node, Conditions]:
        """Grouped by the inner sides of the conditions, too; the conditions over those."""
        keys: list[Named] = []
        conditions: Conditions = []
        for found in equalities(below.conditions):
            name = self.planner.names.unique("correlated")
            keys.append(Named(name, found.inner))
            conditions.append(found.over(column(name)))
        return self._grouped(node, below.node, keys), conditions


def _of_no_rows(call: exp.Expression) -> exp.Expression:
    """What an aggregate says of nothing: COUNT says 0, all others NULL."""
    function = call.this if isinstance(call, exp.Filter | exp.WithinGroup) else call
    name = function.name if isinstance(function, exp.Anonymous) else ""
    counts = isinstance(function, exp.Count | exp.CountIf | exp.ApproxDistinct)
    if counts or name.upper() in ("COUNT", "COUNT_IF", "APPROX_COUNT_DISTINCT"):
        return exp.Literal.number(0)
    return exp.Null()


def _with_values(
    expression: exp.Expression, values: Mapping[str, exp.Expression]
) -> exp.Expression:
    def value(node: exp.Expression) -> exp.Expression | None:
        if isinstance(node, exp.Column) and node.name in values:
            return exp.Paren(this=values[node.name].copy())
        return None

    return rewrite(expression, value)


def certainly_null(expression: exp.Expression) -> bool:
    """Whether it is NULL by its look: arithmetic with NULL is."""
    inner = expression.unnest()
    if type(inner) is exp.Cast or isinstance(inner, exp.Neg):
        return certainly_null(inner.this)
    if isinstance(inner, exp.Add | exp.Sub | exp.Mul | exp.Div | exp.Mod):
        return certainly_null(inner.this) or certainly_null(inner.expression)
    return isinstance(inner, exp.Null)


def _where(condition: exp.Expression, value: exp.Expression) -> exp.Expression:
    return exp.Case(ifs=[exp.If(this=condition.copy(), true=value.copy())])
