"""Functions in a module of their own: workers import them by reference."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

import ferris_beam as fb


@fb.function(returns=pa.string(), arguments=[pa.string()])
def shout(texts: pa.Array) -> pa.Array:
    """Capital letters and an exclamation mark.

    More about it."""
    return pc.binary_join_element_wise(pc.utf8_upper(texts), "!", "")


@fb.function
def tenth(numbers: int) -> float:
    return pc.divide(pc.cast(numbers, pa.float64()), 10.0)  # type: ignore[no-any-return]


@fb.function(kind="aggregate")
def spread(values: double) -> double:  # type: ignore[name-defined]  # noqa: F821
    return pc.subtract(pc.max(values), pc.min(values))


@fb.function(kind="aggregate", returns=pa.float64(), arguments=[pa.float64()])
class quadratic_mean:
    """The root of the mean of squares."""

    state_type = pa.struct({"squares": pa.float64(), "rows": pa.int64()})

    def state(values: pa.Array) -> dict[str, object]:
        squares = pc.sum(pc.multiply(values, values), min_count=0).as_py()
        return {"squares": squares, "rows": len(values) - values.null_count}

    def merge(states: pa.Array) -> dict[str, object]:
        squares, rows = states.flatten()
        return {"squares": pc.sum(squares).as_py(), "rows": pc.sum(rows).as_py()}

    def finish(state: pa.Scalar) -> float | None:
        squares, rows = state["squares"].as_py(), state["rows"].as_py()
        return float((squares / rows) ** 0.5) if rows else None
