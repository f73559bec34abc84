"""Comparisons by types: a literal in quotes takes the type of the other side, as in PostgreSQL;
text and numbers are not compared otherwise, since 9 is less than 10 and '9' is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.types as pt
from sqlglot import exp

from ferris_beam.sql.kernel.expressions import cast_to, known_type, micros_of, text_of
from ferris_beam.sql.kernel.rendering import Refused
from ferris_beam.sql.kernel.types import is_number, is_text, spoken

if TYPE_CHECKING:
    from ferris_beam.sql.kernel.checking import Checker


def check_comparison(checker: Checker, node: exp.Expr) -> exp.Expr:
    if not isinstance(node.expression, (exp.Any, exp.All)):
        align(checker, node, [node.this, node.expression])
    return node


def check_between(checker: Checker, node: exp.Expr) -> exp.Expr:
    align(checker, node, [node.this, node.args["low"], node.args["high"]])
    return node


def check_in(checker: Checker, node: exp.Expr) -> exp.Expr:
    if node.expressions:
        align(checker, node, [node.this, *node.expressions])
    return node


def check_logic(checker: Checker, node: exp.Expr) -> exp.Expr:
    """AND, OR and NOT."""
    for side in node.iter_expressions():
        refuse_other_than_conditions(checker, side, node.key.upper())
    return node


def refuse_other_than_conditions(checker: Checker, node: exp.Expr, place: str) -> None:
    """A number is no condition; what the engine has to be asked about, it refuses itself."""
    found = known_type(node, checker.scope)
    if found is not None and not pt.is_boolean(found) and not pt.is_null(found):
        raise Refused(
            f"{place} needs a condition, and this is a value of type {spoken(found)}",
            node,
            "compare it with something",
        )


def align(checker: Checker, node: exp.Expr, sides: Sequence[exp.Expr]) -> None:
    """A text in quotes takes the type of the other sides, which have to fit together."""
    types = [checker.type_of(side) for side in sides]
    if any(map(_is_span, types)):
        _as_durations(node, sides, types)
        return
    first = next((given for given in types if not is_text(given) and not pt.is_null(given)), None)
    if first is None:
        return
    moments = any(map(pt.is_timestamp, types))
    for side, given in zip(sides, types, strict=True):
        if moments and pt.is_date(given):
            side.replace(cast_to(side.copy(), pa.timestamp("us")))
        if not is_text(given):
            continue
        if text_of(side) is not None and _has_literals(first):
            side.replace(cast_to(side.copy(), first))
        elif is_number(first):
            raise Refused(
                f"{spoken(given)} and {spoken(first)} can't be compared",
                node,
                f"convert one of the two: CAST(… AS {spoken(first)})",
            )


def _is_span(given: pa.DataType) -> bool:
    return pt.is_interval(given) or pt.is_duration(given)


def _as_durations(node: exp.Expr, sides: Sequence[exp.Expr], types: Sequence[pa.DataType]) -> None:
    """Intervals are compared by their length: DataFusion would compare days first, then hours."""
    for side, given in zip(sides, types, strict=True):
        if pt.is_duration(given) or pt.is_null(given):
            continue
        length = micros_of(side)
        if length is None:
            raise Refused(
                "intervals are compared by their length, which is known of literals without "
                "months and years",
                side,
                "compare extract(epoch FROM …)",
            )
        side.replace(cast_to(exp.Literal.number(length), pa.duration("us")))


def _has_literals(given: pa.DataType) -> bool:
    """Whether a text in quotes may stand for a value of this type."""
    return (
        is_number(given)
        or (pt.is_temporal(given) and not pt.is_duration(given))
        or pt.is_boolean(given)
    )
