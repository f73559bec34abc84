"""Patterns of LIKE and SIMILAR TO in the engine's form."""

from __future__ import annotations

import re

_WILDCARDS = {"%": ".*", "_": "."}
_SAME = frozenset("|*+?{}()[]^-")


def similar_to_regex(pattern: str) -> str:
    """The regular expression that matches where ``SIMILAR TO pattern`` does (SQL:1999, 8.6).

    A backslash takes the meaning from the character behind it; the dot, ``$`` and ``^`` have none,
    but in brackets.

    >>> similar_to_regex("a(b|c)%.")
    '^(?s:a(b|c).*\\\\.)$'
    """
    parts: list[str] = []
    in_brackets = False
    characters = iter(pattern)
    for character in characters:
        if character == "\\":
            parts.append(re.escape(next(characters, "\\")))
            continue
        if in_brackets or character == "[":
            in_brackets = character != "]"
            parts.append(character)
        elif character in _WILDCARDS:
            parts.append(_WILDCARDS[character])
        else:
            parts.append(character if character in _SAME - {"^", "-"} else re.escape(character))
    return f"^(?s:{''.join(parts)})$"


def with_backslashes(pattern: str, escape: str) -> str:
    """The LIKE pattern in which a backslash escapes what ``escape`` did (empty: nothing).

    >>> with_backslashes("10!%_!!", "!")
    '10\\\\%_!'
    """
    parts: list[str] = []
    characters = iter(pattern)
    for character in characters:
        if character == escape:
            character = next(characters, escape)
            parts.append(f"\\{character}" if character in "%_\\" else character)
        else:
            parts.append("\\\\" if character == "\\" else character)
    return "".join(parts)
