"""The user's own functions of a Python module: ``--functions my_package.my_functions``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module

from ferris_beam.errors import SqlError
from ferris_beam.sql.functions.registry import using
from ferris_beam.sql.functions.user import UserFunction


@contextmanager
def using_modules(modules: Iterable[str]) -> Iterator[None]:
    """Within it, SQL may call the functions of these modules, which are looked for in the working
    directory, too. `SqlError` as `functions_of`."""
    names = list(modules)
    if names and os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    with using(function for name in names for function in functions_of(name)):
        yield


def functions_of(module: str) -> tuple[UserFunction, ...]:
    """All functions that ``@fb.function`` has made in ``module``, which is imported.

    `SqlError` if there is no such module, or none in it.
    """
    try:
        imported = import_module(module)
    except ModuleNotFoundError as error:
        raise SqlError(
            f"there is no module {error.name!r} (for functions of {module}); "
            "give the dotted name of one that Python finds, such as my_package.my_functions"
        ) from error
    found = tuple(each for each in vars(imported).values() if isinstance(each, UserFunction))
    if not found:
        raise SqlError(f"the module {module} has no functions; @fb.function declares them")
    return found
