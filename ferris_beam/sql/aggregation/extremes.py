"""min, max, any_value, arg_min, arg_max, and first and last by an order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ferris_beam.sql.aggregation.arrays import Flags, Integers, is_null, memory_of, nullable, take
from ferris_beam.sql.aggregation.codes import integer_type
from ferris_beam.sql.aggregation.grouping import Groups
from ferris_beam.sql.aggregation.ranking import MOST, ranks_of
from ferris_beam.sql.aggregation.state import Columns, Function, State


@dataclass(frozen=True)
class Extreme(State):
    """The least (or the greatest) value that isn't NULL; NaN is greater than all numbers."""

    greatest: bool = False

    @property
    def types(self) -> tuple[pa.DataType, ...]:
        return (self.arguments[0].type,)

    def partial(self, groups: Groups, arguments: Columns) -> list[pa.Array]:
        groups, (values,) = groups.of_valid(*arguments)
        if pa.types.is_boolean(values.type):
            numbers = self._of_integers(groups, values.cast(pa.uint8()), np.dtype(np.uint8))
            return [numbers.cast(pa.bool_())]
        if pa.types.is_floating(values.type):
            return [self._of_floats(groups, values)]
        dtype = integer_type(values.type)
        if dtype is not None:
            return [self._of_integers(groups, values, dtype)]
        order = ranks_of(values)
        return [take(values, least_rows(groups, [~order if self.greatest else order]))]

    def merge(self, groups: Groups, columns: Columns) -> list[pa.Array]:
        return self.partial(groups, columns)

    def _of_integers(self, groups: Groups, values: pa.Array, dtype: np.dtype) -> pa.Array:
        bounds = np.iinfo(dtype)
        found = np.full(groups.count, bounds.min if self.greatest else bounds.max, dtype)
        extreme = np.maximum if self.greatest else np.minimum
        extreme.at(found, groups.codes, memory_of(values, dtype))
        as_integers = pa.array(found, mask=_without_rows(groups))
        return as_integers.view(values.type)

    def _of_floats(self, groups: Groups, values: pa.Array) -> pa.Array:
        """numpy's maximum is NaN where there is one; fmin is NaN where there is nothing else."""
        numbers = memory_of(values.cast(pa.float64()), np.float64)
        found = np.full(groups.count, -np.inf if self.greatest else np.nan)
        extreme = np.maximum if self.greatest else np.fmin
        with np.errstate(invalid="ignore"):  # NaN is meant
            extreme.at(found, groups.codes, numbers)
        return nullable(found, groups.sizes == 0, values.type)


def _without_rows(groups: Groups) -> Flags | None:
    missing = groups.sizes == 0
    return missing if missing.any() else None


@dataclass(frozen=True)
class Chosen(State):
    """The first argument in that row that comes first by the others: the items of an ORDER BY,
    each descending or not and with NULL first or not. Of equal rows that with the least value.

    ``skip_nulls``: rows in which an argument is NULL don't count.
    """

    descending: tuple[bool, ...] = ()
    nulls_first: tuple[bool, ...] = ()
    skip_nulls: bool = False

    @property
    def types(self) -> tuple[pa.DataType, ...]:
        return *(argument.type for argument in self.arguments), pa.bool_()

    def partial(self, groups: Groups, arguments: Columns) -> list[pa.Array]:
        if self.skip_nulls:
            groups, arguments = groups.of_valid(*arguments)
        return self._best(groups, arguments)

    def merge(self, groups: Groups, columns: Columns) -> list[pa.Array]:
        *arguments, present = columns
        chosen = np.asarray(present.to_numpy(zero_copy_only=False), np.bool_)
        mask = pa.array(chosen)
        return self._best(groups.where(chosen), [each.filter(mask) for each in arguments])

    def _best(self, groups: Groups, arguments: Columns) -> list[pa.Array]:
        value, *order = arguments
        places = [
            sort_ranks(column, descending, nulls_first)
            for column, descending, nulls_first in zip(
                order, self.descending, self.nulls_first, strict=True
            )
        ]
        rows = least_rows(groups, [*places, sort_ranks(value, False, False)])
        return [*(take(column, rows) for column in arguments), pa.array(rows >= 0)]


def sort_ranks(values: pa.Array, descending: bool, nulls_first: bool) -> Integers:
    """Ranks by which rows sort as ORDER BY has it."""
    ranks = ranks_of(values)
    if descending:
        ranks = ~ranks
    if values.null_count:
        ranks = np.where(is_null(values), ~MOST if nulls_first else MOST, ranks)
    return ranks


def least_rows(groups: Groups, order: list[Integers]) -> Integers:
    """The row of each group that comes first by the ranks of ``order``; -1 where there is none."""
    rows = np.arange(len(groups.codes))
    codes = groups.codes
    for ranks in order:
        least = np.full(groups.count, MOST)
        ranks = ranks[rows]
        np.minimum.at(least, codes, ranks)
        best = ranks == least[codes]
        rows, codes = rows[best], codes[best]
    found = np.full(groups.count, -1, np.int64)
    found[codes] = rows
    return found


@dataclass(frozen=True)
class First(Function):
    """The first column of its state."""

    state: State
    type: pa.DataType

    @property
    def states(self) -> tuple[State, ...]:
        return (self.state,)

    def finish(self, *states: Columns) -> pa.Array:
        return states[0][0].cast(self.type)
