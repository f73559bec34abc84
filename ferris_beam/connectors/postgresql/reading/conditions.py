"""Predicates as SQL, where PostgreSQL means the same by it as Arrow.

Values are literals that psycopg quotes, each with its type. What differs stays with Arrow: a
function that returns None says that. Where they differ only in a corner, the SQL says the corner:

- PostgreSQL's NaN equals itself and is greater than all numbers, Arrow's fits no comparison.
- Texts are compared by a column's collation, in Arrow by their bytes, as under COLLATE "C".
- ``x IN (…)`` of NULL is NULL, Arrow's is false: the same, except within NOT.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.types as pt
from psycopg import sql

from ferris_beam.batches.predicates import (
    And,
    Comparison,
    Constant,
    IsIn,
    IsNull,
    Not,
    Operator,
    Or,
    Predicate,
    StartsWith,
)
from ferris_beam.connectors.postgresql.types import Column

_INTEGERS = ("int2", "int4", "int8")
_TEXTS = ("text", "varchar")
_EXACT_FLOATS = 2**53
_INT64 = 2**63
_MOST_VALUES = 1000
"""Of an IN: a statement has an end."""


class _Differs(Exception):
    """PostgreSQL would mean something else by it, or can't say it."""


def condition_of(
    predicate: Predicate, columns: Mapping[str, Column], *, utf8: bool = True
) -> sql.Composable | None:
    """The condition of a WHERE that keeps exactly the rows that Arrow's filter keeps.

    ``utf8``: the server keeps texts as UTF-8, so that their order by bytes is Arrow's.
    """
    try:
        return _Rendering(columns, utf8).render(predicate, exact=False)
    except _Differs:
        return None


@dataclass(frozen=True)
class _Rendering:
    columns: Mapping[str, Column]
    utf8: bool

    def render(self, predicate: Predicate, *, exact: bool) -> sql.Composable:
        """``exact``: false and NULL are told apart, since a NOT stands above."""
        match predicate:
            case And(parts):
                return self._joined(" AND ", parts, exact)
            case Or(parts):
                return self._joined(" OR ", parts, exact)
            case Not(IsNull(column)):
                return self._null_test(column, "IS DISTINCT FROM NULL", "IS NOT NULL")
            case Not(part):
                return sql.SQL("(NOT {})").format(self.render(part, exact=True))
            case Constant(value):
                return sql.SQL("TRUE" if value else "FALSE")
            case IsNull(column):
                return self._null_test(column, "IS NOT DISTINCT FROM NULL", "IS NULL")
            case IsIn(column, values):
                found = self._membership(self._column(column), values)
                return sql.SQL("({} IS TRUE)").format(found) if exact else found
            case StartsWith(column, prefix):
                return self._prefix(self._column(column), prefix)
            case Comparison(column, compare, value):
                return self._comparison(self._column(column), compare, value)

    def _joined(self, word: str, parts: tuple[Predicate, ...], exact: bool) -> sql.Composable:
        rendered = [self.render(part, exact=exact) for part in parts]
        return sql.SQL("({})").format(sql.SQL(word).join(rendered))

    def _column(self, name: str) -> Column:
        column = self.columns.get(name)
        if column is None:
            raise _Differs
        return column

    def _null_test(self, name: str, of_rows: str, of_scalars: str) -> sql.Composable:
        """A composite IS NULL where all of its fields are."""
        column = self._column(name)
        test = of_rows if column.base.kind == "composite" else of_scalars
        return sql.SQL("({} {})").format(sql.Identifier(name), sql.SQL(test))

    # ── comparisons ─────────────────────────────────────────────────────────────────────────

    def _comparison(self, column: Column, compare: Operator, value: pa.Scalar) -> sql.Composable:
        kind = _kind(column)
        literal = _LITERALS[kind](column, value)
        name = sql.Identifier(column.name)
        word = sql.SQL("<>" if compare == "!=" else compare)
        if kind == "text":
            return self._text(name, compare, word, literal)
        if kind == "enum":
            return self._enum(name, compare, word, literal)
        if kind == "bool" and compare not in ("=", "!="):
            raise _Differs
        found = sql.SQL("({} {} {})").format(name, word, literal)
        if kind == "float" and compare in (">", ">="):
            return sql.SQL("({} AND {} <> 'NaN')").format(found, name)
        return found

    def _text(
        self, name: sql.Identifier, compare: Operator, word: sql.SQL, literal: sql.Composable
    ) -> sql.Composable:
        """A collation may call texts equal whose bytes differ, but never the other way round: the
        first part of an equality lets an index help."""
        if compare not in ("=", "!=") and not self.utf8:
            raise _Differs
        exact = sql.SQL('({} COLLATE "C" {} {})').format(name, word, literal)
        if compare != "=":
            return exact
        return sql.SQL("({} = {} AND {})").format(name, literal, exact)

    @staticmethod
    def _enum(
        name: sql.Identifier, compare: Operator, word: sql.SQL, literal: sql.Composable
    ) -> sql.Composable:
        """Enums are ordered as they were declared, and know no other text."""
        if compare not in ("=", "!="):
            raise _Differs
        return sql.SQL('({}::text COLLATE "C" {} {})').format(name, word, literal)

    def _membership(self, column: Column, values: pa.Array) -> sql.Composable:
        if len(values) > _MOST_VALUES or values.type != column.type:  # Arrow would cast them
            raise _Differs
        if not len(values):
            return sql.SQL("({} AND FALSE)").format(
                self._null_test(column.name, "IS DISTINCT FROM NULL", "IS NOT NULL")
            )
        kind = _kind(column)
        literals = sql.SQL(", ").join(_LITERALS[kind](column, value) for value in values)
        name = sql.Identifier(column.name)
        if kind == "enum":
            return sql.SQL('({}::text COLLATE "C" IN ({}))').format(name, literals)
        found = sql.SQL("({} IN ({}))").format(name, literals)
        if kind == "text":
            return sql.SQL('({} AND {} COLLATE "C" IN ({}))').format(found, name, literals)
        return found

    @staticmethod
    def _prefix(column: Column, prefix: str) -> sql.Composable:
        if _kind(column) != "text" or "\0" in prefix:
            raise _Differs
        name, literal = sql.Identifier(column.name), sql.Literal(prefix)
        return sql.SQL('({} COLLATE "C" ^@ {})').format(name, literal)


def _kind(column: Column) -> str:
    """How values of a column are compared; `_Differs` where not as in Arrow."""
    base, name = column.base, column.base.name
    if base.kind == "enum":
        return "enum"
    if base.kind != "scalar" or not base.builtin or column.cast:
        raise _Differs
    if name in _INTEGERS:
        return "integer"
    if name in ("float4", "float8"):
        return "float"
    if name in _TEXTS:
        return "text"
    if name == "numeric" and pt.is_decimal(column.type):
        return "decimal"
    if name in _LITERALS:
        return name
    raise _Differs


# ── literals ────────────────────────────────────────────────────────────────────────────────────


def _typed(value: Any, kind: str) -> sql.Composable:
    return sql.SQL("{}::{}").format(sql.Literal(str(value)), sql.SQL(kind))


def _integer(_: Column, value: pa.Scalar) -> sql.Composable:
    if not pt.is_integer(value.type) or not -_INT64 <= value.as_py() < _INT64:
        raise _Differs
    return _typed(value.as_py(), "int8")


def _float(column: Column, value: pa.Scalar) -> sql.Composable:
    """Arrow compares float32 with integers as float32, with float64 as float64, as the server."""
    wide = column.base.name == "float8"
    number = value.as_py()
    if pt.is_integer(value.type) and wide and abs(number) <= _EXACT_FLOATS:
        return _typed(float(number), "float8")
    if not (pt.is_float32(value.type) or pt.is_float64(value.type)) or math.isnan(number):
        raise _Differs
    return _typed(number, "float8")


def _decimal(_: Column, value: pa.Scalar) -> sql.Composable:
    if not pt.is_decimal(value.type):
        raise _Differs
    return _typed(format(value.as_py(), "f"), "numeric")


def _text(_: Column, value: pa.Scalar) -> sql.Composable:
    if not (pt.is_string(value.type) or pt.is_large_string(value.type)) or "\0" in value.as_py():
        raise _Differs
    return _typed(value.as_py(), "text")


def _uuid(_: Column, value: pa.Scalar) -> sql.Composable:
    """Only of its canonical text: any other one equals none of Arrow's texts."""
    text = value.as_py()
    try:
        canonical = isinstance(text, str) and str(uuid.UUID(text)) == text
    except ValueError:
        canonical = False
    if not canonical:
        raise _Differs
    return _typed(text, "uuid")


def _bool(_: Column, value: pa.Scalar) -> sql.Composable:
    if not pt.is_boolean(value.type):
        raise _Differs
    return sql.SQL("TRUE" if value.as_py() else "FALSE")


def _bytea(_: Column, value: pa.Scalar) -> sql.Composable:
    if not (pt.is_binary(value.type) or pt.is_large_binary(value.type)):
        raise _Differs
    return _typed("\\x" + value.as_py().hex(), "bytea")


def _date(_: Column, value: pa.Scalar) -> sql.Composable:
    if not pt.is_date32(value.type):
        raise _Differs
    return _typed(_moment(value.cast(pa.timestamp("s"))).date().isoformat(), "date")


def _timestamp(column: Column, value: pa.Scalar) -> sql.Composable:
    """Both with a time zone, or both without."""
    zoned = column.base.name == "timestamptz"
    if not pt.is_timestamp(value.type) or (value.type.tz is not None) != zoned:
        raise _Differs
    text = _moment(value).isoformat()
    return _typed(text + ("+00" if zoned else ""), "timestamptz" if zoned else "timestamp")


def _moment(value: pa.Scalar) -> Any:
    """Years from 1 to 9999, whole microseconds."""
    instant = pa.scalar(value.cast(pa.int64()).as_py(), pa.timestamp(value.type.unit))
    try:
        return instant.cast(pa.timestamp("us")).as_py()
    except (ValueError, OverflowError) as error:  # ArrowInvalid is a ValueError
        raise _Differs from error


def _time(_: Column, value: pa.Scalar) -> sql.Composable:
    if not pt.is_time(value.type):
        raise _Differs
    try:
        return _typed(value.cast(pa.time64("us")).as_py().isoformat(), "time")
    except ValueError as error:
        raise _Differs from error


_LITERALS: dict[str, Callable[[Column, pa.Scalar], sql.Composable]] = {
    "integer": _integer,
    "float": _float,
    "decimal": _decimal,
    "text": _text,
    "enum": _text,
    "uuid": _uuid,
    "bool": _bool,
    "bytea": _bytea,
    "date": _date,
    "timestamp": _timestamp,
    "timestamptz": _timestamp,
    "time": _time,
}
