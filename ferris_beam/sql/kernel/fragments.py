"""A query over batches, planned: its text, what it reads, what it puts out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql import functions
from ferris_beam.sql.functions import UserFunction
from ferris_beam.sql.kernel.blame import planning_error
from ferris_beam.sql.kernel.checking import Checker, check_query
from ferris_beam.sql.kernel.guards import guarded, needs_guards
from ferris_beam.sql.kernel.normalising import normalised
from ferris_beam.sql.kernel.rendering import Refused, write
from ferris_beam.sql.kernel.seeding import ROW_NUMBER, reads_rows, seeded
from ferris_beam.sql.kernel.sessions import planned_schema
from ferris_beam.sql.kernel.types import plain
from ferris_beam.sql.text import SqlText

ROWS = "ferris_rows"
"""Stands in an input of which no column is read, so that it still has its rows."""
_ROW_NUMBER = pa.field(ROW_NUMBER, pa.int64())


@dataclass(frozen=True)
class Fragment:
    """``sql`` reads the tables ``input_0``, ``input_1``, …; ``inputs`` are the columns of each that
    it needs, by name and type; ``schema`` is exactly what it puts out. ``guarded`` is the form that
    is run when ``sql`` has failed for a row (`ferris_beam.sql.kernel.guards`; empty: the same)."""

    sql: str
    inputs: tuple[pa.Schema, ...]
    schema: pa.Schema
    guarded: str = ""
    deterministic: bool = True
    """Whether the rows alone decide the result: it has no NOW, RANDOM or UUID."""
    functions: tuple[UserFunction, ...] = ()
    """Those of the user's own that it calls."""

    def __hash__(self) -> int:
        return hash(self.sql)

    @property
    def description(self) -> str:
        """What it computes, the same in every process and changed when the result would be: the
        user's own functions count by what they do."""
        sql = self.sql
        for each in self.functions:
            sql = sql.replace(each.engine, repr(each))
        return f"{sql} {self.schema}"


def table_name(number: int) -> str:
    return f"input_{number}"


def fragment(
    select: exp.Query, inputs: Sequence[pa.Schema], text: SqlText | None = None
) -> Fragment:
    """Plans ``select`` over tables with these schemas; `SqlError` where it is wrong, with a caret
    under what doesn't fit if there is a ``text``."""
    tables = {table_name(number): _read(schema, select) for number, schema in enumerate(inputs)}
    try:
        engines, changes = seeded(functions.rewrite(normalised(select), text))
        if reads_rows(engines):
            tables[table_name(0)] = tables[table_name(0)].append(_ROW_NUMBER)
        checked = check_query(engines, tables)
        guarded_sql = write(guarded(checked.copy())) if needs_guards(checked) else ""
        sql = write(checked)
        planned = planned_schema(sql, tables, fully=True)
    except Refused as refused:
        raise refused.shown(text) from None
    except Exception as error:
        raise planning_error(error, select, tables, text) from error
    assert isinstance(checked, exp.Expression)
    users = functions.users_in(checked)
    return Fragment(
        sql,
        tuple(tables.values()),
        _result(planned),
        guarded_sql if guarded_sql != sql else "",
        not changes and not any(user.volatile for user in users),
        users,
    )


def is_deterministic(fragment: Fragment) -> bool:
    """Whether the same rows always give the same result: no NOW, RANDOM or UUID."""
    return fragment.deterministic


def types_of(
    expressions: Sequence[exp.Expr], schema: pa.Schema, text: SqlText | None = None
) -> list[pa.DataType]:
    """The type of each expression over rows of ``schema``; errors as `fragment`."""
    return [_type_of(expression, schema, text) for expression in expressions]


def _type_of(expression: exp.Expr, schema: pa.Schema, text: SqlText | None) -> pa.DataType:
    expression = expression.unalias()
    inner = expression.unnest()
    if isinstance(inner, exp.Column) and not inner.table:
        at = schema.get_field_index(inner.name)
        if at >= 0:
            return plain(schema.field(at).type)
    tables = {table_name(0): _read(schema, expression)}
    try:
        engines, _ = seeded(functions.rewrite(normalised(expression), text))
        if reads_rows(engines):
            tables[table_name(0)] = tables[table_name(0)].append(_ROW_NUMBER)
        checker = Checker(tables[table_name(0)])
        checked = checker.check(engines)
        return plain(checker.type_of(checked))
    except Refused as refused:
        raise refused.shown(text) from None
    except Exception as error:
        raise planning_error(error, expression, tables, text) from error


def _read(schema: pa.Schema, expression: exp.Expr) -> pa.Schema:
    """The columns of ``schema`` that the query names: wide inputs cost time for each column."""
    if expression.find(exp.Star) is not None and _has_star(expression):
        fields: Iterable[pa.Field] = schema
    else:
        named = {found.name for found in expression.find_all(exp.Column, exp.Identifier)}
        fields = [field for field in schema if field.name in named]
    found = [pa.field(field.name, plain(field.type)) for field in fields]
    return pa.schema(found or [pa.field(ROWS, pa.null())])


def _has_star(expression: exp.Expr) -> bool:
    return any(not isinstance(star.parent, exp.Count) for star in expression.find_all(exp.Star))


def _result(planned: pa.Schema) -> pa.Schema:
    return pa.schema([pa.field(field.name, plain(field.type)) for field in planned])
