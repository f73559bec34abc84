"""Correlated conditions pulled to the top of a subquery's plan.

What remains below names no column of a query around; for each row around, the subquery's rows are
those of the remaining plan that meet the conditions pulled (Kim 1982; Galindo-Legaria and Joshi,
"Orthogonal Optimization of Subqueries and Aggregation", 2001).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

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

Conditions = list[exp.Expression]


@dataclass(frozen=True)
class Pulled:
    """``conditions`` are over the columns of ``node`` and outer ones. ``missing`` is the row of a
    subquery that has one also where nothing meets them (that of a global aggregate): its values by
    name; None: there is no row then."""

    node: Node
    conditions: Conditions = field(default_factory=list)
    missing: Mapping[str, exp.Expression] | None = None


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
            return self._sort(node)
        if isinstance(node, Over):
            return self._over(node)
        if isinstance(node, Join):
            return self._join(node)
        raise self.refuse(f"{type(node).__name__.upper()} over a column of the query around it")

    def equal(self, pulled: Pulled, what: str) -> Pulled:
        """The same, with equalities as its only conditions."""
        if all(equality(part) is not None for part in pulled.conditions):
            return pulled
        return self._bound(pulled, what)[0]

    def settled(self, pulled: Pulled, what: str) -> Pulled:
        """The same, with equalities and what concerns the query around alone."""
        if all(equality(part) or not inner_columns(part) for part in pulled.conditions):
            return pulled
        return self._bound(pulled, what)[0]

    def _bound(
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
            below, around = self._bound(below, what, [having])
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
            below, around = self._bound(below, what, [each.expression for each in own])
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
            below, around = self._bound(below, what, expressions_of(node))
            keys = tuple(Named(each.name, around.bound(each.expression)) for each in node.keys)
            calls = tuple(Named(each.name, around.bound(each.expression)) for each in node.calls)
            node = replace(node, keys=keys, calls=calls)
        if not node.calls and node.keys:
            return self._distinct(node, below)
        below = self.equal(below, "an aggregate below a condition other than an equality")
        grouped, conditions = self._by_conditions(node, below)
        missing = None
        if not node.keys:
            missing = {call.name: _of_no_rows(call.expression) for call in node.calls}
        return Pulled(grouped, conditions, missing)

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

    def _sort(self, node: Sort) -> Pulled:
        below = self.pull(node.input)
        if node.limit is None and not node.offset:
            return below
        if any(is_outer(each) for each in expressions_of(node)):
            raise self.refuse("ORDER BY a column of the query around it")
        below = self.equal(below, "LIMIT below a condition other than an equality")
        return self._numbered(node, below)

    def _numbered(self, node: Sort, below: Pulled) -> Pulled:
        """LIMIT for each row around: by the number of the row within its partition."""
        if below.missing is not None:
            raise self.refuse("LIMIT over an aggregate without GROUP BY")
        partition = [found.inner for found in equalities(below.conditions)]
        name = self.planner.names.unique("row_number")
        order = [
            exp.Ordered(this=each.expression, desc=each.descending, nulls_first=each.nulls_first)
            for each in node.order
        ]
        call = exp.Window(
            this=exp.RowNumber(),
            partition_by=[part.copy() for part in partition],
            order=exp.Order(expressions=order) if order else None,
            over="OVER",
        )
        over = self.planner.construct.over(below.node, partition, [Named(name, call)])
        parts: Conditions = []
        if node.offset:
            parts.append(exp.GT(this=column(name), expression=exp.Literal.number(node.offset)))
        if node.limit is not None:
            last = exp.Literal.number(node.offset + node.limit)
            parts.append(exp.LTE(this=column(name), expression=last))
        return Pulled(Filter(over.schema, over, conjunction(parts) or exp.true()), below.conditions)

    def _over(self, node: Over) -> Pulled:
        below = self.pull(node.input)
        if below.missing is not None or any(is_outer(each) for each in expressions_of(node)):
            raise self.refuse("a window function over columns of the query around it")
        below = self.equal(below, "a window function below a condition other than an equality")
        partition = [found.inner for found in equalities(below.conditions)]
        calls = [Named(call.name, _partitioned(call.expression, partition)) for call in node.calls]
        over = self.planner.construct.over(below.node, (*node.partition, *partition), calls)
        return Pulled(over, below.conditions)

    def _join(self, node: Join) -> Pulled:
        kind = node.kind
        if kind == "semi" and self.repeats and not node.null_aware:
            kind = "inner"
        both = kind == "inner" and not node.single
        own = list(expressions_of(node))
        if not both and (outer_columns(node.right) or any(is_outer(each) for each in own)):
            raise self.refuse(f"a column of the query around it beside a {kind.upper()} JOIN")
        if kind not in ("inner", "left", "semi", "anti"):
            raise self.refuse(f"a column of the query around it below a {kind.upper()} JOIN")
        left, right = self.pull(node.left), self.pull(node.right)
        if left.missing is not None or right.missing is not None:
            raise self.refuse("a JOIN with an aggregate that names columns of the query around it")
        keys = [key for key in node.keys if not any(is_outer(side) for side in key)]
        equal = [exp.EQ(this=a, expression=b) for a, b in node.keys if is_outer(a) or is_outer(b)]
        parts = conjuncts(node.residual)
        outer = [part for part in parts if is_outer(part)]
        residual = conjunction([part for part in parts if not is_outer(part)])
        joined = self.planner.construct.join(
            left.node, right.node, kind, keys, residual, node.nulls_equal
        )
        rebuilt = replace(joined, single=node.single, null_aware=node.null_aware)
        return Pulled(rebuilt, [*left.conditions, *right.conditions, *equal, *outer])


def _partitioned(call: exp.Expression, partition: list[exp.Expression]) -> exp.Expression:
    copy = call.copy()
    for window in copy.find_all(exp.Window):
        by = [*window.args.get("partition_by", ()), *(part.copy() for part in partition)]
        window.set("partition_by", by)
    return copy


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
