"""bit_and, bit_or and bit_xor of integers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ferris_beam.sql.aggregation.arrays import memory_of
from ferris_beam.sql.aggregation.codes import integer_type
from ferris_beam.sql.aggregation.grouping import Groups
from ferris_beam.sql.aggregation.state import Columns, State

_START = {"bit_and": -1, "bit_or": 0, "bit_xor": 0}
_JOIN = {"bit_and": np.bitwise_and, "bit_or": np.bitwise_or, "bit_xor": np.bitwise_xor}


@dataclass(frozen=True)
class Bits(State):
    """``name``: of the function. NULL for a group without values."""

    name: str = "bit_and"

    @property
    def types(self) -> tuple[pa.DataType, ...]:
        return (self.arguments[0].type,)

    def partial(self, groups: Groups, arguments: Columns) -> list[pa.Array]:
        groups, (values,) = groups.of_valid(*arguments)
        dtype = integer_type(values.type)
        assert dtype is not None
        found = np.full(groups.count, _START[self.name], np.int64).astype(dtype)
        _JOIN[self.name].at(found, groups.codes, memory_of(values, dtype))
        return [pa.array(found, mask=groups.sizes == 0)]

    def merge(self, groups: Groups, columns: Columns) -> list[pa.Array]:
        return self.partial(groups, columns)
