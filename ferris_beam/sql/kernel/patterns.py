"""SQL's SIMILAR TO patterns as regular expressions."""

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
