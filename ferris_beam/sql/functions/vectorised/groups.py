"""Arguments that are the same for many rows: a path, a pattern, a format.

The engine hands over a whole array of them. Mostly it holds one value, so that a function can work
through all rows at once; else it works once for each different value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def constant(values: pa.Array) -> tuple[Any] | None:
    """The value that all rows have (in a tuple, since it may be None); None: they differ."""
    if len(values) == 0:
        return (None,)
    if values.null_count == len(values):
        return (None,)
    if values.null_count:
        return None
    first = values[0]
    if len(values) > 1 and not pc.all(pc.equal(values, first)).as_py():
        return None
    return (first.as_py(),)


def per_value(
    values: pa.Array, returns: pa.DataType, run: Callable[..., pa.Array], *others: pa.Array
) -> pa.Array:
    """``run(value, *others)`` for the rows of each different ``value``; NULL where it is NULL."""
    same = constant(values)
    if same is not None:
        (value,) = same
        return pa.nulls(len(values), returns) if value is None else run(value, *others)
    encoded = values.dictionary_encode()
    codes = np.asarray(pc.fill_null(encoded.indices, -1))
    order = np.argsort(codes, kind="stable")
    chunks: list[pa.Array] = []
    for code, value in [(-1, None), *enumerate(encoded.dictionary.to_pylist())]:
        rows = pa.array(np.flatnonzero(codes == code))
        if len(rows) and value is None:
            chunks.append(pa.nulls(len(rows), returns))
        elif len(rows):
            chunks.append(run(value, *(other.take(rows) for other in others)))
    back = np.empty(len(order), dtype=np.int64)
    back[order] = np.arange(len(order))
    return pa.concat_arrays([chunk.cast(returns) for chunk in chunks]).take(pa.array(back))


def per_distinct(values: pa.Array, returns: pa.DataType, run: Callable[[Any], Any]) -> pa.Array:
    """``run`` in Python for each different value that isn't NULL, which many rows may share."""
    encoded = values.dictionary_encode()
    results = [None if value is None else run(value) for value in encoded.dictionary.to_pylist()]
    return pa.array(results, returns).take(encoded.indices)
