"""Variables in a SQL text: ``${NAME}`` of the environment, ``${name}`` of ``--set name=value``.

=================================  ==============================================================
names given by ``--set``           are replaced wherever they stand, whatever their case
`${NAME}`, in UPPER CASE           is replaced as in URIs: `ferris_beam.variables` has the forms
the same in a quoted URI           stays: the endpoint replaces it itself, when it is opened, so
                                   that a password is in no plan and in no message
`${year}` in a string, comments    stay as they are: templates belong to connectors; outside of
                                   strings it is an error
=================================  ==============================================================

In a string or a quoted name a value's quotes are doubled: a value never ends the string that it
stands in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ferris_beam.errors import ConfigurationErrors
from ferris_beam.sql.syntax.lexical import Region, regions
from ferris_beam.sql.text import Replacement, SqlText
from ferris_beam.variables import expand_variables

_VARIABLE = re.compile(r"\$?\$\{([A-Za-z_][A-Za-z0-9_]*)([^}]*)\}")
_URI = re.compile(r"'[A-Za-z][A-Za-z0-9+.-]*://")
_QUOTES = {"string": "'", "escaped": "'", "name": '"'}


def replace_variables(
    text: SqlText, environment: Mapping[str, str], given: Mapping[str, str] | None = None
) -> SqlText:
    """The text with its variables replaced, which remembers where they stood.

    Raises `SqlError` with a caret under a variable that is not set, or has no value.
    """
    parts: list[str] = []
    replacements: list[Replacement] = []
    length = copied = 0
    for start, end, value in _values(text, environment, given or {}):
        parts += [text.text[copied:start], value]
        length += start - copied
        replacements.append(Replacement((start, end), (length, length + len(value))))
        length += len(value)
        copied = end
    if not replacements:
        return text
    parts.append(text.text[copied:])
    return SqlText("".join(parts), text.name, text.text, tuple(replacements))


def _values(
    text: SqlText, environment: Mapping[str, str], given: Mapping[str, str]
) -> Iterator[tuple[int, int, str]]:
    for region in regions(text):
        if "comment" in region.kind:
            continue
        in_uri = region.kind == "string" and _URI.match(text.text, region.start) is not None
        for match in _VARIABLE.finditer(text.text, region.start, region.end):
            value = _value(text, match, environment, given, in_uri)
            if value == match[0] and region.kind == "code":
                hint = f"give it by --set {match[1]}=…; variables of the environment are UPPER CASE"
                raise text.error(f"the variable {match[1]} has no value", match.span(), hint)
            if value is not None and value != match[0]:
                yield match.start(), match.end(), _quoted(value, region)


def _value(
    text: SqlText,
    match: re.Match[str],
    environment: Mapping[str, str],
    given: Mapping[str, str],
    in_uri: bool,
) -> str | None:
    """What replaces the variable; None leaves it where it is."""
    name, rest = match[1], match[2]
    if not match[0].startswith("$$") and name in given and (not rest or rest.startswith(":")):
        return given[name]
    if in_uri:
        return None
    try:
        return expand_variables(match[0], environment)
    except ConfigurationErrors as error:
        problem = error.problems[0]
        message, _, hint = problem.partition("; ")
        raise text.error(message, match.span(), hint) from None


def _quoted(value: str, region: Region) -> str:
    quote = _QUOTES.get(region.kind)
    if region.kind == "escaped":
        value = value.replace("\\", "\\\\")
    return value.replace(quote, quote * 2) if quote else value
