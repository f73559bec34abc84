"""Checks whole queries: finds what the names in each SELECT mean, then checks its expressions."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.kernel.checking import Checker
from ferris_beam.sql.kernel.comparisons import refuse_other_than_conditions
from ferris_beam.sql.kernel.rendering import write
from ferris_beam.sql.kernel.scope import Scope
from ferris_beam.sql.kernel.sessions import planned_schema

_CONDITIONS = ("where", "having", "qualify")


class QueryChecker:
    """``tables`` are what queries may read by name."""

    def __init__(self, tables: Mapping[str, pa.Schema]) -> None:
        self._tables = dict(tables)
        self._named: dict[str, tuple[exp.Expr, pa.Schema]] = {}

    def check(self, query: exp.Expr, outer: Scope | None = None) -> exp.Expr:
        """``query``, changed in place."""
        self._check_named(query, outer)
        if isinstance(query, exp.Subquery):
            query.set("this", self.check(query.this, outer))
        elif isinstance(query, exp.SetOperation):
            query.set("this", self.check(query.this, outer))
            query.set("expression", self.check(query.expression, outer))
        elif isinstance(query, exp.Select):
            self._check_select(query, outer)
        return query

    def tables_in(self, node: exp.Expr) -> dict[str, pa.Schema]:
        """The tables that subqueries in ``node`` read."""
        names = {table.name for table in node.find_all(exp.Table)}
        return {name: schema for name, schema in self._tables.items() if name in names}

    def _check_named(self, query: exp.Expr, outer: Scope | None) -> None:
        """WITH: each query's columns are known to those behind it."""
        clause = query.args.get("with_")
        if clause is None:
            return
        for named in clause.expressions:
            named.set("this", self.check(named.this, outer))
            schema = self._schema_of(named.this)
            columns = named.args["alias"].columns
            if columns:
                schema = schema.rename([each.name for each in columns])
            self._named[named.alias] = named, schema

    def _check_select(self, select: exp.Select, outer: Scope | None) -> None:
        relations: dict[str, pa.Schema] = {}
        source = select.args.get("from_")
        if source is not None:
            self._add_relation(relations, source.this, outer)
        for join in select.args.get("joins") or ():
            self._add_relation(relations, join.this, outer)
        checker = Checker(Scope(relations, {}, outer), self)
        for join in select.args.get("joins") or ():
            if join.args.get("on") is not None:
                join.set("on", checker.check(join.args["on"]))
        select.set("expressions", [checker.check(each) for each in select.expressions])
        aliases = _aliases(select, checker)
        checker = Checker(Scope(relations, aliases, outer), self)
        for key in ("where", "group", "having", "qualify", "order", "distinct", "windows"):
            self._check_clause(select, key, checker)
            if key in _CONDITIONS and select.args.get(key) is not None:
                refuse_other_than_conditions(checker, select.args[key].this, key.upper())

    @staticmethod
    def _check_clause(select: exp.Select, key: str, checker: Checker) -> None:
        clause = select.args.get(key)
        for each in clause if isinstance(clause, list) else [clause]:
            if isinstance(each, exp.Expr):
                for child in list(each.iter_expressions()):
                    checked = checker.check(child)
                    if checked is not child:
                        child.replace(checked)

    def _add_relation(
        self, relations: dict[str, pa.Schema], relation: exp.Expr, outer: Scope | None
    ) -> None:
        if isinstance(relation, exp.Table):
            schema = self._tables.get(relation.name)
            if relation.name in self._named:
                schema = self._named[relation.name][1]
            if schema is not None:
                relations[relation.alias_or_name] = schema
            return
        if isinstance(relation, exp.Subquery):
            relation.set("this", self.check(relation.this, outer))
            schema = self._schema_of(relation.this)
        else:
            schema = self._asked(f"SELECT * FROM {write(relation)}", relation)
        alias = relation.args.get("alias")
        if alias is not None and alias.columns:
            schema = schema.rename([each.name for each in alias.columns])
        relations[relation.alias_or_name or f"ferris_relation_{len(relations)}"] = schema

    def _schema_of(self, query: exp.Expr) -> pa.Schema:
        return self._asked(write(query), query)

    def _asked(self, sql: str, query: exp.Expr) -> pa.Schema:
        names = {table.name for table in query.find_all(exp.Table)}
        needed = [write(named) for name, (named, _) in self._named.items() if name in names]
        own = query.args.get("with_")
        if needed and own is None:
            sql = f"WITH {', '.join(write(named) for named, _ in self._named.values())} {sql}"
        return planned_schema(sql, self._tables)


def _aliases(select: exp.Select, checker: Checker) -> dict[str, pa.DataType]:
    """Names of the SELECT list, which ORDER BY, GROUP BY and HAVING may use: where the FROM has no
    such column."""
    clauses = [select.args.get(key) for key in ("group", "having", "qualify", "order")]
    used = {
        column.name
        for clause in clauses
        if clause is not None
        for column in clause.find_all(exp.Column)
        if not column.table
    }
    return {
        each.alias: checker.type_of(each.this)
        for each in select.expressions
        if isinstance(each, exp.Alias)
        and each.alias in used
        and checker.scope.type_of(each.alias) is None
    }
