"""The plan: a small tree of frozen dataclasses, from the sources up.

Each node says which columns it puts out, by flat, unique names (``o.amount`` of the relation
``o`` is one name with a dot in it). Expressions are sqlglot's: their columns are bare, quoted
identifiers (`column`) that name columns of the node's input. They are never changed in place.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Literal

import pyarrow as pa
from sqlglot import exp

from ferris_beam.connector import AggregateCall
from ferris_beam.transforms.event_time import EventTime


def column(name: str) -> exp.Column:
    """A reference to the input's column ``name``."""
    return exp.Column(this=exp.Identifier(this=name, quoted=True))


def columns_in(expression: exp.Expression) -> frozenset[str]:
    """The input columns that ``expression`` needs."""
    return frozenset(found.name for found in expression.find_all(exp.Column))


@dataclass(frozen=True)
class Named:
    """An expression and the name of the column that holds its values."""

    name: str
    expression: exp.Expression


@dataclass(frozen=True)
class Ordering:
    """One item of ORDER BY."""

    expression: exp.Expression
    descending: bool = False
    nulls_first: bool = False


@dataclass(frozen=True)
class Duration:
    """Calendar months, and microseconds: each of its own, since months differ in length."""

    months: int = 0
    micros: int = 0


@dataclass(frozen=True)
class Window:
    """A window of event time. ``time`` is a timestamp over the input; ``start`` and ``end`` name
    the columns put out. TUMBLE has ``size`` (and ``slide`` equal to it), HOP both, SESSION ``gap``.
    ``zone`` is the time zone in whose calendar borders lie (empty: UTC)."""

    kind: Literal["tumble", "hop", "session"]
    time: exp.Expression
    start: str
    end: str
    size: Duration = Duration()
    slide: Duration = Duration()
    gap: Duration = Duration()
    offset: Duration = Duration()
    zone: str = ""


@dataclass(frozen=True)
class Live:
    """How windows go over input that never ends: by the watermark of the source's ``time`` column,
    which is ``delay`` behind the latest time read. ``lateness``: for how long behind the watermark
    rows are still taken. All lengths are microseconds."""

    time: str
    delay: int
    lateness: int = 0
    late: Literal["drop", "dead_letter"] = "drop"
    refused: str = ""
    """Why the window can't be computed, and what to do instead; empty: it can."""


@dataclass(frozen=True)
class Node(ABC):
    """``schema`` holds the columns put out, in order."""

    schema: pa.Schema

    @property
    def inputs(self) -> tuple[Node, ...]:
        return ()

    @abstractmethod
    def with_inputs(self, *inputs: Node) -> Node:
        """The same node over others (whose columns have the same names and types, or more)."""


@dataclass(frozen=True)
class Leaf(Node):
    def with_inputs(self, *inputs: Node) -> Node:
        return self


@dataclass(frozen=True)
class Lookup:
    """A source that a join asks for keys: each worker keeps the rows of up to ``cache`` of them for
    ``seconds``."""

    cache: int
    seconds: float


@dataclass(frozen=True)
class Scan(Leaf):
    """Reads a URI. ``columns`` maps each column of ``schema`` to its name in the source (None: all
    of them); ``predicate`` (over the names of ``schema``) and ``limit`` are what the source was
    asked to do; ``endpoint`` is a `ferris_beam.transforms.endpoint.Endpoint`."""

    endpoint: Any
    alias: str
    names: tuple[str, ...]
    """The source's own name of each column of ``schema``, in the same order."""
    predicate: exp.Expression | None = None
    limit: int | None = None
    rows: float | None = None
    """An estimate of how many rows there are; None: not known."""
    nbytes: float | None = None
    """What the source says that it holds, in bytes as stored."""
    bounded: bool = True
    event_time: EventTime | None = None
    """The event time that the stream's WATERMARK declares."""
    lookup: Lookup | None = None
    """Set where a join asks the source for keys instead of reading all of it."""


@dataclass(frozen=True)
class AggregatedScan(Leaf):
    """Reads aggregates that the source computes over the rows of ``scan``, which it filters itself:
    by its own columns ``keys``, then ``calls``. ``names`` are those under which it gives them, in
    the order of ``schema``."""

    scan: Scan
    keys: tuple[str, ...]
    calls: tuple[AggregateCall, ...]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Given(Leaf):
    """A PCollection that was handed to `fb.sql`, or a stream defined before (``stream``); ``rows``
    is an estimate of its size."""

    name: str
    alias: str
    names: tuple[str, ...]
    stream: bool = False
    rows: float | None = None


@dataclass(frozen=True)
class Rows(Leaf):
    """VALUES, or the one row without columns of a SELECT without FROM: ``rows`` of literals."""

    rows: tuple[tuple[exp.Expression, ...], ...]


@dataclass(frozen=True)
class Unary(Node):
    input: Node

    @property
    def inputs(self) -> tuple[Node, ...]:
        return (self.input,)

    def with_inputs(self, *inputs: Node) -> Node:
        return replace(self, input=inputs[0])


@dataclass(frozen=True)
class Project(Unary):
    """Puts out ``columns`` and nothing else."""

    columns: tuple[Named, ...]


@dataclass(frozen=True)
class Filter(Unary):
    """Keeps the rows for which ``condition`` is true."""

    condition: exp.Expression


@dataclass(frozen=True)
class Unnest(Unary):
    """One row for each item of the list ``expression``, beside the input's columns, as ``name``.

    ``outer``: a row whose list is empty or NULL is kept, with NULL. ``position`` names a column
    that counts the items from 1 (empty: none).
    """

    expression: exp.Expression
    name: str
    outer: bool = False
    position: str = ""


@dataclass(frozen=True)
class Aggregate(Unary):
    """GROUP BY and DISTINCT. Puts out the window's start and end, the keys, the calls, in this
    order. Each call's expression is one aggregate function (`exp.AggFunc`, `exp.Filter` around
    one, or an anonymous function that the registry of functions knows as an aggregate)."""

    keys: tuple[Named, ...]
    calls: tuple[Named, ...]
    window: Window | None = None
    live: Live | None = None
    """Set for a window over input that never ends."""


JoinKind = Literal["inner", "left", "right", "full", "semi", "anti"]


@dataclass(frozen=True)
class Join(Node):
    """``keys``: pairs of expressions over left and right that must be equal; ``residual``: what
    else must hold, over the columns of both. Semi and anti put out the left columns only.
    ``null_aware``: the anti join of NOT IN. ``single``: the right side may match each left row
    once only (a scalar subquery); a second match is an error. ``nulls_equal``: NULL keys match.
    Without keys everything meets everything."""

    left: Node
    right: Node
    kind: JoinKind
    keys: tuple[tuple[exp.Expression, exp.Expression], ...]
    residual: exp.Expression | None = None
    null_aware: bool = False
    single: bool = False
    nulls_equal: bool = False
    strategy: str = ""
    """``broadcast``, ``hash`` or ``lookup``, once the rule has chosen; ``why`` says the reason."""
    why: str = ""

    @property
    def inputs(self) -> tuple[Node, ...]:
        return self.left, self.right

    def with_inputs(self, *inputs: Node) -> Node:
        return replace(self, left=inputs[0], right=inputs[1])


@dataclass(frozen=True)
class Over(Unary):
    """Window functions: the input's columns, then ``calls`` (`exp.Window` expressions), all of
    which have the PARTITION BY ``partition``."""

    partition: tuple[exp.Expression, ...]
    calls: tuple[Named, ...]


@dataclass(frozen=True)
class Sort(Unary):
    """ORDER BY, and LIMIT and OFFSET with it. Without ``order`` the first rows in the order of the
    sources' splits."""

    order: tuple[Ordering, ...]
    limit: int | None = None
    offset: int = 0


@dataclass(frozen=True)
class Union(Node):
    """UNION ALL: columns by position, under the names of ``schema``; types are equal already."""

    branches: tuple[Node, ...]

    @property
    def inputs(self) -> tuple[Node, ...]:
        return self.branches

    def with_inputs(self, *inputs: Node) -> Node:
        return replace(self, branches=inputs)


def walk(node: Node) -> list[Node]:
    """``node`` and all below it, from the top down."""
    return [node, *(below for each in node.inputs for below in walk(each))]
