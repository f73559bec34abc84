"""count(*), count(x), count_if(x)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ferris_beam.sql.aggregation.arrays import memory_of
from ferris_beam.sql.aggregation.grouping import Groups
from ferris_beam.sql.aggregation.state import Columns, Function, State


@dataclass(frozen=True)
class Rows(State):
    """How many rows there are in which no argument is NULL."""

    @property
    def types(self) -> tuple[pa.DataType, ...]:
        return (pa.int64(),)

    def partial(self, groups: Groups, arguments: Columns) -> list[pa.Array]:
        return [pa.array(groups.of_valid(*arguments)[0].sizes)]

    def merge(self, groups: Groups, columns: Columns) -> list[pa.Array]:
        total = np.zeros(groups.count, np.int64)
        np.add.at(total, groups.codes, memory_of(columns[0], np.int64))
        return [pa.array(total)]


@dataclass(frozen=True)
class Count(Function):
    rows: Rows
    type: pa.DataType

    @property
    def states(self) -> tuple[State, ...]:
        return (self.rows,)

    def finish(self, *states: Columns) -> pa.Array:
        return states[0][0].cast(self.type)
