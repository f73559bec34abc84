"""Expressions and queries as DataFusion reads them.

Only what is known is written: a function or an operator that has no counterpart here is refused by
its name, since sqlglot would guess one. What depends on types (checked arithmetic, casts, access
to maps) was replaced before, by `ferris_beam.sql.kernel.checking`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.generator import Generator

from ferris_beam.errors import SqlError
from ferris_beam.sql import functions
from ferris_beam.sql.functions.typed import arguments
from ferris_beam.sql.kernel.patterns import similar_to_regex, with_backslashes
from ferris_beam.sql.kernel.types import arrow_name, arrow_type
from ferris_beam.sql.text import SqlText


class Refused(Exception):
    """There is no way to compute ``node``; shown to users as a `SqlError` with a caret."""

    def __init__(self, message: str, node: exp.Expr, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.node = node
        self.hint = hint

    def shown(self, text: SqlText | None) -> SqlError:
        return (text or SqlText("")).error(self.message, self.node if text else None, self.hint)


def render(expression: exp.Expr) -> str:
    """DataFusion's SQL for one of our expressions or queries; `SqlError` for what it can't do.

    >>> from sqlglot import parse_one
    >>> render(parse_one("CAST(a AS INTEGER) % 3"))
    'arrow_cast("a", \\'Int32\\') % 3'
    """
    from ferris_beam.sql.kernel.normalising import normalised

    try:
        return write(functions.rewrite(normalised(expression)))
    except Refused as refused:
        raise refused.shown(None) from None


def write(expression: exp.Expr) -> str:
    """The text of an expression whose functions are the engine's already."""
    return _generator().generate(expression, copy=False)


def call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    """A call of one of DataFusion's functions."""
    return exp.Anonymous(this=name, expressions=list(arguments))


class DataFusion(Dialect):
    """DataFusion's SQL, as far as we write it; nothing is parsed by it."""

    INDEX_OFFSET = 1
    NULL_ORDERING = "nulls_are_large"
    TYPED_DIVISION = True
    SAFE_DIVISION = False


_STRUCTURE: tuple[type[exp.Expr], ...] = (
    exp.And, exp.Or, exp.Case, exp.If, exp.Cast, exp.TryCast, exp.Coalesce, exp.Nullif,
    exp.Exists, exp.Array, exp.Struct, exp.ToMap, exp.Anonymous, exp.RegexpLike, exp.RegexpILike,
    exp.Explode, exp.AtTimeZone,
)  # fmt: skip
"""What sqlglot counts as functions, and is written here as SQL's own syntax."""


class DataFusionGenerator(Generator):
    """Writes one expression; every identifier in quotes, every type by Arrow's name."""

    TRANSFORMS: ClassVar[dict[Any, Callable[..., str]]] = {
        **Generator.TRANSFORMS,
        exp.Cast: lambda self, node: self.cast_as(node, "arrow_cast"),
        exp.TryCast: lambda self, node: self.cast_as(node, "arrow_try_cast"),
        exp.Div: lambda self, node: self.binary(node, "/"),
        exp.IntDiv: lambda self, node: self.binary(node, "/"),
        exp.BitwiseXor: lambda self, node: self.binary(node, "^"),
        exp.Pow: lambda self, node: self.func("power", node.this, node.expression),
        exp.RegexpLike: lambda self, node: self.binary(node, "~"),
        exp.RegexpILike: lambda self, node: self.binary(node, "~*"),
        exp.Explode: lambda self, node: self.func("unnest", node.this),
        exp.NullSafeEQ: lambda self, node: self.binary(node, "IS NOT DISTINCT FROM"),
        exp.NullSafeNEQ: lambda self, node: self.binary(node, "IS DISTINCT FROM"),
    }
    SUPPORTS_TABLE_ALIAS_COLUMNS = True
    PARAMETER_TOKEN = "$"

    def sql(self, expression: Any, key: str | None = None, comment: bool = True) -> str:
        if key is None and isinstance(expression, exp.Func):
            return self._function(expression)
        return str(super().sql(expression, key=key, comment=False))

    def _function(self, node: exp.Func) -> str:
        if isinstance(node, (*_STRUCTURE, exp.Query)):
            return str(super().sql(node, comment=False))
        return self.aggregate(node)

    def aggregate(self, node: exp.Func) -> str:
        """An aggregate or window function that has a class of its own."""
        assert isinstance(node, exp.Expression)
        known = functions.of(node)
        if known is None or known.kind == "scalar":
            raise Refused(f"there is no function {node.sql_name().lower()}", node)
        written = known.call(arguments(node))
        if isinstance(written, exp.Anonymous):
            return self.anonymous_sql(written)
        return str(super().sql(written, comment=False))

    def unsupported(self, message: str) -> None:
        raise SqlError(f"{message}: this can't be computed")

    def anonymous_sql(self, expression: exp.Anonymous) -> str:
        return self.func(expression.name, *expression.expressions)

    def literal_sql(self, expression: exp.Literal) -> str:
        text = expression.name
        if expression.is_string:
            return "'" + text.replace("'", "''") + "'"
        if "e" in text.lower():
            if math.isinf(float(text)):
                raise Refused(f"{text} does not fit DOUBLE", expression)
            return f"arrow_cast('{text}', 'Float64')"
        return text

    def identifier_sql(self, expression: exp.Identifier) -> str:
        return '"' + expression.name.replace('"', '""') + '"'

    def cast_as(self, node: exp.Cast, function: str) -> str:
        try:
            wanted = arrow_type(node.to)
        except ValueError as error:
            raise Refused(str(error), node, "docs/sql.md lists the types") from None
        return f"{function}({self.sql(node.this)}, '{_quoted(arrow_name(wanted))}')"

    def interval_sql(self, expression: exp.Interval) -> str:
        count, unit = expression.this, expression.args.get("unit")
        if count is None or isinstance(unit, exp.IntervalSpan):
            raise Refused("an interval needs a count and one unit: INTERVAL '1' DAY", expression)
        name = unit.name.lower().rstrip("s") if unit is not None else ""
        inner = count.this if isinstance(count, exp.Neg) else count
        if not isinstance(inner, exp.Literal):
            return f"to_{name}s({self.sql(count)})"
        sign = "-" if inner is not count else ""
        return f"INTERVAL '{_quoted(f'{sign}{inner.name} {name}'.strip())}'"

    def between_sql(self, expression: exp.Between) -> str:
        if expression.args.get("symmetric"):
            raise Refused("BETWEEN SYMMETRIC is not supported", expression, "order the two bounds")
        low, high = self.sql(expression, "low"), self.sql(expression, "high")
        return f"{self.sql(expression, 'this')} BETWEEN {low} AND {high}"

    def bracket_sql(self, expression: exp.Bracket) -> str:
        if len(expression.expressions) != 1:
            raise Refused("one subscript is needed", expression)
        (index,) = expression.expressions
        if isinstance(index, exp.Slice):
            return self._slice(expression.this, index)
        if index.is_string:
            return self.func("get_field", expression.this, index)
        return self.func("array_element", expression.this, index)

    def _slice(self, items: exp.Expr, borders: exp.Slice) -> str:
        first = borders.this or exp.Literal.number(1)
        last = borders.expression or exp.Literal.number(-1)
        if borders.args.get("step") is None:
            return self.func("array_slice", items, first, last)
        return self.func("array_slice", items, first, last, borders.args["step"])

    def dot_sql(self, expression: exp.Dot) -> str:
        name = exp.Literal.string(expression.expression.name)
        return self.func("get_field", expression.this, name)

    def array_sql(self, expression: exp.Array) -> str:
        return self.func("make_array", *expression.expressions)

    def struct_sql(self, expression: exp.Struct) -> str:
        parts: list[exp.Expr] = []
        for number, item in enumerate(expression.expressions):
            name, value = _named(item, number)
            parts += [exp.Literal.string(name), value]
        return self.func("named_struct", *parts)

    def tomap_sql(self, expression: exp.ToMap) -> str:
        items = expression.this.expressions
        keys = exp.Array(expressions=[_key(item) for item in items])
        values = exp.Array(expressions=[item.expression.copy() for item in items])
        return self.func("map", keys, values)

    def func(self, name: str, *args: Any, **_: Any) -> str:
        return f"{name}({', '.join(self._argument(each) for each in args if each is not None)})"

    def _argument(self, node: exp.Expr) -> str:
        """``f(a = b)`` would be an argument's name and its value."""
        return f"({self.sql(node)})" if isinstance(node, exp.EQ) else self.sql(node)

    def ordered_sql(self, expression: exp.Ordered) -> str:
        descending = bool(expression.args.get("desc"))
        first = expression.args.get("nulls_first")
        first = descending if first is None else bool(first)
        direction = "DESC" if descending else "ASC"
        return f"{self.sql(expression.this)} {direction} NULLS {'FIRST' if first else 'LAST'}"

    def similarto_sql(self, expression: exp.SimilarTo) -> str:
        pattern = expression.expression
        if not isinstance(pattern, exp.Literal) or not pattern.is_string:
            raise Refused("SIMILAR TO needs a pattern in quotes", expression)
        regex = exp.Literal.string(similar_to_regex(pattern.name))
        return f"{self.sql(expression.this)} ~ {self.sql(regex)}"

    def escape_sql(self, expression: exp.Escape) -> str:
        """DataFusion knows the backslash only."""
        like, escape = expression.this.copy(), expression.expression
        pattern = like.expression
        literals = isinstance(pattern, exp.Literal) and isinstance(escape, exp.Literal)
        if not literals or len(escape.name) > 1:
            raise Refused("ESCAPE needs a pattern and one character, both in quotes", expression)
        escaped = with_backslashes(pattern.name, escape.name)
        like.set("expression", exp.Literal.string(escaped))
        return self.sql(like)

    def bitwisenot_sql(self, expression: exp.BitwiseNot) -> str:
        return f"(-1 ^ ({self.sql(expression.this)}))"

    def attimezone_sql(self, expression: exp.AtTimeZone) -> str:
        raise Refused("AT TIME ZONE needs a timestamp and the name of a zone", expression)

    def lambda_sql(self, expression: exp.Lambda, *_: Any, **__: Any) -> str:
        names = ", ".join(self.sql(each) for each in expression.expressions)
        names = f"({names})" if len(expression.expressions) > 1 else names
        return f"{names} -> {self.sql(expression.this)}"

    def placeholder_sql(self, expression: exp.Placeholder) -> str:
        raise Refused("a parameter has no value here", expression, "set it with --set name=value")


def _generator() -> DataFusionGenerator:
    return DataFusionGenerator(dialect=DataFusion(), comments=False, normalize_functions=False)


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _named(item: exp.Expr, number: int) -> tuple[str, exp.Expr]:
    if isinstance(item, exp.PropertyEQ):
        return item.this.name, item.expression
    return (item.alias_or_name or f"c{number}"), item.unalias()


def _key(item: exp.Expr) -> exp.Expr:
    key = item.this
    if isinstance(key, exp.Identifier):
        return exp.Literal.string(key.name)
    copied: exp.Expr = key.copy()
    return copied
