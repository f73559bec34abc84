"""Functions of doubles that fail where the engine's give an infinity or NaN for plain numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def finite(name: str, run: Callable[..., np.ndarray]) -> Callable[..., pa.Array]:
    """``run`` over doubles; ``ValueError`` where finite numbers give none, as in PostgreSQL."""

    def checked(*given: pa.Array) -> pa.Array:
        columns = [np.asarray(pc.fill_null(column, np.nan)) for column in given]
        with np.errstate(all="ignore"):
            result = run(*columns)
        wrong = ~np.isfinite(result) & np.logical_and.reduce(
            [np.isfinite(each) for each in columns]
        )
        if wrong.any():
            place = int(np.argmax(wrong))
            shown = ", ".join(f"{column[place]:g}" for column in columns)
            why = "has no value" if np.isnan(result[place]) else "is not finite"
            raise ValueError(f"overflow or bad argument: {name}({shown}) {why}")
        missing = np.logical_or.reduce([np.asarray(pc.is_null(column)) for column in given])
        return pa.array(result, pa.float64(), mask=missing)

    return checked


def logarithm(base: np.ndarray, number: np.ndarray) -> np.ndarray:
    result: np.ndarray = np.log(number) / np.log(base)
    exact = np.rint(result)
    return np.where(np.power(base, exact) == number, exact, result)
