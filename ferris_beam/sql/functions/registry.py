"""All functions that SQL may call, by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from difflib import get_close_matches
from functools import cache

from sqlglot import exp

from ferris_beam.errors import SqlError
from ferris_beam.sql.functions import catalog
from ferris_beam.sql.functions.definition import Function
from ferris_beam.sql.functions.typed import name_and_arguments
from ferris_beam.sql.functions.user import UserAggregate, UserFunction


def find(name: str) -> Function | None:
    """The function of this name or alias, in any case."""
    folded = name.lower()
    return _by_name().get(folded) or _USERS.get().get(folded)


def functions() -> tuple[Function, ...]:
    """All of them, in the order of their categories."""
    return catalog.FUNCTIONS


def near(name: str) -> list[str]:
    """Up to three names that look like ``name``, the best first."""
    shown = [known for known, function in _by_name().items() if not function.internal]
    return get_close_matches(name.lower(), [*shown, *_USERS.get()], n=3)


def of(expression: exp.Expression) -> Function | None:
    """The function that ``expression`` itself calls; None where it is no call of a known one."""
    call = name_and_arguments(expression)
    return None if call is None else find(call[0])


def is_aggregate(expression: exp.Expression) -> bool:
    """Whether ``expression`` itself is a call of an aggregate function."""
    function = of(expression)
    if function is not None:
        return function.kind == "aggregate"
    return isinstance(expression, exp.AggFunc)


def is_volatile(expression: exp.Expression) -> bool:
    """Whether ``expression`` itself calls a function whose value differs from call to call."""
    function = of(expression)
    return function is not None and function.volatile


@contextmanager
def using(given: Iterable[UserFunction]) -> Iterator[None]:
    """Within it, SQL may call these functions of the user's own, too (in this thread and task).

    `SqlError` for two of the same name.
    """
    known = dict(_USERS.get())
    for user in given:
        if not isinstance(user, UserFunction):
            raise SqlError(f"functions are made by @fb.function; {user!r} is none")
        if user.name in known and known[user.name].user != user:
            raise SqlError(f"two functions are called {user.name}; rename one: function(name='…')")
        known[user.name] = _of_user(user)
    token = _USERS.set(known)
    try:
        yield
    finally:
        _USERS.reset(token)


def users() -> tuple[UserFunction, ...]:
    """The user's own functions that SQL may call here."""
    return tuple(each.user for each in _USERS.get().values() if each.user is not None)


def users_in(expression: exp.Expression) -> tuple[UserFunction, ...]:
    """The user's own functions that an expression calls after `rewrite`, each once."""
    by_engine = {user.engine: user for user in users()}
    found = {node.name: by_engine.get(node.name) for node in expression.find_all(exp.Anonymous)}
    return tuple(user for user in found.values() if user is not None)


def _of_user(user: UserFunction) -> Function:
    count = len(user.arguments)
    return Function(
        name=user.name,
        kind="aggregate" if isinstance(user, UserAggregate) else "scalar",
        category="yours",
        signature=user.signature,
        summary=user.doc.partition("\n")[0],
        examples=(),
        engine=user.engine,
        least=count,
        most=count,
        volatile=user.volatile,
        user=user,
    )


_USERS: ContextVar[Mapping[str, Function]] = ContextVar("user_functions", default={})  # noqa: B039


@cache
def _by_name() -> dict[str, Function]:
    found: dict[str, Function] = {}
    for function in catalog.FUNCTIONS:
        for name in function.names:
            if name in found:
                raise ValueError(f"two functions are called {name}")
            found[name] = function
    return found
