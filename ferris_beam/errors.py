"""Every exception of the framework.

::

    FerrisError
    ├── ConfigurationError            what was asked for can't be done; found before the start
    │   ├── ConfigurationErrors       all problems of one endpoint or command at once
    │   ├── UriError                  a URI that can't be parsed
    │   ├── OptionError               an option that is unknown, missing or has a bad value
    │   ├── UnknownSchemeError        no connector for this scheme
    │   ├── MissingDependencyError    a package that must be installed first
    │   ├── SqlError                  SQL that is wrong or asks for what can't be done; has a caret
    │   ├── PlanError                 the graph of the pipeline can't be run as demanded
    │   └── IdentityError             an unfinished, finished or changed plan needs a decision
    ├── TransientError                try again: network, timeouts, conflicts
    │   ├── ConflictError             part of a bundle is committed already: repeat the bundle
    │   └── UnreachableError          nobody answers: a server that is down, or the way to it
    ├── BadRecordError                the fault of one row; the others are fine
    └── FatalError                    stop, and say what to do
        ├── SourceChangedError        what was read is no longer what is there
        ├── SupersededError           a newer run has taken over this sink
        ├── RejectedRowError          strict mode: a rejected row stopped the job
        └── SchemaError               columns or types that don't fit

The first line of a message says what went wrong. Further lines (a caret, a list of problems) are
shown indented by two spaces: so a message has an end that can be seen in the text of a traceback,
which is all that some runners return of a worker's exception. `find_in_text` reads it back.

Exceptions cross process borders: each can be built again from its `args`, whose first item is the
message. Beam relies on the same when it appends `[while running 'Step']`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = [
    "BadRecordError",
    "ConfigurationError",
    "ConfigurationErrors",
    "ConflictError",
    "FatalError",
    "FerrisError",
    "IdentityError",
    "MissingDependencyError",
    "OptionError",
    "PlanError",
    "RejectedRowError",
    "SchemaError",
    "SourceChangedError",
    "SqlError",
    "SupersededError",
    "TransientError",
    "UnknownSchemeError",
    "UnreachableError",
    "UriError",
    "find_in_text",
]


class FerrisError(Exception):
    """The base of all errors of the framework; `message` is the text as it was given."""

    def __init__(self, message: str, *details: object) -> None:
        super().__init__(message, *details)

    @property
    def message(self) -> str:
        """The message without the indentation that `str` gives to further lines."""
        return str(self.args[0])

    def __str__(self) -> str:
        return self.message.replace("\n", "\n  ")

    @classmethod
    def from_message(cls, message: str) -> Self:
        """The error that shows this message; details other than the message are lost."""
        return cls(message)


class ConfigurationError(FerrisError):
    """What was asked for can't be done; raised before anything starts."""


class ConfigurationErrors(ConfigurationError):
    """All problems of one endpoint or command at once.

    `headline` says where they are ("kafka://broker/orders (source)"), `problems` are complete
    sentences, each with what to do.
    """

    def __init__(self, headline: str, problems: Iterable[str] = ()) -> None:
        self.problems: tuple[str, ...] = tuple(problems)
        super().__init__(headline, self.problems)

    @property
    def headline(self) -> str:
        return str(self.args[0])

    @property
    def message(self) -> str:
        bullets = ("- " + problem.replace("\n", "\n  ") for problem in self.problems)
        return "\n".join([self.headline, *bullets])

    @classmethod
    def from_message(cls, message: str) -> Self:
        headline, *problems = re.split(r"\n- ", message)
        return cls(_without_step(headline), [problem.replace("\n  ", "\n") for problem in problems])


class UriError(ConfigurationError):
    """A URI that can't be parsed. The message never repeats a part that could be a secret."""


class OptionError(ConfigurationError):
    """An option that is unknown, missing, out of range or in conflict with another one."""


class UnknownSchemeError(ConfigurationError):
    """No connector is registered for the scheme of a URI."""


class MissingDependencyError(ConfigurationError):
    """An optional package is needed and not installed; the message names the command."""

    @classmethod
    def of(cls, package: str, purpose: str) -> Self:
        """`MissingDependencyError.of("PyYAML", "ferris.yaml")`."""
        return cls(
            f"{purpose} needs the package {package}, which is not installed; "
            f"run: pip install '{package}'"
        )


class SqlError(ConfigurationError):
    """SQL that is wrong, or asks for what can't be done; the message shows where, with a caret."""


class PlanError(ConfigurationError):
    """The graph of the pipeline can't be run as demanded."""


class IdentityError(ConfigurationError):
    """A pipeline of this name is unfinished, finished or has changed: the user must decide."""


class TransientError(FerrisError):
    """Worth another try: the network, a timeout, a conflict, a server that restarts."""


class ConflictError(TransientError):
    """A part of what was to be committed is committed already; the bundle must be repeated."""


class UnreachableError(TransientError):
    """Nobody answers, or what is wanted is in another's hands. Tried again for a few seconds,
    however many tries that takes: a server that restarts is waited for, and of one that is gone
    the user soon hears."""


class BadRecordError(FerrisError):
    """The fault of one row.

    `reason` is a short label to group rejected rows by ("not a number"), `row` the index of the
    row within its batch, counted from 0; both are None where the store doesn't tell. `category` is
    that of its dead letter, where it isn't the one of whoever rejects the row.
    """

    def __init__(
        self,
        message: str,
        reason: str | None = None,
        row: int | None = None,
        category: str | None = None,
    ) -> None:
        super().__init__(message, reason, row, category)
        self.reason = reason
        self.row = row
        self.category = category


class FatalError(FerrisError):
    """Another try can't help: stop. The message says what to do."""


class SourceChangedError(FatalError):
    """A source was partly read before and is no longer the same."""


class SupersededError(FatalError):
    """A newer run of the same pipeline has claimed this sink; the older one must stop."""


class RejectedRowError(FatalError):
    """Strict mode: a row was rejected and no dead letters were asked for."""


class SchemaError(FatalError):
    """Columns or types that don't fit together."""


_STEP = re.compile(r" \[while running '[^\n]*'\]\s*\Z")


def find_in_text(text: str) -> FerrisError | None:
    """The last of our errors that a traceback's text shows, built again from class and message.

    The last one, because tracebacks print causes first. Beam's note about the step is removed.
    Subclasses defined elsewhere are found if their module has been imported. None if there is
    no error of ours.
    """
    classes = {f"{cls.__module__}.{cls.__qualname__}": cls for cls in _with_subclasses(FerrisError)}
    shown = list(_shown_errors(classes).finditer(text))
    if not shown:
        return None
    message = (shown[-1]["message"] or "").replace("\n  ", "\n")
    return classes[shown[-1]["name"]].from_message(_without_step(message))


def _shown_errors(names: Iterable[str]) -> re.Pattern[str]:
    """Matches an exception as tracebacks show it: `dotted.name: message`.

    The name starts a line, or follows another exception's "RuntimeError: " where Beam couldn't
    build the same class again. The message ends before the first line that isn't indented.
    """
    alternatives = "|".join(re.escape(name) for name in names)
    return re.compile(
        rf"(?<![\w.])(?P<name>{alternatives})(?:: (?P<message>.*(?:\n  .*)*)|$)", re.MULTILINE
    )


def _without_step(message: str) -> str:
    """Without the ` [while running 'Step']` that Beam appends to a message."""
    return _STEP.sub("", message)


def _with_subclasses(cls: type[FerrisError]) -> Iterator[type[FerrisError]]:
    yield cls
    for subclass in cls.__subclasses__():
        yield from _with_subclasses(subclass)
