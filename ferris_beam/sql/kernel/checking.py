"""Replaces what could give a wrong number by what fails, according to the types of operands.

Types are found from the leaves up: those of columns and literals are known, those of arithmetic
follow from its operands, and the engine is asked for the others (a function's result).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql import functions
from ferris_beam.sql.kernel import arithmetic, cases, casts, comparisons, subscripts
from ferris_beam.sql.kernel.expressions import known_type, set_type
from ferris_beam.sql.kernel.rendering import Refused, write
from ferris_beam.sql.kernel.scope import Scope
from ferris_beam.sql.kernel.sessions import planned_schema
from ferris_beam.sql.kernel.types import plain

if TYPE_CHECKING:
    from ferris_beam.sql.kernel.queries import QueryChecker

_Handler = Callable[["Checker", exp.Expr], exp.Expr]
_AROUND_AGGREGATES = (exp.Window, exp.Filter, exp.IgnoreNulls, exp.RespectNulls)


class Checker:
    """Checks expressions over the columns of one scope. Changes what it is given."""

    def __init__(self, names: pa.Schema | Scope, queries: QueryChecker | None = None) -> None:
        self.scope = names if isinstance(names, Scope) else Scope({"input_0": names})
        self._queries = queries

    def check(self, node: exp.Expr) -> exp.Expr:
        """What stands for ``node``, in which nothing wraps around."""
        if isinstance(node, exp.Query):
            return self._queries.check(node, self.scope) if self._queries is not None else node
        if isinstance(node, exp.Anonymous) and any(
            isinstance(each, exp.Lambda) for each in node.expressions
        ):
            return self._check_lambdas(node)
        aggregate = _aggregate_in(node)
        for child in list(node.iter_expressions()):
            checked = self._check_inner(child, aggregate)
            if checked is not child:
                child.replace(checked)
        if isinstance(aggregate, exp.Sum):
            return arithmetic.check_sum(self, node, aggregate)
        handler = _HANDLERS.get(type(node))
        return handler(self, node) if handler is not None else node

    def _check_inner(self, child: exp.Expr, aggregate: exp.Expr) -> exp.Expr:
        """Leaves the aggregate that a window stands around to the window."""
        if child is not aggregate and _aggregate_in(child) is not aggregate:
            return self.check(child)
        for inner in list(child.iter_expressions()):
            checked = self._check_inner(inner, aggregate)
            if checked is not inner:
                inner.replace(checked)
        return child

    def _check_lambdas(self, node: exp.Anonymous) -> exp.Expr:
        checked: list[exp.Expr] = []
        item: pa.DataType | None = None
        for argument in node.expressions:
            if isinstance(argument, exp.Lambda):
                names = [each.name for each in argument.expressions]
                given = {name: item if item is not None else pa.null() for name in names}
                inner = Checker(self.scope.with_parameters(given), self._queries)
                argument.set("this", inner.check(argument.this))
                checked.append(argument)
                continue
            checked.append(self.check(argument))
            found = self.type_of(checked[-1])
            item = found.value_type if hasattr(found, "value_type") else item
        node.set("expressions", checked)
        return node

    def type_of(self, node: exp.Expr, fully: bool = False) -> pa.DataType:
        """The type of an expression that was checked; raises the engine's own exception."""
        known = None if fully else known_type(node, self.scope)
        if known is None:
            known = plain(self._asked(node, fully))
            set_type(node, known)
        return known

    def _asked(self, node: exp.Expr, fully: bool) -> pa.DataType:
        tables = self.scope.tables_for(node)
        if self._queries is not None:
            tables = {**self._queries.tables_in(node), **tables}
        relations = ", ".join(f'"{alias}"' for alias in self.scope.tables_for(node))
        sql = f"SELECT {write(node)} AS value" + (f" FROM {relations}" if relations else "")
        found: pa.DataType = planned_schema(sql, tables, fully).field(0).type
        return found


def _aggregate_in(node: exp.Expr) -> exp.Expr:
    """The aggregate itself, of a window or a filter around one; else ``node``."""
    while isinstance(node, _AROUND_AGGREGATES):
        node = node.this
    return node


def check_query(query: exp.Expr, tables: Mapping[str, pa.Schema]) -> exp.Expr:
    """``query`` (which is changed) over ``tables``, checked and guarded."""
    from ferris_beam.sql.kernel.queries import QueryChecker

    return QueryChecker(tables).check(query)


def _check_call(checker: Checker, node: exp.Expr) -> exp.Expr:
    """A function, whose expression may depend on the types of its arguments."""
    assert isinstance(node, exp.Expression)
    try:
        by_type = functions.by_type(node, checker.type_of)
    except ValueError as error:
        raise Refused(str(error), node) from None
    return subscripts.check_call(checker, node) if by_type is None else by_type


_HANDLERS: dict[type[exp.Expr], _Handler] = {
    exp.Anonymous: _check_call,
    exp.Add: arithmetic.check_binary,
    exp.Sub: arithmetic.check_binary,
    exp.Mul: arithmetic.check_binary,
    exp.Div: arithmetic.check_division,
    exp.IntDiv: arithmetic.check_division,
    exp.Mod: arithmetic.check_modulo,
    exp.Neg: arithmetic.check_negation,
    exp.Cast: casts.check_cast,
    exp.TryCast: casts.check_cast,
    exp.AtTimeZone: casts.check_zone,
    exp.Bracket: subscripts.check_bracket,
    exp.Dot: subscripts.check_dot,
    exp.Column: subscripts.check_column,
    exp.Case: cases.check_case,
    exp.If: cases.check_if,
    exp.And: comparisons.check_logic,
    exp.Or: comparisons.check_logic,
    exp.Not: comparisons.check_logic,
    exp.In: comparisons.check_in,
    exp.Between: comparisons.check_between,
    **dict.fromkeys(
        (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ),
        comparisons.check_comparison,
    ),
}
