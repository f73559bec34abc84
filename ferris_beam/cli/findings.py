"""What is wrong about an endpoint, and what is odd about it: findings with stable codes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ferris_beam.errors import (
    ConfigurationError,
    ConfigurationErrors,
    FerrisError,
    MissingDependencyError,
    UnknownSchemeError,
    UriError,
)

Level = Literal["error", "warning"]
_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. ``code`` is stable, for scripts; ``text`` says what to do; ``option`` is
    the option or the variable that it is about, if any."""

    level: Level
    code: str
    text: str
    option: str | None = None

    def document(self) -> dict[str, Any]:
        return asdict(self)


_CODES: tuple[tuple[type[FerrisError], str], ...] = (
    (UriError, "invalid-uri"),
    (UnknownSchemeError, "unknown-scheme"),
    (MissingDependencyError, "missing-dependency"),
    (ConfigurationError, "invalid-endpoint"),
    (FerrisError, "cannot-connect"),
)

CONNECTION_FAILED = "cannot-connect"


def errors_of(error: FerrisError, unset: frozenset[str] = frozenset()) -> Iterator[Finding]:
    """The findings that an error stands for; ``unset`` are problems of variables, in words."""
    if isinstance(error, ConfigurationErrors):
        for problem in error.problems:
            yield _of_problem(problem, unset)
        return
    code = next(code for kind, code in _CODES if isinstance(error, kind))
    yield Finding("error", code, error.message)


def _of_problem(problem: str, unset: frozenset[str]) -> Finding:
    kind: str | None = getattr(problem, "kind", None)
    if kind is not None:
        return Finding("error", in_kebab_case(kind), problem[:], getattr(problem, "option", None))
    return Finding("error", "unset-variable" if problem in unset else "invalid-endpoint", problem)


def in_kebab_case(name: str) -> str:
    return _CAPITAL.sub("-", name).lower()


def attempted(
    action: Callable[[], Any], found: list[Finding], unset: frozenset[str] = frozenset()
) -> Any:
    """The result of ``action``, or None where it raised an error, whose findings are added."""
    try:
        return action()
    except FerrisError as error:
        known = {finding.text for finding in found}
        found += [each for each in errors_of(error, unset) if each.text not in known]
        return None


def problems_of_variables(
    expand: Callable[[Mapping[str, str]], Any], environment: Mapping[str, str]
) -> frozenset[str]:
    """What is wrong with the variables of a URI, in the words of those who expand them."""
    try:
        expand(environment)
    except ConfigurationErrors as error:
        return frozenset(error.problems)
    except ConfigurationError:
        pass
    return frozenset()


def has_errors(findings: Iterable[Finding]) -> bool:
    return any(finding.level == "error" for finding in findings)
