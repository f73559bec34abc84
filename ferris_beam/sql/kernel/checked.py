"""Arithmetic that fails instead of giving a wrong number: functions for DataFusion's sessions.

DataFusion lets integers wrap around and floats become infinite. These functions raise instead, as
PostgreSQL does: an integer that leaves its type, a finite float that becomes infinite, a division
by zero, of floats too (DuckDB: NULL or infinity). Infinities and NaN that are in the data stay.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datafusion import ScalarUDF, udf

from ferris_beam.sql.kernel.types import spoken

Operation = Callable[..., pa.Array]

INTEGERS = (
    pa.int8(), pa.int16(), pa.int32(), pa.int64(),
    pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(),
)  # fmt: skip
FLOATS = (pa.float32(), pa.float64())


class RowFault(ValueError):
    """What is wrong with a row, in words for its dead letter."""


def checked_name(operation: str, type: pa.DataType) -> str:
    """The name of a function: `checked_add_int64`."""
    return f"checked_{operation}_{type}"


@cache
def checked_functions() -> tuple[ScalarUDF, ...]:
    """All of them, for `SessionContext.register_udf`."""
    found = [
        _function(operation, type, partial(_integers, run))
        for type in INTEGERS
        for operation, run in _OF_INTEGERS
    ]
    for type in FLOATS:
        found += [
            _function(operation, type, partial(_floats, run))
            for operation, run in (
                ("add", pc.add),
                ("subtract", pc.subtract),
                ("multiply", pc.multiply),
            )
        ]
        found.append(_function("divide", type, _divide))
        found.append(_function("modulo", type, _modulo))
        found.append(_function("round", type, _round_half_even, 1))
    narrow = checked_name("narrow", pa.float64())
    found.append(udf(_narrow, [pa.float64()], pa.float32(), "immutable", narrow))
    return tuple(found)


def _function(operation: str, type: pa.DataType, run: Operation, count: int = 2) -> ScalarUDF:
    name = checked_name(operation, type)
    return udf(run, [type] * count, type, "immutable", name)


_OF_INTEGERS: tuple[tuple[str, Operation], ...] = (
    ("add", pc.add_checked),
    ("subtract", pc.subtract_checked),
    ("multiply", pc.multiply_checked),
)


def _integers(run: Operation, left: pa.Array, right: pa.Array) -> pa.Array:
    try:
        return run(left, right)
    except pa.ArrowInvalid:
        raise RowFault(f"overflow: the result does not fit {spoken(left.type)}") from None


def _floats(run: Operation, left: pa.Array, right: pa.Array) -> pa.Array:
    result = run(left, right)
    infinite = pc.is_inf(result)
    if pc.any(infinite).as_py():
        finite = pc.and_(pc.is_finite(left), pc.is_finite(right))
        if pc.any(pc.and_(infinite, finite)).as_py():
            raise RowFault(f"overflow: the result does not fit {spoken(result.type)}")
    return result


def _divide(left: pa.Array, right: pa.Array) -> pa.Array:
    _refuse_zero(left, right)
    return _floats(pc.divide, left, right)


def _modulo(left: pa.Array, right: pa.Array) -> pa.Array:
    """With the sign of ``left``, as C's fmod."""
    _refuse_zero(left, right)
    with np.errstate(invalid="ignore"):
        values = np.fmod(_values(left), _values(right))
    nulls = pc.or_(left.is_null(), right.is_null())
    return pa.array(values, left.type, mask=nulls.to_numpy(zero_copy_only=False))


def _values(array: pa.Array) -> np.ndarray[Any, np.dtype[np.floating]]:
    return array.fill_null(1).to_numpy(zero_copy_only=False)


def _refuse_zero(left: pa.Array, right: pa.Array) -> None:
    zero = pc.equal(right, pa.scalar(0, right.type))
    if pc.any(zero).as_py() and pc.any(pc.and_not(zero, pc.is_nan(left))).as_py():
        raise RowFault("division by zero")


def _round_half_even(values: pa.Array) -> pa.Array:
    """1.5 and 2.5 become 2: how a float becomes an integer (PostgreSQL, IEEE 754)."""
    return pc.round(values, 0, "half_to_even")


def _narrow(values: pa.Array) -> pa.Array:
    """DOUBLE as REAL: what is too large for it would become infinite."""
    result = values.cast(pa.float32())
    if pc.any(pc.and_(pc.is_inf(result), pc.is_finite(values))).as_py():
        raise RowFault("overflow: a DOUBLE does not fit REAL")
    return result
