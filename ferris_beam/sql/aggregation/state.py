"""What is kept of the rows of a group, and what becomes of it.

A `State` is Arrow columns with one row for each group: `partial` makes it of rows, `merge` of
states, so that both may happen anywhere and in any order. A `Function` is one call of a query:
the states that it needs (equal states of several calls are kept once) and how it ends.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from ferris_beam.sql.aggregation.arrays import is_true
from ferris_beam.sql.aggregation.grouping import Groups

Columns = Sequence[pa.Array]


@dataclass(frozen=True)
class State(ABC):
    """``arguments``: the columns of the input that it is made of; ``where``: the name of a boolean
    column that must be true (FILTER), if any. Equal instances are one state."""

    arguments: tuple[pa.Field, ...]
    where: str = field(default="", kw_only=True)

    @property
    @abstractmethod
    def types(self) -> tuple[pa.DataType, ...]:
        """Of its columns."""

    @abstractmethod
    def partial(self, groups: Groups, arguments: Columns) -> list[pa.Array]:
        """The state of each group, from rows."""

    @abstractmethod
    def merge(self, groups: Groups, columns: Columns) -> list[pa.Array]:
        """The state of each group, from states."""

    def of_rows(self, groups: Groups, records: pa.RecordBatch) -> list[pa.Array]:
        """`partial` of the rows that FILTER lets through."""
        arguments = [records[argument.name] for argument in self.arguments]
        if self.where:
            chosen = is_true(records[self.where])
            mask = pa.array(chosen)
            groups = groups.where(chosen)
            arguments = [argument.filter(mask) for argument in arguments]
        return self.partial(groups, arguments)


class Function(ABC):
    """``type`` is that of the result."""

    type: pa.DataType

    @property
    @abstractmethod
    def states(self) -> tuple[State, ...]:
        """What it is made of."""

    @abstractmethod
    def finish(self, *states: Columns) -> pa.Array:
        """One value for each group, from the columns of each of `states`."""
