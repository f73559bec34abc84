"""Arrays and composites in PostgreSQL's text output, one value at a time.

Source: array_out in src/backend/utils/adt/arrayfuncs.c and record_out in rowtypes.c.
"""

from __future__ import annotations

import re

_ITEM = re.compile(r'"((?:[^"\\]|\\.)*)"|([^,{}"]+)', re.DOTALL)
_FIELD = re.compile(r'((?:"(?:[^"\\]|\\.|"")*"|[^,"])*),', re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.|"")*)"', re.DOTALL)
_BOUNDS = re.compile(r"(?:\[-?\d+:-?\d+\])+=")
_ESCAPED = re.compile(r'\\(.)|"(")', re.DOTALL)


class NestedText(ValueError):
    """A value that has no place in a list or struct; the message is the reason."""


def items_of(text: str) -> list[str | None]:
    """The elements of an array of one dimension: `{1,NULL,"a, \\"b\\""}`."""
    text = _BOUNDS.sub("", text, count=1)
    if not (text.startswith("{") and text.endswith("}")):
        raise NestedText(f"{text[:40]!r} is not an array")
    if text.startswith("{{"):
        raise NestedText("an array of more than one dimension has no place in a list")
    found: list[str | None] = []
    for match in _ITEM.finditer(text, 1, len(text) - 1):
        if match[2] is None:
            found.append(_ESCAPED.sub(r"\1\2", match[1]))
        else:
            found.append(None if match[2] == "NULL" else match[2])
    return found


def fields_of(text: str, count: int) -> list[str | None]:
    """The fields of a composite: `(1,,"a ""b")`; nothing between commas is NULL."""
    if not (text.startswith("(") and text.endswith(")")):
        raise NestedText(f"{text[:40]!r} is not a composite")
    inside = f"{text[1:-1]},"
    found = [_unquoted(raw) if raw else None for raw in _FIELD.findall(inside)] if count else []
    if len(found) != count:
        raise NestedText("a composite with other fields than the type has now")
    return found


def _unquoted(raw: str) -> str:
    return _QUOTED.sub(lambda match: _ESCAPED.sub(r"\1\2", match[1]), raw)
