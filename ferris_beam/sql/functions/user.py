"""Functions of the user's own: Python over Arrow arrays, called from SQL by their name.

`function` makes an object of what it decorates; `fb.sql(text, functions=[…])` takes such objects.
They travel to workers inside the plan: by reference if they can be imported there, else by value,
as Beam does it with cloudpickle.
"""

from __future__ import annotations

import re
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from ferris_beam.errors import SqlError
from ferris_beam.transforms.fingerprint import function_fingerprint

_NAME = re.compile(r"[a-z_][a-z0-9_]*")


def _token() -> str:
    return uuid.uuid4().hex[:12]


@dataclass(frozen=True, eq=False, repr=False)
class UserFunction:
    """A scalar function: ``run`` gets one `pyarrow.Array` for each of ``arguments`` and returns an
    array of type ``returns``, as long as they are. What ``run`` raises rejects the row that is at
    fault, which the engine finds by halving the batch.

    ``volatile``: other values for the same arguments. ``token`` tells apart, within one process,
    functions of the same name that different queries use.
    """

    name: str
    arguments: tuple[pa.DataType, ...]
    returns: pa.DataType
    run: Callable[..., Any]
    volatile: bool = False
    doc: str = ""
    token: str = field(default_factory=_token)

    @property
    def engine(self) -> str:
        """The name that the engine knows it by."""
        return f"user_{self.name}_{self.token}"

    @property
    def signature(self) -> str:
        return f"{self.name}({', '.join(map(str, self.arguments))})"

    def __call__(self, *arrays: pa.Array) -> Any:
        return self.run(*arrays)

    def __repr__(self) -> str:
        """The same in every process, and changed when what it does is: plans are compared by it."""
        return f"{self.signature} -> {self.returns}: {function_fingerprint(self.run)}"

    def __hash__(self) -> int:
        return hash(self.token)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UserFunction) and self.token == other.token

    def __reduce__(self) -> tuple[Any, ...]:
        module = getattr(self.run, "__module__", None)
        path = getattr(self.run, "__qualname__", "<lambda>")
        if module not in (None, "__main__") and _imported(module, path) is not None:
            return _referenced, (module, path, self.token)
        import cloudpickle  # type: ignore[import-untyped]

        # A tuple, not the object: cloudpickle would ask it again how it is pickled.
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return _by_value, (type(self), cloudpickle.dumps(values))


@dataclass(frozen=True, eq=False, repr=False)
class UserAggregate(UserFunction):
    """An aggregate function.

    ``run(*arrays)`` gets all rows of one group (never none) and returns its value: a Python value
    or a `pyarrow.Scalar`. With ``state_type`` it is mergeable instead, so that not all rows have to
    meet: ``run`` returns the state of some rows of a group, ``merge(states)`` one state of an
    array of them, and ``finish(state)`` (None: the state itself) the group's value. Merging must
    not depend on the order of the states or on how the rows were cut.
    """

    state_type: pa.DataType | None = None
    merge: Callable[[pa.Array], Any] | None = None
    finish: Callable[[Any], Any] | None = None

    def __repr__(self) -> str:
        steps = [function_fingerprint(each) for each in (self.merge, self.finish) if each]
        return " ".join([super().__repr__(), *steps])

    @property
    def mergeable(self) -> bool:
        return self.merge is not None

    def state_of(self, *arrays: pa.Array) -> pa.Scalar:
        """The state of some rows of a group, if it is mergeable."""
        return self._scalar(guarded(self, self.run, *arrays), self._state_type)

    def merged(self, states: pa.Array) -> pa.Scalar:
        """One state for several of the same group."""
        assert self.merge is not None
        return self._scalar(guarded(self, self.merge, states), self._state_type)

    def finished(self, state: pa.Scalar) -> pa.Scalar:
        """The value of a group whose state this is."""
        value = state if self.finish is None else guarded(self, self.finish, state)
        return self._scalar(value, self.returns)

    def reduce(self, *arrays: pa.Array) -> pa.Scalar:
        """The value of a group whose rows these are; NULL if there are none."""
        if len(arrays[0]) == 0:
            return pa.scalar(None, self.returns)
        if self.mergeable:
            return self.finished(self.state_of(*arrays))
        return self._scalar(guarded(self, self.run, *arrays), self.returns)

    @property
    def _state_type(self) -> pa.DataType:
        assert self.state_type is not None
        return self.state_type

    def _scalar(self, value: Any, wanted: pa.DataType) -> pa.Scalar:
        try:
            if isinstance(value, pa.Scalar):
                return value if value.type == wanted else value.cast(wanted)
            return pa.scalar(value, wanted)
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise ValueError(
                f"the function {self.name} has returned {value!r}, which is no {wanted}: {error}"
            ) from error


def guarded(function: UserFunction, run: Callable[..., Any], *arguments: Any) -> Any:
    """What ``run`` returns; what it raises becomes a ``ValueError`` that names the function."""
    try:
        return run(*arguments)
    except Exception as error:
        raise ValueError(
            f"the function {function.name} has failed: {type(error).__name__}: {error}"
        ) from error


def run_arrays(function: UserFunction, *arrays: pa.Array) -> pa.Array:
    """The function's values for these rows, of exactly its type; ``TypeError`` where it returns
    anything else, which is the fault of no row."""
    result = guarded(function, function.run, *arrays)
    if isinstance(result, pa.ChunkedArray):
        result = result.combine_chunks()
    if not isinstance(result, pa.Array):
        raise TypeError(
            f"the function {function.name} must return a pyarrow.Array, not "
            f"{type(result).__name__}; pa.array(values, {function.returns}) makes one"
        )
    if arrays and len(result) != len(arrays[0]):
        raise TypeError(
            f"the function {function.name} was given {len(arrays[0])} rows and has returned "
            f"{len(result)}; it must return one value for each"
        )
    return result if result.type == function.returns else _cast(function, result)


def _cast(function: UserFunction, result: pa.Array) -> pa.Array:
    try:
        return result.cast(function.returns)
    except pa.ArrowNotImplementedError:
        raise TypeError(
            f"the function {function.name} is declared to return {function.returns}, and has "
            f"returned {result.type}"
        ) from None


def check_name(name: str, taken: Callable[[str], object]) -> str:
    """The name in small letters; `SqlError` if it is no name or one that SQL has already."""
    folded = name.lower()
    if not _NAME.fullmatch(folded):
        raise SqlError(
            f"{name!r} can't be the name of a function: letters, digits and _ are allowed; "
            "give another one: function(name='…')"
        )
    if taken(folded):
        raise SqlError(
            f"there is a function {folded} already; give yours another name: function(name='…')"
        )
    return folded


def _imported(module: str, path: str) -> UserFunction | None:
    """The function that ``module`` holds under this path, if it is one of ours."""
    found: Any = sys.modules.get(module)
    for part in path.split("."):
        found = getattr(found, part, None)
    return found if isinstance(found, UserFunction) else None


def _referenced(module: str, path: str, token: str) -> UserFunction:
    __import__(module)
    found = _imported(module, path)
    if found is None:
        raise SqlError(f"{module} has no SQL function {path} any more; start the pipeline again")
    return replace(found, token=token)


def _by_value(cls: type[UserFunction], dumped: bytes) -> UserFunction:
    import cloudpickle

    return cls(**cloudpickle.loads(dumped))
