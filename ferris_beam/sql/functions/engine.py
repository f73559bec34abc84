"""Functions over Arrow arrays as DataFusion registers them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, partial
from typing import Any

import pyarrow as pa
from datafusion import Accumulator, SessionContext, udaf, udf

from ferris_beam.sql.functions import catalog
from ferris_beam.sql.functions.user import UserAggregate, UserFunction, run_arrays


def register_all(context: SessionContext) -> None:
    """Makes all scalar functions of ours known to a context."""
    for implementation in _ours():
        context.register_udf(implementation)


def register_users(context: SessionContext, functions: Iterable[UserFunction]) -> None:
    """Makes functions of the user's own known to a context, under their names for the engine."""
    for function in functions:
        if isinstance(function, UserAggregate):
            context.register_udaf(_aggregate(function))
        else:
            context.register_udf(_scalar(function))


@cache
def _ours() -> tuple[Any, ...]:
    return tuple(
        udf(
            function.vectorised.run,
            list(function.vectorised.arguments),
            function.vectorised.returns,
            "volatile" if function.volatile else "immutable",
            function.engine,
        )
        for function in catalog.FUNCTIONS
        if function.vectorised is not None
    )


def _scalar(function: UserFunction) -> Any:
    return udf(
        partial(run_arrays, function),
        list(function.arguments),
        function.returns,
        "volatile" if function.volatile else "immutable",
        function.engine,
    )


def _aggregate(function: UserAggregate) -> Any:
    kept = [pa.list_(argument) for argument in function.arguments]
    return udaf(
        partial(_Rows, function),
        list(function.arguments),
        function.returns,
        kept,
        "volatile" if function.volatile else "immutable",
        function.engine,
    )


class _Rows(Accumulator):
    """Keeps the rows of a group, of which the function is computed at the end."""

    def __init__(self, function: UserAggregate) -> None:
        self._function = function
        self._arrays: list[list[pa.Array]] = [[] for _ in function.arguments]

    def update(self, *values: pa.Array) -> None:
        for kept, array in zip(self._arrays, values, strict=True):
            kept.append(array)

    def merge(self, states: Any) -> None:
        for kept, lists in zip(self._arrays, states, strict=True):
            kept.append(lists.flatten())

    def state(self) -> list[pa.Scalar]:
        return [
            pa.ListArray.from_arrays([0, len(array)], array)[0] for array in self._concatenated()
        ]

    def evaluate(self) -> pa.Scalar:
        return self._function.reduce(*self._concatenated())

    def _concatenated(self) -> list[pa.Array]:
        return [
            pa.concat_arrays([pa.array([], kind), *arrays])
            for arrays, kind in zip(self._arrays, self._function.arguments, strict=True)
        ]
