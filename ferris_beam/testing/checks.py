"""What a check is: a function over a case, whose docstring is what the author of a connector reads.

The docstring's first paragraph says what the contract demands, the second one why. A check that
fails raises `ConformanceError` with what was found, the demand and the reason; one that does not
concern the case raises `NotApplicable`.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NoReturn, TypeVar

Case = TypeVar("Case")


class ConformanceError(AssertionError):
    """A connector breaks its contract."""


class NotApplicable(Exception):
    """The case gives nothing that this check could look at; the text says what it would need."""


class Violation(Exception):
    """What a check found; `Check` adds the demand and the reason."""


@dataclass(frozen=True, slots=True)
class Check(Generic[Case]):
    """One check. Call it with a case."""

    name: str
    demand: str
    reason: str
    body: Callable[[Case], None]

    @classmethod
    def of(cls, body: Callable[[Case], None]) -> Check[Case]:
        demand, _, reason = inspect.cleandoc(body.__doc__ or "").partition("\n\n")
        return cls(body.__name__, _line(demand), _line(reason), body)

    def __call__(self, case: Case) -> None:
        try:
            self.body(case)
        except Violation as violation:
            raise ConformanceError(self._explain(str(violation))) from violation.__cause__
        except (NotApplicable, ConformanceError):
            raise
        except Exception as error:
            raise ConformanceError(self._explain(described(error))) from error

    def _explain(self, found: str) -> str:
        return f"{found}\n\nThe contract: {_wrapped(self.demand)}\nWhy: {_wrapped(self.reason)}"


def demand(condition: object, found: str) -> None:
    """Fails the check with what was found unless ``condition`` is true."""
    if not condition:
        fail(found)


def fail(found: str, cause: BaseException | None = None) -> NoReturn:
    raise Violation(found) from cause


def described(error: BaseException) -> str:
    """An exception with its full name, as tracebacks show it."""
    kind = type(error)
    return f"{kind.__module__}.{kind.__qualname__}: {error}"


def _line(paragraph: str) -> str:
    return " ".join(paragraph.split())


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 96, subsequent_indent="  ")
