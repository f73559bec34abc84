"""What becomes of sums: sum(x), avg(x)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.errors import FatalError
from ferris_beam.sql.aggregation.arrays import Flags, Integers, memory_of, nullable
from ferris_beam.sql.aggregation.counts import Rows
from ferris_beam.sql.aggregation.state import Columns, Function, State
from ferris_beam.sql.aggregation.sums import ExactSum, FloatSum, floats_of_pairs

_LOW = np.int64(0xFFFFFFFF)
_WIDE = Context(prec=100, rounding=ROUND_HALF_UP)


@dataclass(frozen=True)
class Sum(Function):
    """NULL for a group without values; an error where the sum doesn't fit into ``type``."""

    sum: ExactSum | FloatSum
    rows: Rows
    type: pa.DataType
    name: str = "sum"

    @property
    def states(self) -> tuple[State, ...]:
        return self.sum, self.rows

    def finish(self, *states: Columns) -> pa.Array:
        total, (rows,) = states
        empty = memory_of(rows, np.int64) == 0
        if isinstance(self.sum, FloatSum):
            high, over = floats_of_pairs(total)
            self._refuse(over)
            return nullable(high, empty, self.type)
        if pa.types.is_floating(self.type):
            return nullable(doubles_of(total) / self._unit, empty, self.type)
        if pa.types.is_decimal(self.type):
            return self._decimals(total, empty)
        value, over = _integers_of(total, pa.types.is_unsigned_integer(self.type))
        self._refuse(over)
        return nullable(value, empty, pa.int64() if value.dtype == np.int64 else pa.uint64()).cast(
            self.type
        )

    @property
    def _unit(self) -> float:
        kind = self.sum.arguments[0].type
        return 10.0**kind.scale if pa.types.is_decimal(kind) else 1.0

    def _decimals(self, limbs: Columns, empty: Flags) -> pa.Array:
        kind = self.sum.arguments[0].type
        scale = kind.scale if pa.types.is_decimal(kind) else 0
        wide, over = _decimals_of(limbs, pa.decimal256(76, scale), empty)
        self._refuse(over)
        try:
            return wide.cast(self.type)
        except pa.ArrowInvalid:
            self._refuse(np.ones(1, np.bool_))
            raise

    def _refuse(self, over: Flags) -> None:
        if not over.any():
            return
        name = _spoken(self.sum)
        advice = ""
        if pa.types.is_decimal(self.type):
            advice = f": sum it as a DOUBLE, as in sum(CAST({name} AS DOUBLE))"
        elif not isinstance(self.sum, FloatSum):
            advice = f": sum a wider type, as in sum(CAST({name} AS DECIMAL(38, 0))), or a DOUBLE"
        raise FatalError(f"{self.name}({name}) is too large for {self.type}{advice}")


def _spoken(state: ExactSum | FloatSum) -> str:
    """What is summed, in the words of the query."""
    argument = state.arguments[0]
    return argument.metadata[b"sql"].decode() if argument.metadata else argument.name


@dataclass(frozen=True)
class Average(Function):
    sum: ExactSum | FloatSum
    rows: Rows
    type: pa.DataType

    @property
    def states(self) -> tuple[State, ...]:
        return self.sum, self.rows

    def finish(self, *states: Columns) -> pa.Array:
        total, (counted,) = states
        rows = memory_of(counted, np.int64)
        empty = rows == 0
        divisor = np.where(empty, 1, rows)
        if isinstance(self.sum, FloatSum):
            high, over = floats_of_pairs(total)
            if over.any():
                raise FatalError(f"avg({_spoken(self.sum)}): the sum is too large for {self.type}")
            return nullable(high / divisor, empty, self.type)
        kind = self.sum.arguments[0].type
        scale = kind.scale if pa.types.is_decimal(kind) else 0
        if pa.types.is_decimal(self.type):
            return _quotients(python_integers(total), divisor, empty, scale, self.type)
        if pa.types.is_floating(self.type):
            return nullable(doubles_of(total) / 10.0**scale / divisor, empty, self.type)
        whole = [
            number // int(by) for number, by in zip(python_integers(total), divisor, strict=True)
        ]
        return nullable(np.array(whole, np.int64), empty, self.type)


def _quotients(
    sums: list[int], rows: Integers, empty: Flags, scale: int, kind: pa.DataType
) -> pa.Array:
    """Half up, away from zero, as PostgreSQL rounds."""
    step = Decimal(1).scaleb(-kind.scale)
    found = [
        None
        if missing
        else _WIDE.quantize(_WIDE.divide(_WIDE.scaleb(Decimal(number), -scale), Decimal(by)), step)
        for number, by, missing in zip(sums, rows.tolist(), empty.tolist(), strict=True)
    ]
    return pa.array(found, kind)


def _integers_of(limbs: Columns, unsigned: bool) -> tuple[npt.NDArray, Flags]:
    """Sums as 64 bits, and which don't fit into these."""
    low, high = (memory_of(limb, np.int64) for limb in limbs)
    if unsigned:
        value = low.astype(np.uint64) + (high.astype(np.uint64) << np.uint64(32))
        return value, (high < 0) | (high > _LOW)
    return low + (high << np.int64(32)), (high << np.int64(32)) >> np.int64(32) != high


def doubles_of(limbs: Columns) -> npt.NDArray[np.float64]:
    """Sums as doubles."""
    total = np.zeros(len(limbs[0]))
    for limb in reversed(limbs):
        total = total * 4294967296.0 + memory_of(limb, np.int64)
    return total


def python_integers(limbs: Columns) -> list[int]:
    """Sums as integers of any size."""
    columns = [memory_of(limb, np.int64).tolist() for limb in limbs]
    return [
        sum(part << (32 * place) for place, part in enumerate(row))
        for row in zip(*columns, strict=True)
    ]


def _decimals_of(limbs: Columns, kind: pa.DataType, empty: Flags) -> tuple[pa.Array, Flags]:
    """Sums as decimals of 256 bits, and which don't fit into these."""
    parts = [memory_of(limb, np.int64) for limb in limbs]
    while len(parts) < 9:
        parts = [*parts[:-1], parts[-1] & _LOW, parts[-1] >> np.int64(32)]
    words = np.stack([part.astype(np.uint64).astype(np.uint32) for part in parts[:8]], axis=1)
    sign = -(parts[7] >> np.int64(31) & np.int64(1))
    over = parts[8] != sign
    memory = np.ascontiguousarray(words)
    found = pa.Array.from_buffers(kind, len(empty), [None, pa.py_buffer(memory)])
    return pc.if_else(pa.array(empty), pa.scalar(None, kind), found), over
