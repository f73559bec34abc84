"""Calls of functions as the engine spells them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
from sqlglot import exp

from ferris_beam.errors import SqlError
from ferris_beam.sql.functions import registry
from ferris_beam.sql.functions.definition import Function
from ferris_beam.sql.functions.paths import path_literal
from ferris_beam.sql.functions.typed import name_and_arguments
from ferris_beam.sql.text import SqlText


def rewrite(
    expression: exp.Expression,
    text: SqlText | None = None,
) -> exp.Expression:
    """A copy in which each scalar function's call is the engine's (``exp.Anonymous`` of the
    engine's name, or an expression of plain SQL).

    Aggregates and window functions that have a class of their own keep it. Raises `SqlError` for
    a function that nobody knows, and for one with too few or too many arguments; with ``text`` it
    shows where.
    """
    result = expression.copy()
    nodes: list[Any] = list(result.walk())
    for node in reversed(nodes):
        if isinstance(node, exp.JSONPath):
            replacement: exp.Expression = path_literal(node)
        else:
            replacement = _engine_call(node, text)
        if replacement is node:
            continue
        replacement.meta.update(node.meta)
        if node is result:
            result = replacement
        else:
            node.replace(replacement)
    return result


def _engine_call(node: exp.Expression, text: SqlText | None) -> exp.Expression:
    call = name_and_arguments(node)
    if call is None:
        return node
    name, arguments = call
    function = registry.find(name)
    if function is None:
        if isinstance(node, exp.Anonymous):
            raise _unknown(node, name, text)
        return node
    if function.kind != "scalar" and not isinstance(node, exp.Anonymous):
        return node
    if not function.fits(len(arguments)):
        raise _error(text, node, _wrong_count(name, function, len(arguments)), _usage(function))
    if function.by_type is not None:
        return exp.Anonymous(this=function.name, expressions=[each.copy() for each in arguments])
    try:
        result = function.call([argument.copy() for argument in arguments])
    except ValueError as error:
        raise _error(text, node, f"{name}: {error}", _usage(function)) from None
    return node if result == node else result


def refuse_unknown_around(node: exp.Expression, text: SqlText) -> None:
    """Raises `SqlError` where ``node`` is an argument of a function that nobody knows: what it may
    hold can't be said then."""
    parent = node.parent
    while parent is not None and not isinstance(parent, exp.Query):
        if isinstance(parent, exp.Anonymous) and registry.find(parent.name) is None:
            raise _unknown(parent, parent.name, text)
        parent = parent.parent


def _unknown(node: exp.Expression, name: str, text: SqlText | None) -> SqlError:
    return _error(text, node, f"there is no function {name}", _near(name))


def by_type(
    expression: exp.Expression, type_of: Callable[[exp.Expression], pa.DataType]
) -> exp.Expression | None:
    """The engine's expression for a call that depends on its arguments' types, after `rewrite`;
    None for any other expression. ``ValueError`` where the types don't fit."""
    if not isinstance(expression, exp.Anonymous):
        return None
    function = registry.find(expression.name)
    if function is None or function.by_type is None:
        return None
    types = [type_of(argument) for argument in expression.expressions]
    return function.by_type(types, *expression.expressions)


def _wrong_count(name: str, function: Function, count: int) -> str:
    least, most = function.least, function.most
    wanted = f"{least} or more" if most is None else str(least)
    if most is not None and most != least:
        wanted = f"{least} to {most}"
    plural = "" if wanted == "1" else "s"
    return f"{name} takes {wanted} argument{plural}, not {count}"


def _usage(function: Function) -> str:
    return f"it is called like this: {function.signature}"


def _near(name: str) -> str:
    names = registry.near(name)
    if names:
        return f"did you mean {' or '.join(names)}?"
    return "docs/functions.md lists all functions"


def _error(text: SqlText | None, node: exp.Expression, message: str, hint: str) -> SqlError:
    return (text or SqlText("")).error(message, node if text is not None else None, hint)
