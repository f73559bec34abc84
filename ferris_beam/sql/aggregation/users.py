"""Aggregate functions of the user's own (`ferris_beam.sql.functions.user`).

They are called for each group, so they cost what Python costs. One that isn't mergeable gets the
rows of a group sorted by its arguments: so what it returns depends on the rows only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pyarrow as pa

from ferris_beam.errors import BadRecordError, FatalError
from ferris_beam.sql.aggregation.arrays import take
from ferris_beam.sql.aggregation.collected import Collected, exploded
from ferris_beam.sql.aggregation.extremes import sort_ranks
from ferris_beam.sql.aggregation.grouping import Groups
from ferris_beam.sql.aggregation.state import Columns, Function, State
from ferris_beam.sql.functions import UserAggregate


@dataclass(frozen=True)
class UserState(State):
    """What the function's own state is; NULL for a group without rows."""

    name: str
    function: UserAggregate = field(repr=False)

    @property
    def types(self) -> tuple[pa.DataType, ...]:
        kind = self.function.state_type
        assert kind is not None
        return (kind,)

    def partial(self, groups: Groups, arguments: Columns) -> list[pa.Array]:
        columns = _typed(self.function, arguments)
        try:
            return [_each(groups, columns, self.function.state_of, self.types[0])]
        except ValueError as error:
            raise BadRecordError(str(error)) from error

    def merge(self, groups: Groups, columns: Columns) -> list[pa.Array]:
        groups, states = groups.of_valid(*columns)
        return [_each(groups, list(states), self.function.merged, self.types[0])]


def _typed(function: UserAggregate, arguments: Columns) -> list[pa.Array]:
    return [column.cast(kind) for column, kind in zip(arguments, function.arguments, strict=True)]


def _each(
    groups: Groups, columns: list[pa.Array], run: Callable[..., pa.Scalar], kind: pa.DataType
) -> pa.Array:
    """What ``run`` returns for the rows of each group; NULL where there are none."""
    ordered = [take(column, groups.order) for column in columns]
    return pa.array(
        [run(*rows).as_py() if len(rows[0]) else None for rows in _slices(groups, ordered)], kind
    )


def _slices(groups: Groups, ordered: list[pa.Array]) -> Iterator[list[pa.Array]]:
    borders = groups.offsets.tolist()
    for start, end in pairwise(borders):
        yield [column.slice(start, end - start) for column in ordered]


@dataclass(frozen=True)
class UserMerged(Function):
    """The value of a mergeable function."""

    state: UserState
    type: pa.DataType

    @property
    def states(self) -> tuple[State, ...]:
        return (self.state,)

    def finish(self, *states: Columns) -> pa.Array:
        finished = _fatal(self.state.function.finished)
        values = [finished(state).as_py() if state.is_valid else None for state in states[0][0]]
        return pa.array(values, self.state.function.returns)


@dataclass(frozen=True)
class UserReduced(Function):
    """The value of a function that needs all rows of a group."""

    values: Collected
    name: str
    function: UserAggregate = field(repr=False)
    type: pa.DataType

    @property
    def states(self) -> tuple[State, ...]:
        return (self.values,)

    def finish(self, *states: Columns) -> pa.Array:
        groups, columns = exploded(states[0][0])
        columns = _typed(self.function, columns)
        order = np.lexsort([*(sort_ranks(each, False, False) for each in columns), groups.codes])
        ordered = [take(column, order) for column in columns]
        reduce = _fatal(self.function.reduce)
        values = [reduce(*rows).as_py() for rows in _slices(groups, ordered)]
        return pa.array(values, self.function.returns)


def _fatal(run: Callable[..., pa.Scalar]) -> Callable[..., pa.Scalar]:
    """Behind the shuffle no row can be rejected any more."""

    def guarded(*arguments: pa.Array) -> pa.Scalar:
        try:
            return run(*arguments)
        except ValueError as error:
            raise FatalError(str(error)) from error

    return guarded
