"""Words that are meant to be keywords: near misses, and how tokens are shown."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from sqlglot.tokens import Token, TokenType

from ferris_beam.sql.statements import Span

STATEMENTS = ("CREATE", "DESCRIBE", "EXPLAIN", "INSERT", "SELECT", "SHOW", "VALUES", "WITH")

_CLAUSE_WORDS = """
    SELECT DISTINCT FROM WHERE GROUP BY HAVING QUALIFY WINDOW ORDER LIMIT OFFSET UNION JOIN LEFT
    RIGHT INNER OUTER FULL CROSS USING INTO EMIT CHANGES FINAL WITH PARTITION OVER BETWEEN AND WHEN
    THEN ELSE END CASE VALUES INTERSECT EXCEPT INTERVAL STREAM TABLE WATERMARK EXCLUDE REPLACE
    TUMBLING SLIDING SESSION LIKE ROWS RANGE FILTER DESC ASC
"""
_CLAUSES = tuple(_CLAUSE_WORDS.split())

_IN_FULL = {"GROUP": "GROUP BY", "ORDER": "ORDER BY", "PARTITION": "PARTITION BY"}

_SHOWN_IN_FULL = 40


def near_miss(word: str, keywords: Iterable[str] = _CLAUSES) -> str | None:
    """The keyword that ``word`` was probably meant to be; None if it is one, or nothing is near."""
    known = list(keywords)
    upper = word.upper()
    if upper in known or len(upper) < 3:
        return None
    found = get_close_matches(upper, known, n=1, cutoff=0.72)
    return _IN_FULL.get(found[0], found[0]) if found else None


def shown(token: Token | None) -> str:
    """``token`` as errors quote it."""
    if not token:
        return "the end of the statement"
    if token.token_type == TokenType.STRING:
        text = token.text if len(token.text) <= _SHOWN_IN_FULL else f"{token.text[:37]}…"
        return f"the string '{text}'"
    if token.token_type == TokenType.IDENTIFIER:
        return f'"{token.text}"'
    return token.text if not token.text.isalnum() else f"'{token.text}'"


def span_of_token(token: Token) -> Span:
    return token.start, token.end + 1
