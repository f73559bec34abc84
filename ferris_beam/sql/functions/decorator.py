"""``@fb.function``: SQL functions written in Python."""

from __future__ import annotations

import datetime
import inspect
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

import pyarrow as pa

from ferris_beam.errors import SqlError
from ferris_beam.formats.types import data_type
from ferris_beam.sql.functions import registry
from ferris_beam.sql.functions.user import UserAggregate, UserFunction, check_name

_PYTHON = {
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
    bytes: pa.binary(),
    datetime.date: pa.date32(),
    datetime.datetime: pa.timestamp("us"),
}
_Type: TypeAlias = "pa.DataType | str | type"


def function(
    run: Callable[..., Any] | type | None = None,
    *,
    returns: _Type | None = None,
    arguments: Sequence[_Type] | None = None,
    name: str | None = None,
    kind: Literal["scalar", "aggregate"] = "scalar",
    volatile: bool = False,
) -> Any:
    """Makes a function that SQL can call of a Python function over Arrow arrays.

    ::

        @fb.function(returns=pa.string(), arguments=[pa.string()])
        def shout(texts: pa.Array) -> pa.Array:
            return pc.binary_join_element_wise(pc.utf8_upper(texts), "!", "")

        @fb.function(kind="aggregate")
        def spread(values: "double") -> "double":
            return pc.max(values).as_py() - pc.min(values).as_py()

        rows | fb.sql("SELECT shout(name) FROM rows", functions=[shout])

    Types are Arrow's, their names (``"decimal(10,2)"``), or Python's (``int``: BIGINT); without
    ``returns`` and ``arguments`` the annotations tell them. A scalar function gets one array for
    each argument and returns one of the same length; NULLs are its own affair. An aggregate
    function gets all rows of a group and returns one value. One that can be merged is a class with
    ``state_type``, ``state(*arrays)``, ``merge(states)`` and, if need be, ``finish(state)``::

        @fb.function(kind="aggregate", returns=pa.float64(), arguments=[pa.float64()])
        class geometric_mean:
            state_type = pa.struct({"logs": pa.float64(), "rows": pa.int64()})

            def state(values): ...
            def merge(states): ...
            def finish(state): ...

    What a function raises is the fault of a row: it becomes a dead letter, or fails a strict job.
    Raises `SqlError` for a name that SQL has already, and for types that are missing or unknown.
    """
    if run is None:
        return lambda decorated: function(
            decorated,
            returns=returns,
            arguments=arguments,
            name=name,
            kind=kind,
            volatile=volatile,
        )
    called = check_name(name or run.__name__, registry.find)
    if kind == "aggregate" and isinstance(run, type):
        return _mergeable(run, called, returns, arguments)
    given, result = _types(run, called, returns, arguments)
    doc = inspect.getdoc(run) or ""
    if kind == "aggregate":
        return UserAggregate(called, given, result, run, doc=doc)
    return UserFunction(called, given, result, run, volatile, doc)


def _mergeable(
    cls: type, name: str, returns: _Type | None, arguments: Sequence[_Type] | None
) -> UserAggregate:
    missing = [part for part in ("state_type", "state", "merge") if not hasattr(cls, part)]
    if missing:
        raise SqlError(
            f"the aggregate function {name} lacks {', '.join(missing)}; "
            "one that isn't mergeable is a plain function"
        )
    given, result = _types(cls.state, name, returns, arguments)  # type: ignore[attr-defined]
    run = _Named(cls.state, cls.__module__, cls.__qualname__)  # type: ignore[attr-defined]
    return UserAggregate(
        name,
        given,
        result,
        run,
        doc=inspect.getdoc(cls) or "",
        state_type=_data_type(cls.state_type, name),  # type: ignore[attr-defined]
        merge=cls.merge,  # type: ignore[attr-defined]
        finish=getattr(cls, "finish", None),
    )


class _Named:
    """A function of a class, found under the name of the class that was decorated."""

    def __init__(self, run: Callable[..., Any], module: str, qualname: str) -> None:
        self.run = run
        self.__module__ = module
        self.__qualname__ = qualname

    def __call__(self, *arrays: pa.Array) -> Any:
        return self.run(*arrays)


def _types(
    run: Callable[..., Any],
    name: str,
    returns: _Type | None,
    arguments: Sequence[_Type] | None,
) -> tuple[tuple[pa.DataType, ...], pa.DataType]:
    signature = inspect.signature(run)
    parameters = list(signature.parameters.values())
    if arguments is None:
        arguments = [_annotation(run, part.annotation, name, part.name) for part in parameters]
    elif not _takes(signature, len(arguments)):
        raise SqlError(
            f"the function {name} is declared with {len(arguments)} arguments and takes "
            f"{len(parameters)}; make both agree"
        )
    if not arguments:
        raise SqlError(f"the function {name} has no argument; it needs one to know how many rows")
    if returns is None:
        returns = _annotation(run, signature.return_annotation, name, "its result")
    given = tuple(_data_type(argument, name) for argument in arguments)
    return given, _data_type(returns, name)


def _takes(signature: inspect.Signature, count: int) -> bool:
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True


def _annotation(run: Callable[..., Any], given: Any, name: str, what: str) -> _Type:
    """What an annotation says, which may be a text that stands for an expression or a type."""
    if isinstance(given, str):
        text = given.strip("'\" ")
        try:
            given = eval(text, getattr(run, "__globals__", {}))
        except Exception:
            given = text
    if given is inspect.Parameter.empty or given in (pa.Array, pa.Scalar, Any):
        raise SqlError(
            f"the function {name} doesn't tell the type of {what}; "
            "write @fb.function(returns=pa.int64(), arguments=[pa.string()])"
        )
    return given


def _data_type(given: Any, name: str) -> pa.DataType:
    if isinstance(given, pa.DataType):
        return given
    if isinstance(given, type) and given in _PYTHON:
        return _PYTHON[given]
    try:
        return data_type(str(given))
    except ValueError as error:
        raise SqlError(
            f"the function {name}: {error}; give Arrow types such as pa.int64()"
        ) from None
