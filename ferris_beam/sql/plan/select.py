"""One SELECT: FROM, WHERE, GROUP BY, HAVING, window functions, QUALIFY, the list, DISTINCT, ORDER
BY and LIMIT, in the order in which they take effect."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from ferris_beam.sql.nodes import Named, Node
from ferris_beam.sql.plan.binding import Binder
from ferris_beam.sql.plan.builder import Builder, Planned, Subplanner
from ferris_beam.sql.plan.clauses import aggregates, refuse_aggregates, refuse_only_over
from ferris_beam.sql.plan.connecting import connect
from ferris_beam.sql.plan.distinct import distinct, distinct_on
from ferris_beam.sql.plan.grouping import Grouping, group_keys
from ferris_beam.sql.plan.named_windows import definitions
from ferris_beam.sql.plan.ordering import OrderItem, limit_of, order_items
from ferris_beam.sql.plan.over import plan_over
from ferris_beam.sql.plan.projection import Item, items_of
from ferris_beam.sql.plan.refusing import refuse_others
from ferris_beam.sql.plan.relations import NOTHING, plan_from
from ferris_beam.sql.plan.results import finish, result_names
from ferris_beam.sql.plan.rewriting import conjuncts, has_query, unwrapped
from ferris_beam.sql.plan.scope import Scope
from ferris_beam.sql.plan.unnesting import unnest_items
from ferris_beam.sql.plan.windows import plan_window, window_call

_KNOWN = (
    "with_",
    "expressions",
    "distinct",
    "from_",
    "joins",
    "where",
    "group",
    "having",
    "qualify",
    "windows",
    "order",
    "limit",
    "offset",
    "ferris_window",
)


def plan_select(builder: Builder, select: exp.Select, prefix: str) -> Planned:
    """The plan of one SELECT; its WITH is known to ``builder`` already."""
    refuse_others(select, _KNOWN, builder.text)
    return _Select(builder, select).plan(prefix)


class _Select:
    """A SELECT on its way to a plan: ``node`` grows, and ``scope`` is what subqueries see of it."""

    def __init__(self, builder: Builder, select: exp.Select) -> None:
        self.builder = builder
        self.text = builder.text
        self.select = select
        self.node: Node
        self.scope: Scope

    def plan(self, prefix: str) -> Planned:
        select = self.select
        self._from()
        binder = self._binder()
        items = items_of(select, binder)
        where = [binder.bind(part) for part in conjuncts(self._clause("where"))]
        having = [binder.bind(part) for part in conjuncts(self._clause("having"))]
        qualify = [binder.bind(part) for part in conjuncts(self._clause("qualify"))]
        order = order_items(self.builder, select.args.get("order"), items, binder)
        visible = [item for item in items if not item.hidden]
        keys = group_keys(self.builder, select.args.get("group"), visible, binder)
        on = self._distinct_on(items, binder)
        self._check(items, where, qualify)
        self._where(where)
        if keys or binder.window or self._is_grouped([*_values(items), *having, *qualify]):
            items, having, qualify = self._group(keys, binder, items, having, qualify)
        self._filter(having, "HAVING")
        return self._finish(items, qualify, order, on, prefix)

    def _clause(self, name: str) -> exp.Expression | None:
        clause = self.select.args.get(name)
        return None if clause is None else clause.this

    def _from(self) -> None:
        from_, joins = self.select.args.get("from_"), self.select.args.get("joins") or []
        relation = NOTHING
        if from_ is not None:
            own = from_.this.args.get("joins") or []
            relation = plan_from(self.builder, from_.this, [*own, *joins])
        self.node = relation.node
        self.scope = relation.scope.within(self.builder.outer)

    def _binder(self) -> Binder:
        binder = Binder(self.text, self.scope, named_windows=definitions(self.select, self.text))
        call = window_call(self.select, self.builder)
        if call is not None:
            binder.window = plan_window(self.builder, call, self.node, self.scope)
            binder.window_call = call
        return binder

    def _check(
        self, items: list[Item], where: list[exp.Expression], qualify: list[exp.Expression]
    ) -> None:
        for condition in where:
            refuse_aggregates(condition, "WHERE", self.text)
        for expression in [*_values(items), *qualify]:
            refuse_only_over(expression, self.text)

    def _where(self, conditions: list[exp.Expression]) -> None:
        inner = [each for each in conditions if has_query(each)]
        plain = [each for each in conditions if not has_query(each)]
        self.node, plain = connect(self.builder, self.node, plain)
        self._filter([*plain, *inner], "WHERE")

    def _filter(self, conditions: list[exp.Expression], clause: str) -> None:
        """Keeps the rows for which all are true; those without subqueries come first."""
        construct = self.builder.construct
        plain = [each for each in conditions if not has_query(each)]
        self.node = construct.filter_all(self.node, plain, clause)
        for condition in conditions:
            if has_query(condition):
                bound = self._without_queries(condition, filtering=True)
                if not (isinstance(bound, exp.Boolean) and bound.this):
                    self.node = construct.filter(self.node, bound, clause)

    def _without_queries(self, expression: exp.Expression, filtering: bool) -> exp.Expression:
        """The expression with the subqueries in it joined to the plan."""
        if not has_query(expression):
            return expression
        from ferris_beam.sql.plan import subqueries

        planner = Subplanner(self.builder, self.scope, filtering)
        self.node, expression = subqueries.apply(self.node, expression, planner)
        return expression

    def _value(self, expression: exp.Expression) -> exp.Expression:
        return self._without_queries(expression, filtering=False)

    def _is_grouped(self, expressions: list[exp.Expression]) -> bool:
        if self.select.args.get("group") or self.select.args.get("having"):
            return True
        return any(True for each in expressions for _ in aggregates(each))

    def _group(
        self,
        keys: list[exp.Expression],
        binder: Binder,
        items: list[Item],
        having: list[exp.Expression],
        qualify: list[exp.Expression],
    ) -> tuple[list[Item], list[exp.Expression], list[exp.Expression]]:
        grouping = Grouping(self.builder, keys, binder.window)
        items = [replace(item, expression=grouping.over(item.expression)) for item in items]
        having = [grouping.over(condition) for condition in having]
        qualify = [grouping.over(condition) for condition in qualify]
        self.node = grouping.node(lambda: self.node, self._value)
        kept = set(self.node.schema.names)
        fields = tuple(field for field in self.scope.fields if field.flat in kept)
        self.scope = replace(self.scope, fields=fields)
        return items, having, qualify

    def _finish(
        self,
        items: list[Item],
        qualify: list[exp.Expression],
        order: list[OrderItem],
        on: list[int],
        prefix: str,
    ) -> Planned:
        values = [self._value(item.expression) for item in items]
        count = len(values)
        self.node, values = plan_over(self.builder, self.node, [*values, *qualify])
        self._filter(values[count:], "QUALIFY")
        self.node, values = unnest_items(self.builder, self.node, values[:count])
        flat, names = result_names(self.builder, items, prefix)
        columns = [Named(name, value) for name, value in zip(flat, values, strict=True)]
        node: Node = self.builder.construct.project(self.node, columns)
        visible = len(names)
        if on:
            node = distinct_on(self.builder, node, on, order, visible)
        elif self.select.args.get("distinct"):
            self._check_distinct(order, visible)
            node = distinct(self.builder, node)
        limit, offset = limit_of(self.builder, self.select)
        node = finish(self.builder, node, order, limit, offset, visible, ordered=not prefix)
        return Planned(node, names)

    def _distinct_on(self, items: list[Item], binder: Binder) -> list[int]:
        """The places of the expressions of DISTINCT ON; those not in the list are added, hidden."""
        clause = self.select.args.get("distinct")
        if clause is None or clause.args.get("on") is None:
            return []
        on = clause.args["on"]
        written = on.expressions if isinstance(on, exp.Tuple) else [unwrapped(on)]
        order = exp.Order(expressions=[exp.Ordered(this=each.copy()) for each in written])
        return [each.place for each in order_items(self.builder, order, items, binder)]

    def _check_distinct(self, order: list[OrderItem], visible: int) -> None:
        if any(item.place >= visible for item in order):
            raise self.text.error(
                "SELECT DISTINCT can be ordered by what it selects only", self.select.args["order"]
            )


def _values(items: list[Item]) -> list[exp.Expression]:
    return [item.expression for item in items]
