"""DISTINCT inside a call: the different values are kept, and the function is computed of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ferris_beam.sql.aggregation.arrays import list_parts
from ferris_beam.sql.aggregation.collected import Collected, exploded
from ferris_beam.sql.aggregation.state import Columns, Function, State


@dataclass(frozen=True)
class CountDistinct(Function):
    values: Collected
    type: pa.DataType

    @property
    def states(self) -> tuple[State, ...]:
        return (self.values,)

    def finish(self, *states: Columns) -> pa.Array:
        return pa.array(list_parts(states[0][0])[0].astype(np.int64)).cast(self.type)


@dataclass(frozen=True)
class OfDistinct(Function):
    """``function`` of the rows that ``values`` holds; its arguments are some of theirs."""

    values: Collected
    function: Function

    @property
    def type(self) -> pa.DataType:
        return self.function.type

    @property
    def states(self) -> tuple[State, ...]:
        return (self.values,)

    def finish(self, *states: Columns) -> pa.Array:
        groups, columns = exploded(states[0][0])
        names = [argument.name for argument in self.values.arguments]
        rows = pa.RecordBatch.from_arrays(columns, names=names)
        made = [state.of_rows(groups, rows) for state in self.function.states]
        return self.function.finish(*made)
