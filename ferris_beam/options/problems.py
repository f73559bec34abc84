"""What can be wrong with options: sentences that also say of which kind they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, TypeAlias

from ferris_beam.errors import ConfigurationError, ConfigurationErrors
from ferris_beam.uri import Uri

__all__ = ["Kind", "Problem", "Problems"]

Kind: TypeAlias = Literal[
    "MissingRequired",
    "UnknownOption",
    "InvalidValue",
    "OutOfRange",
    "ConflictingParameters",
    "InvalidCombination",
]


class Problem(str):
    """One sentence of `ConfigurationErrors.problems`, with its kind and the option's name."""

    __slots__ = ("kind", "option")

    kind: Kind
    option: str

    def __new__(cls, text: str, kind: Kind, option: str) -> Problem:
        problem = super().__new__(cls, text)
        problem.kind = kind
        problem.option = option
        return problem

    def __getnewargs__(self) -> tuple[str, Kind, str]:  # type: ignore[override]
        return str(self), self.kind, self.option


class Problems(list[str]):
    """The problems of one endpoint, gathered until they are raised together."""

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Adds what is raised inside instead of raising it."""
        try:
            yield
        except ConfigurationErrors as error:
            self.extend(error.problems)
        except ConfigurationError as error:
            self.append(error.message)

    def raise_if_any(self, uri: Uri) -> None:
        """ConfigurationErrors headed by the URI without its options."""
        if self:
            count = "1 problem" if len(self) == 1 else f"{len(self)} problems"
            raise ConfigurationErrors(f"{uri.without_options()} has {count}", self)
