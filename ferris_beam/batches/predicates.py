"""Conditions on rows as a tree that stores can be told of in their own language.

What a `pyarrow.compute.Expression` says is parsed into a few kinds of nodes; parts of another kind
are not known, and stay with Arrow. Nodes mean what Arrow means by them: a comparison with NULL is
NULL, NaN equals nothing and is neither less nor greater, AND and OR are Kleene's, `IsIn` is never
NULL, and texts are compared by their bytes.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.batches import expressions
from ferris_beam.batches.expressions import Call, Field, Part, UnknownExpression, parts_of

Operator = Literal["=", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Predicate


@dataclass(frozen=True, slots=True)
class Constant:
    """TRUE or FALSE."""

    value: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """A column with a value that is not NULL."""

    column: str
    operator: Operator
    value: pa.Scalar


@dataclass(frozen=True, slots=True)
class IsNull:
    """Of floats: NaN is not NULL."""

    column: str


@dataclass(frozen=True, slots=True)
class IsIn:
    """Whether a column's value is one of these, none of which is NULL; false for NULL."""

    column: str
    values: pa.Array


@dataclass(frozen=True, slots=True)
class StartsWith:
    column: str
    prefix: str


Predicate: TypeAlias = "And | Or | Not | Constant | Comparison | IsNull | IsIn | StartsWith"

_OPERATORS: dict[str, Operator] = {
    "equal": "=",
    "not_equal": "!=",
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
}
_MIRRORED: dict[Operator, Operator] = {
    "=": "=",
    "!=": "!=",
    "<": ">",
    "<=": ">=",
    ">": "<",
    ">=": "<=",
}
_COMPARE: dict[Operator, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def parse(expression: pc.Expression) -> Predicate | None:
    """The condition as a tree; None where a part of it is not known.

    >>> parse((pc.field("a") > 5) & pc.field("b").is_valid())
    And(parts=(Comparison(column='a', operator='>', value=<pyarrow.Int64Scalar: 5>), \
Not(part=IsNull(column='b'))))
    >>> parse(pc.field("a") + 1 > 5) is None
    True
    """
    try:
        return _predicate(parts_of(expression))
    except UnknownExpression:
        return None


def conjuncts(expression: pc.Expression) -> list[Predicate | None]:
    """The parts that must all be true, None for each that is not known.

    A row that fulfils the expression fulfils each part; so a store may drop the others by the parts
    that it understands, and the whole expression is asked of what remains.
    """
    try:
        return [_known(part) for part in _flattened(parts_of(expression))]
    except UnknownExpression:
        return [None]


def to_expression(predicate: Predicate) -> pc.Expression:
    """The same as Arrow's expression."""
    match predicate:
        case And(parts):
            return reduce(operator.and_, map(to_expression, parts))
        case Or(parts):
            return reduce(operator.or_, map(to_expression, parts))
        case Not(part):
            return ~to_expression(part)
        case Constant(value):
            return pc.scalar(value)
        case Comparison(column, compare, value):
            return _COMPARE[compare](pc.field(column), value)
        case IsNull(column):
            return pc.field(column).is_null()
        case IsIn(column, values):
            return pc.field(column).isin(values)
        case StartsWith(column, prefix):
            return pc.starts_with(pc.field(column), prefix)


# ── parsing ─────────────────────────────────────────────────────────────────────────────────────


def _flattened(part: Part) -> Iterator[Part]:
    if isinstance(part, Call) and part.function == "and_kleene":
        for argument in part.arguments:
            yield from _flattened(argument)
    else:
        yield part


def _known(part: Part) -> Predicate | None:
    try:
        return _predicate(part)
    except UnknownExpression:
        return None


def _predicate(part: Part) -> Predicate:
    if isinstance(part, expressions.Literal):
        return _constant(part.value)
    if isinstance(part, Field):  # a column of booleans
        return Comparison(part.name, "=", pa.scalar(True))
    if part.function in _OPERATORS:
        return _comparison(_OPERATORS[part.function], part.arguments)
    parser = _PARSERS.get(part.function)
    if parser is None:
        raise UnknownExpression
    return parser(part)


def _constant(value: pa.Scalar) -> Predicate:
    if not pa.types.is_boolean(value.type) or not value.is_valid:
        raise UnknownExpression
    return Constant(value.as_py())


def _comparison(compare: Operator, sides: tuple[Part, ...]) -> Predicate:
    left, right = sides
    if isinstance(left, expressions.Literal):
        left, right, compare = right, left, _MIRRORED[compare]
    if not isinstance(left, Field) or not isinstance(right, expressions.Literal):
        raise UnknownExpression
    if not right.value.is_valid:
        raise UnknownExpression
    return Comparison(left.name, compare, right.value)


def _column(call: Call) -> str:
    (argument,) = call.arguments
    if not isinstance(argument, Field):
        raise UnknownExpression
    return argument.name


def _option(call: Call, name: str) -> Any:
    if call.options is None or name not in call.options:
        raise UnknownExpression
    return call.options[name]


def _is_null(call: Call) -> Predicate:
    if _option(call, "nan_is_null").as_py():
        raise UnknownExpression
    return IsNull(_column(call))


def _is_in(call: Call) -> Predicate:
    """Null matching 0 (a NULL among the values matches NULL) or 1 (SKIP: it matches nothing)."""
    given = _option(call, "value_set").values
    matching = _option(call, "null_matching_behavior").as_py()
    if matching not in (0, 1):
        raise UnknownExpression
    found = IsIn(_column(call), given.drop_null())
    return Or((found, IsNull(found.column))) if given.null_count and not matching else found


def _starts_with(call: Call) -> Predicate:
    if _option(call, "ignore_case").as_py():
        raise UnknownExpression
    return StartsWith(_column(call), _option(call, "pattern").as_py())


_PARSERS: dict[str, Callable[[Call], Predicate]] = {
    "and_kleene": lambda call: And(tuple(map(_predicate, call.arguments))),
    "or_kleene": lambda call: Or(tuple(map(_predicate, call.arguments))),
    "invert": lambda call: Not(_predicate(call.arguments[0])),
    "is_valid": lambda call: Not(IsNull(_column(call))),
    "is_null": _is_null,
    "is_in": _is_in,
    "starts_with": _starts_with,
}
