"""Variables of the environment in URIs, options and SQL: `${NAME}` and its two shell-like forms.

====================  ======================================================
`${NAME}`             the variable; an error if it isn't set
`${NAME:-default}`    the default if the variable isn't set or is empty
`${NAME:?message}`    an error with this message if it isn't set or is empty
`$${NAME}`            the text `${NAME}`
====================  ======================================================

Names of variables are in UPPER CASE. Everything else in braces (`${year}`, `${Region}`) is a
template that belongs to a connector and stays as it is. Values are inserted as they are, and what
they hold is not expanded again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ferris_beam.errors import ConfigurationErrors

__all__ = ["expand_all", "expand_variables"]

_VARIABLE = re.compile(r"\$(\$\{)|\$\{([A-Z_][A-Z0-9_]*)(?![A-Za-z0-9_])([^}]*)(\}?)")


def expand_variables(text: str, environment: Mapping[str, str]) -> str:
    """The text with its variables replaced; ConfigurationErrors lists all that can't be."""
    return expand_all([text], environment)[0]


def expand_all(texts: Iterable[str], environment: Mapping[str, str]) -> list[str]:
    """As `expand_variables`, for several texts whose problems are reported together."""
    problems: list[str] = []

    def value_of(match: re.Match[str]) -> str:
        if match[1]:
            return match[1]
        value, problem = _expansion(match[2], match[3], match[4], environment)
        if problem and problem not in problems:
            problems.append(problem)
        return value

    expanded = [_VARIABLE.sub(value_of, text) for text in texts]
    if problems:
        raise ConfigurationErrors("variables can't be replaced", problems)
    return expanded


def _expansion(
    name: str, rest: str, brace: str, environment: Mapping[str, str]
) -> tuple[str, str | None]:
    """The value of one variable, and the problem if there is no value."""
    if not brace:
        return "", f"${{{name} has no closing brace; write ${{{name}}}"
    if "${" in rest:
        return "", f"${{{name}…}} holds another variable, which isn't supported; set {name} instead"
    value = environment.get(name)
    if not rest:
        unset = f"the variable {name} is not set; export it, or write ${{{name}:-default}}"
        return value or "", unset if value is None else None
    if rest.startswith(":-"):
        return value or rest[2:], None
    if rest.startswith(":?"):
        return value or "", None if value else f"the variable {name} is not set: {rest[2:]}"
    forms = f"${{{name}}}, ${{{name}:-default}} or ${{{name}:?message}}"
    return "", f"${{{name}…}} is not understood; write {forms}"
