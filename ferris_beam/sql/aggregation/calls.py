"""One call of an aggregate function, as the query has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.functions import UserAggregate, registry
from ferris_beam.sql.functions.typed import name_and_arguments
from ferris_beam.sql.nodes import Ordering
from ferris_beam.sql.text import SqlText


@dataclass(frozen=True)
class Call:
    """``name(DISTINCT arguments ORDER BY order) FILTER (WHERE where)``, of type ``type``.

    ``name`` is the registry's; ``expression`` the whole, as it was written.
    """

    name: str
    arguments: tuple[exp.Expression, ...]
    type: pa.DataType
    expression: exp.Expression
    distinct: bool = False
    order: tuple[Ordering, ...] = ()
    where: exp.Expression | None = None
    ignore_nulls: bool = False
    user: UserAggregate | None = None
    """The user's own function, if it is one."""
    text: SqlText = field(default=SqlText(""))

    def number(self, place: int) -> float:
        """The argument at ``place``, which must be a literal number."""
        argument = self.arguments[place]
        sign = -1 if isinstance(argument, exp.Neg) else 1
        literal = argument.this if isinstance(argument, exp.Neg) else argument
        while isinstance(literal, (exp.Paren, exp.Cast)):
            literal = literal.this
        if not isinstance(literal, exp.Literal) or literal.is_string:
            raise self.text.error(f"{self.name} takes a literal number here", argument)
        return sign * float(Decimal(literal.this))

    def string(self, place: int, default: str) -> str:
        """The argument at ``place``, which must be a literal text; ``default`` without one."""
        if place >= len(self.arguments):
            return default
        literal = self.arguments[place]
        if not (isinstance(literal, exp.Literal) and literal.is_string):
            raise self.text.error(f"{self.name} takes a literal text here", literal)
        return str(literal.this)


_OTHER_NAMES = {
    **dict.fromkeys(
        ("json_agg", "json_array_agg", "json_arrayagg", "jsonb_agg", "j_s_o_n_array_agg"),
        "json_group_array",
    ),
    **dict.fromkeys(
        ("json_object_agg", "json_objectagg", "jsonb_object_agg", "j_s_o_n_object_agg",
         "j_s_o_n_b_object_agg"),
        "json_group_object",
    ),
}  # fmt: skip


def call_of(expression: exp.Expression, kind: pa.DataType, text: SqlText | None = None) -> Call:
    """Reads FILTER, WITHIN GROUP, IGNORE NULLS, DISTINCT and ORDER BY off an expression."""
    text = text or SqlText("")
    where: exp.Expression | None = None
    order: list[exp.Expression] = []
    ignore_nulls = False
    inner = expression
    while isinstance(inner, (exp.Filter, exp.WithinGroup, exp.IgnoreNulls, exp.RespectNulls)):
        if isinstance(inner, exp.Filter):
            where = inner.expression.this
        elif isinstance(inner, exp.WithinGroup):
            order = inner.expression.expressions
        elif isinstance(inner, exp.IgnoreNulls):
            ignore_nulls = True
        inner = inner.this
    found = name_and_arguments(inner)
    if found is None:
        raise text.error(f"{expression.sql()} is no aggregate function", expression)
    name, given = found
    function = registry.find(name)
    arguments, distinct, own_order = _unwrapped(given)
    return Call(
        name=function.name if function else _OTHER_NAMES.get(name.lower(), name.lower()),
        arguments=tuple(arguments),
        type=kind,
        expression=expression,
        distinct=distinct,
        order=tuple(_ordering(item) for item in own_order or order),
        where=where,
        ignore_nulls=ignore_nulls,
        user=function.user if function and isinstance(function.user, UserAggregate) else None,
        text=text,
    )


def _unwrapped(
    given: list[exp.Expression],
) -> tuple[list[exp.Expression], bool, list[exp.Expression]]:
    """The arguments without DISTINCT and ORDER BY, which sqlglot wraps around them."""
    distinct, order, arguments = False, [], []
    for argument in given:
        if isinstance(argument, exp.Order):
            order = argument.expressions
            argument = argument.this
        if isinstance(argument, exp.Distinct):
            distinct = True
            inner = list(argument.expressions)
            if len(inner) == 1 and isinstance(inner[0], exp.Order):
                order = inner[0].expressions
                inner = [inner[0].this]
            arguments.extend(inner)
        elif not isinstance(argument, exp.Star):
            arguments.append(argument)
    return arguments, distinct, order


def _ordering(item: exp.Expression) -> Ordering:
    if isinstance(item, exp.Ordered):
        return Ordering(item.this, bool(item.args.get("desc")), bool(item.args.get("nulls_first")))
    return Ordering(item)
