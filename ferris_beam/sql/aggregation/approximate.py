"""approx_percentile: exact for few different values, else to 0.2 % of the value.

Up to 1,024 different values a group keeps each, with its number of rows. Beyond, values share
buckets that grow by a constant factor, as in DDSketch (Masson, Rim and Lee, 2019): a group's
buckets depend on its rows only, and not on the order in which states met.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ferris_beam.sql.aggregation.arrays import is_true, list_parts, memory_of
from ferris_beam.sql.aggregation.counted import Counted, counted_lists, entries
from ferris_beam.sql.aggregation.grouping import Groups
from ferris_beam.sql.aggregation.state import Columns

_EXACT = 1024
_ERROR = 0.002
_GROWTH = float(np.log((1 + _ERROR) / (1 - _ERROR)))


@dataclass(frozen=True)
class Buckets(Counted):
    """As `Counted`, of doubles; a second column says whether values were put into buckets."""

    @property
    def item(self) -> pa.StructType:
        return pa.struct([("value", pa.float64()), ("rows", pa.int64())])

    @property
    def types(self) -> tuple[pa.DataType, ...]:
        return pa.large_list(self.item), pa.bool_()

    def partial(self, groups: Groups, arguments: Columns) -> list[pa.Array]:
        values = arguments[0].cast(pa.float64(), safe=False)
        (found,) = super().partial(groups, [values])
        return self._bounded(found, np.zeros(groups.count, np.bool_))

    def merge(self, groups: Groups, columns: Columns) -> list[pa.Array]:
        (found,) = super().merge(groups, columns[:1])
        coarse = np.zeros(groups.count, np.bool_)
        coarse[groups.codes[is_true(columns[1])]] = True
        return self._bounded(found, coarse)

    def _bounded(self, state: pa.LargeListArray, coarse: npt.NDArray[np.bool_]) -> list[pa.Array]:
        lengths, _ = list_parts(state)
        coarse = coarse | (lengths > _EXACT)
        if coarse.any():
            groups, values, rows = entries(state)
            numbers = memory_of(values, np.float64)
            numbers = np.where(coarse[groups.codes], _middles(numbers), numbers)
            state = counted_lists(groups, pa.array(numbers), rows, self.item)
        return [state, pa.array(coarse)]


def _middles(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The middle of each value's bucket; 0, NaN and infinities stay."""
    with np.errstate(divide="ignore", invalid="ignore"):
        number = np.round(np.log(np.abs(values)) / _GROWTH)
        middle = np.copysign(np.exp(number * _GROWTH), values)
    return np.where((values == 0) | ~np.isfinite(values) | ~np.isfinite(middle), values, middle)
