"""Paths into JSON documents: ``$.orders[0]."net amount"``.

The subset of RFC 9535 (JSONPath) that names at most one value: keys, quoted keys, and indexes from
0 (negative ones count from the end). A path without ``$`` at its front is one key.
"""

from __future__ import annotations

import re
from functools import lru_cache

from sqlglot import exp

Step = str | int

_STEP = re.compile(
    r"""
      \.(?P<name>[^\s.\[\]"'*?@()]+)
    | \.?"(?P<dotted>(?:[^"\\]|\\.)*)"
    | \[\s*(?P<index>-?\d+)\s*\]
    | \[\s*(?P<quote>["'])(?P<quoted>(?:[^\\]|\\.)*?)(?P=quote)\s*\]
    """,
    re.VERBOSE,
)
_ESCAPED = re.compile(r"\\(.)")


@lru_cache(maxsize=1024)
def steps(path: str) -> tuple[Step, ...]:
    """The keys and indexes of a path, from the document's root.

    >>> steps('$.orders[0]."net amount"'), steps("country"), steps("$")
    (('orders', 0, 'net amount'), ('country',), ())

    Raises ``ValueError`` with what is wrong.
    """
    if not path.startswith("$"):
        return (path,)
    found: list[Step] = []
    position = 1
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            raise ValueError(
                f"the JSON path {path!r} is not understood at character {position + 1}; "
                "write $.key, $.\"a key\", $[0] or $['key'] in any order"
            )
        found.append(_step(match))
        position = match.end()
    return tuple(found)


def _step(match: re.Match[str]) -> Step:
    if match["index"] is not None:
        return int(match["index"])
    if match["name"] is not None:
        return match["name"]
    escaped = match["dotted"] if match["dotted"] is not None else match["quoted"]
    return _ESCAPED.sub(r"\1", escaped)


def write(path: tuple[Step, ...]) -> str:
    """The path as text: `steps` reads it back.

    >>> write(("orders", 0, "net amount"))
    '$."orders"[0]."net amount"'
    """
    return "$" + "".join(
        f"[{step}]"
        if isinstance(step, int)
        else '."' + step.replace("\\", "\\\\").replace('"', '\\"') + '"'
        for step in path
    )


def path_literal(node: exp.JSONPath) -> exp.Expression:
    """What sqlglot has parsed, as a text for `steps`."""
    path: list[Step] = []
    for part in node.expressions:
        if isinstance(part, exp.JSONPathRoot):
            continue
        if not isinstance(part, (exp.JSONPathKey, exp.JSONPathSubscript)) or not isinstance(
            part.this, (str, int)
        ):
            return exp.Literal.string(node.sql().strip("'"))
        path.append(part.this)
    return exp.Literal.string(write(tuple(path)))
