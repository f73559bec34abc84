"""What a function that SQL may call is: its name, kind, signature, and how the engine runs it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlglot import exp

if TYPE_CHECKING:
    import pyarrow as pa

    from ferris_beam.sql.functions.user import UserFunction

ByType = Callable[..., exp.Expression]
"""Builds the engine's expression from the arguments' types (a sequence) and the arguments."""
Kind = Literal["scalar", "aggregate", "window", "table"]
Render = Callable[..., exp.Expression]
"""Builds what stands for a call in the engine's SQL from the call's arguments, in their order."""


@dataclass(frozen=True)
class Example:
    """``sql`` is what stands behind SELECT, ``result`` its one value as text: NULL, true, [1, 2],
    {a: 1}."""

    sql: str
    result: str


@dataclass(frozen=True)
class Vectorised:
    """A function over Arrow arrays that the engine lacks.

    ``run`` gets one array for each of ``arguments`` (all of one length, of exactly these types)
    and returns an array of that length and of type ``returns``. What is wrong with a row raises
    ``ValueError`` (or a subclass): the engine looks for the row and rejects it.
    """

    arguments: tuple[pa.DataType, ...]
    returns: pa.DataType
    run: Callable[..., pa.Array]


@dataclass(frozen=True)
class Function:
    """One function, under its customary name and its other spellings.

    ``render`` makes the engine's expression of the arguments; None: a call of ``engine`` (the
    engine's own name) with the same arguments. ``least`` and ``most`` bound how many arguments
    there may be (``most`` None: any number). ``volatile``: another value for each call, so the
    caller has to seed it. ``vectorised`` is the implementation where it is ours, ``user`` where it
    is the user's own. ``by_type``: builds the engine's expression once the types of the arguments
    are known. ``internal``: only other functions are made of it.
    """

    name: str
    kind: Kind
    category: str
    signature: str
    summary: str
    examples: tuple[Example, ...]
    aliases: tuple[str, ...] = ()
    engine: str = ""
    render: Render | None = None
    least: int = 0
    most: int | None = None
    volatile: bool = False
    vectorised: Vectorised | None = None
    user: UserFunction | None = None
    by_type: ByType | None = None
    internal: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)

    def call(self, arguments: Sequence[exp.Expression]) -> exp.Expression:
        """The engine's expression for a call. The number of arguments must fit (`fits`)."""
        if self.render is not None:
            return self.render(*arguments)
        return exp.Anonymous(this=self.engine, expressions=list(arguments))

    def fits(self, count: int) -> bool:
        return self.least <= count and (self.most is None or count <= self.most)


def bounds(signature: str) -> tuple[int, int | None]:
    """The least and the greatest number of arguments that a signature shows.

    >>> bounds("lpad(text, length[, fill])"), bounds("pi()"), bounds("log([base, ]number)")
    ((2, 3), (0, 0), (1, 2))
    >>> bounds("concat(text, ...)")
    (1, None)
    """
    inside = signature[signature.index("(") + 1 : signature.rindex(")")]
    least = _count(re.sub(r"\[.*\]", "", inside))
    return least, None if "..." in inside else _count(inside)


def _count(parameters: str) -> int:
    return sum(1 for part in parameters.split(",") if part.strip(" .[]"))
