"""sqlglot's messages in our words: what was found, what was expected."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.tokens import TokenType

from ferris_beam.sql.syntax.fault import Fault
from ferris_beam.sql.syntax.keywords import shown

if TYPE_CHECKING:
    from ferris_beam.sql.syntax.parser import FerrisParser

TABLE = "a table: a name, a URI in single quotes or a query in parentheses"

_MISSING = re.compile(r"Required keyword: '(\w+)' missing for <class '[\w.]*\.(\w+)'>")
_TOO_MANY = re.compile(r"The number of provided arguments \((\d+)\) is greater than .*\((\d+)\)")
_CLAUSES: dict[str, str] = {
    "Where": "a condition after WHERE",
    "Having": "a condition after HAVING",
    "Qualify": "a condition after QUALIFY",
    "From": TABLE,
    "Join": TABLE,
    "Order": "an expression after ORDER BY",
    "Limit": "a number after LIMIT",
    "Offset": "a number after OFFSET",
    "When": "a condition and a value after WHEN",
    "If": "a condition and a value after WHEN",
    "Case": "WHEN",
    "CTE": "a query in parentheses",
    "Tuple": "a value",
    "Union": "a query after UNION",
    "Except": "a query after EXCEPT",
    "Intersect": "a query after INTERSECT",
    "Cast": "CAST(value AS type)",
    "TryCast": "TRY_CAST(value AS type)",
}

_TYPE_NAMES = """
    BOOLEAN TINYINT SMALLINT INTEGER INT BIGINT FLOAT REAL DOUBLE DECIMAL VARCHAR TEXT STRING DATE
    TIME TIMESTAMP TIMESTAMPTZ INTERVAL BLOB JSON STRUCT MAP
"""
_TYPES = tuple(_TYPE_NAMES.split())


def translated(parser: FerrisParser, message: str) -> Fault:
    """The fault for sqlglot's ``message`` at the place that ``parser`` has come to."""
    if match := _MISSING.fullmatch(message):
        return _missing(parser, match[2])
    if match := _TOO_MANY.fullmatch(message):
        name = _called(parser)
        return parser.fault(f"{name} takes at most {match[2]} arguments, not {match[1]}")
    if message.startswith("Found multiple '"):
        clause = message.split("'")[1]
        return parser.fault(f"{clause} stands here for the second time")
    if message.startswith("Expected table name"):
        return parser.expected(TABLE)
    if message.startswith("Expected TYPE after CAST") or message == "Expected type":
        return _no_type(parser)
    if message.startswith("Expected AS after CAST"):
        return parser.expected("AS and a type: CAST(value AS type)")
    if message.startswith(("Expecting ", "Expected ")):
        return parser.expected(message.split(" ", 1)[1])
    return parser.expected("something else")


def _no_type(parser: FerrisParser) -> Fault:
    token = parser.token
    if token is None or token.token_type not in (TokenType.VAR, TokenType.IDENTIFIER):
        return parser.expected("a type")
    meant = get_close_matches(token.text.upper(), _TYPES, n=1)
    hint = f"did you mean {meant[0]}?" if meant else f"there are: {', '.join(_TYPES)}"
    return parser.fault(f"there is no type {token.text}", hint=hint)


def _missing(parser: FerrisParser, name: str) -> Fault:
    """A part of an expression of the class ``name`` is missing."""
    if name in _CLAUSES:
        return parser.expected(_CLAUSES[name])
    made = getattr(exp, name, exp.Expression)
    if _called(parser) in ("CAST", "TRY_CAST"):
        return parser.expected(f"AS and a type: {_called(parser)}(value AS type)")
    if issubclass(made, exp.Func) and not issubclass(made, exp.Connector):
        return parser.fault(f"{_called(parser)} needs more arguments")
    if parser._prev:
        return parser.expected(f"an expression after {shown(parser._prev)}")
    return parser.expected("an expression")


def _called(parser: FerrisParser) -> str:
    """The name before the parenthesis that is being read."""
    depth = parser.depths[min(parser._index, len(parser.depths) - 1)]
    for index in range(min(parser._index, len(parser.depths)) - 1, 0, -1):
        if parser.depths[index] < depth and parser._tokens[index].text == "(":
            return parser._tokens[index - 1].text.upper()
    return "this function"
