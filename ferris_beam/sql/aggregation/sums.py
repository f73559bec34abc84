"""sum and avg: exact for integers and decimals, and for floats nearly so.

Integers and decimals are cut into limbs of 32 bits, each summed in 64: nothing overflows before
the whole sum is known, so a sum that fits is found in every order of the rows, and one that
doesn't is an error. Floats are cut at a power of two above their largest, so that the upper parts
add up without any rounding; the sum is a pair of doubles, of about 100 bits. Sums of the same rows
in another order, or cut into other batches, agree to the last bit or two.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ferris_beam.sql.aggregation.arrays import Flags, Integers, floats_of, memory_of
from ferris_beam.sql.aggregation.codes import integer_type
from ferris_beam.sql.aggregation.grouping import Groups
from ferris_beam.sql.aggregation.state import Columns, State

Floats = npt.NDArray[np.float64]
_LOW = np.int64(0xFFFFFFFF)
_LARGE = 1e280
"""Doubles above this are scaled down while they are split."""


@dataclass(frozen=True)
class ExactSum(State):
    """The sum of integers, decimals or durations, as limbs of 32 bits, the lowest first. All but
    the highest lie between 0 and 2**32."""

    @property
    def limbs(self) -> int:
        kind = self.arguments[0].type
        return kind.bit_width // 32 if pa.types.is_decimal(kind) else 2

    @property
    def types(self) -> tuple[pa.DataType, ...]:
        return (pa.int64(),) * self.limbs

    def partial(self, groups: Groups, arguments: Columns) -> list[pa.Array]:
        groups, (values,) = groups.of_valid(*arguments)
        if pa.types.is_decimal(values.type):
            return _carried(_sums_of_words(groups, values))
        dtype = integer_type(values.type)
        assert dtype is not None
        numbers = memory_of(values, dtype)
        if _fits(numbers):
            total = np.zeros(groups.count, np.int64)
            np.add.at(total, groups.codes, numbers.astype(np.int64, copy=False))
            return _carried([total, np.zeros(groups.count, np.int64)])
        low = (numbers & dtype.type(0xFFFFFFFF)).astype(np.int64)
        high = (numbers >> dtype.type(32)).astype(np.int64)
        return _carried([_sum_of(groups, low), _sum_of(groups, high)])

    def merge(self, groups: Groups, columns: Columns) -> list[pa.Array]:
        return _carried([_sum_of(groups, memory_of(limb, np.int64)) for limb in columns])


def _fits(numbers: npt.NDArray) -> bool:
    """Whether no sum of ``numbers`` can leave 64 bits."""
    if not len(numbers) or numbers.dtype.itemsize <= 4:
        return len(numbers) < 1 << 31
    bound = (1 << 62) // len(numbers)
    return -bound < int(numbers.min()) and int(numbers.max()) < bound


def _sum_of(groups: Groups, values: Integers) -> Integers:
    total = np.zeros(groups.count, np.int64)
    np.add.at(total, groups.codes, values)
    return total


def _sums_of_words(groups: Groups, values: pa.Array) -> list[Integers]:
    width = values.type.byte_width
    words = memory_of(values, f"V{width}").view(np.uint32).reshape(len(values), width // 4)
    limbs = [words[:, place].astype(np.int64) for place in range(width // 4)]
    limbs[-1] = np.ascontiguousarray(words[:, -1]).view(np.int32).astype(np.int64)
    return [_sum_of(groups, limb) for limb in limbs]


def _carried(limbs: list[Integers]) -> list[pa.Array]:
    """With all but the highest limb between 0 and 2**32."""
    done = []
    carry: Integers = np.zeros(len(limbs[0]), np.int64)
    for limb in limbs[:-1]:
        whole = limb + carry
        done.append(pa.array(whole & _LOW))
        carry = whole >> np.int64(32)
    return [*done, pa.array(limbs[-1] + carry)]


@dataclass(frozen=True)
class FloatSum(State):
    """The sum of floats as two doubles, the second one below the last bit of the first."""

    @property
    def types(self) -> tuple[pa.DataType, ...]:
        return pa.float64(), pa.float64()

    def partial(self, groups: Groups, arguments: Columns) -> list[pa.Array]:
        groups, (values,) = groups.of_valid(*arguments)
        numbers = floats_of(values)
        return [pa.array(part) for part in pair_sum(groups, numbers)]

    def merge(self, groups: Groups, columns: Columns) -> list[pa.Array]:
        upper, lower = (memory_of(column, np.float64) for column in columns)
        return [pa.array(part) for part in pair_sum(groups, upper, lower)]


def pair_sum(groups: Groups, values: Floats, lower: Floats | None = None) -> tuple[Floats, Floats]:
    """The sums of ``values`` (and of ``lower``, which is far smaller) as two doubles."""
    if not len(values):
        return np.zeros(groups.count), np.zeros(groups.count)
    largest = float(max(values.max(), -values.min()))
    special = None
    if not np.isfinite(largest):
        finite = np.isfinite(values)
        special = _weighted(groups, np.where(finite, 0.0, values))
        values = np.where(finite, values, 0.0)
        largest = float(max(values.max(), -values.min()))
    scale = 2.0**-64 if largest > _LARGE else 1.0
    upper, rest = _split(values * scale if scale != 1.0 else values, largest * scale)
    high = _weighted(groups, upper)
    low = _weighted(groups, rest) if rest.any() else np.zeros(groups.count)
    with np.errstate(over="ignore", invalid="ignore"):  # a total beyond all is seen at the finish
        if scale != 1.0:
            high, low = high / scale, low / scale
        if lower is not None:
            low += _weighted(groups, lower)
        high, low = _two_sum(high, low)
        return (high, low) if special is None else (high + special, low)


def _split(values: Floats, largest: float) -> tuple[Floats, Floats]:
    """Each value as a multiple of one power of two, so coarse that all of them add up exactly,
    and what is left of it."""
    exponent = int(np.frexp(largest)[1]) + len(values).bit_length()
    grid = 1.5 * 2.0**exponent
    upper = values + grid
    upper -= grid
    return upper, values - upper


def _weighted(groups: Groups, values: Floats) -> Floats:
    return np.bincount(groups.codes, values, groups.count).astype(np.float64, copy=False)


def _two_sum(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """The rounded sum and its error (Knuth)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def floats_of_pairs(columns: Columns) -> tuple[Floats, Flags]:
    """The sums of `FloatSum`, and which of them finite values made infinite, if only on the way:
    what is below is no number then. Infinities and NaN that are in the data leave it as it was."""
    high, low = (memory_of(column, np.float64) for column in columns)
    return high, np.isnan(low)
