"""Short spellings for the tables of functions in `ferris_beam.sql.functions.catalog`."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
from sqlglot import exp

from ferris_beam.sql.functions.definition import (
    ByType,
    Example,
    Function,
    Kind,
    Render,
    Vectorised,
    bounds,
)

__all__ = ["Render", "as_micros", "category", "engine", "over", "renamed"]

Definition = Callable[..., Function]


def category(name: str, kind: Kind = "scalar") -> Definition:
    """Defines functions of one category: ``define(signature, summary, *(sql, result), …)``."""

    def define(
        signature: str,
        summary: str,
        *examples: tuple[str, str],
        aliases: tuple[str, ...] = (),
        engine: str = "",
        render: Render | None = None,
        volatile: bool = False,
        ours: Vectorised | None = None,
        by_type: ByType | None = None,
        internal: bool = False,
        kind: Kind = kind,
    ) -> Function:
        own_name = signature.partition("(")[0]
        least, most = bounds(signature)
        return Function(
            name=own_name,
            kind=kind,
            category=name,
            signature=signature,
            summary=summary,
            examples=tuple(Example(sql, result) for sql, result in examples),
            aliases=aliases,
            engine=engine or own_name,
            render=render,
            least=least,
            most=most,
            volatile=volatile,
            vectorised=ours,
            by_type=by_type,
            internal=internal,
        )

    return define


def engine(name: str, *arguments: exp.Expression | str | int) -> exp.Expression:
    """A call in the engine's SQL; Python's texts and numbers stand for literals."""
    return exp.Anonymous(this=name, expressions=[_literal(argument) for argument in arguments])


def _literal(value: exp.Expression | str | int) -> exp.Expression:
    if isinstance(value, exp.Expression):
        return value.copy()
    return exp.Literal.string(value) if isinstance(value, str) else exp.Literal.number(value)


def renamed(name: str, *order: int) -> Render:
    """A call of ``name`` with the arguments at these places (none given: as they are)."""
    return lambda *given: engine(name, *([given[place] for place in order] if order else given))


def as_micros(expression: exp.Expression) -> exp.Expression:
    """A date, timestamp or its text as a timestamp without time zone, in UTC."""
    return engine("micros_of", expression)


def over(run: Callable[..., pa.Array], *types: pa.DataType) -> Vectorised:
    """``run`` over arrays of these types; the last one is the result's."""
    return Vectorised(tuple(types[:-1]), types[-1], run)
