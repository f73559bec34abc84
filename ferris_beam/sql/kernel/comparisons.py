"""Comparisons by types: a literal in quotes takes the type of the other side, as in PostgreSQL;
text and numbers are not compared otherwise, since 9 is less than 10 and '9' is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.types as pt
from sqlglot import exp

from ferris_beam.sql.kernel.expressions import cast_to, known_type, text_of
from ferris_beam.sql.kernel.rendering import Refused
from ferris_beam.sql.kernel.types import is_number, is_text, spoken

if TYPE_CHECKING:
    from ferris_beam.sql.kernel.checking import Checker


def check_comparison(checker: Checker, node: exp.Expr) -> exp.Expr:
    if not isinstance(node.expression, (exp.Any, exp.All)):
        _align(checker, node, [node.this, node.expression])
    return node


def check_between(checker: Checker, node: exp.Expr) -> exp.Expr:
    _align(checker, node, [node.this, node.args["low"], node.args["high"]])
    return node


def check_in(checker: Checker, node: exp.Expr) -> exp.Expr:
    if node.expressions:
        _align(checker, node, [node.this, *node.expressions])
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


def _align(checker: Checker, node: exp.Expr, sides: Sequence[exp.Expr]) -> None:
    types = [checker.type_of(side) for side in sides]
    first = next((given for given in types if not is_text(given) and not pt.is_null(given)), None)
    if first is None:
        return
    for side, given in zip(sides, types, strict=True):
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


def _has_literals(given: pa.DataType) -> bool:
    """Whether a text in quotes may stand for a value of this type."""
    return (
        is_number(given)
        or (pt.is_temporal(given) and not pt.is_duration(given))
        or pt.is_boolean(given)
    )
