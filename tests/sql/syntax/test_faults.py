"""Whatever the text is: statements, or one `SqlError` that points into it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp
from sqlglot.tokens import TokenType

from ferris_beam.errors import SqlError
from ferris_beam.sql.statements import Statement
from ferris_beam.sql.syntax import Ferris, endpoint_of, parse
from ferris_beam.sql.text import SqlText
from tests.sql.syntax.test_parse import ALL_THREE, NODES

_TEXTS = [
    ALL_THREE,
    NODES,
    "CREATE STREAM o (id BIGINT NOT NULL, at TIMESTAMP, WATERMARK FOR at AS at - INTERVAL '5'"
    " SECOND) FROM 'file:///o.csv' WITH (delimiter = ';'); DESCRIBE o; SHOW STREAMS",
    "EXPLAIN ANALYZE SELECT a FROM t WINDOW SLIDING(10m, 2m) EMIT CHANGES",
    "SELECT * FROM TABLE(HOP(TABLE 'file:///x', DESCRIPTOR(at), 5m, 10m)) AS w WHERE w.a > 1",
    "WITH a AS (VALUES (1, 2)) SELECT DISTINCT * REPLACE (x + 1 AS x) FROM a UNION ALL SELECT 1",
    "SELECT SUM(x) OVER (ORDER BY t ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM (SELECT 1) t",
]
_TOKENS = re.compile(r"'[^']*'|\"[^\"]*\"|\w+|\s+|.", re.DOTALL)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """One of the texts with some of its tokens removed, doubled, exchanged or replaced."""
    tokens = _TOKENS.findall(draw(st.sampled_from(_TEXTS)))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(tokens) - 1))
        other = draw(st.integers(0, len(tokens) - 1))
        action = draw(st.sampled_from(["remove", "double", "exchange", "replace", "cut"]))
        if action == "remove":
            tokens[place] = " "
        elif action == "double":
            tokens.insert(place, tokens[place] + " ")
        elif action == "exchange":
            tokens[place], tokens[other] = tokens[other], tokens[place]
        elif action == "replace":
            tokens[place] = draw(
                st.sampled_from(["(", ")", "'", '"', ",", "1", "SELECT", "?", "$"])
            )
        else:
            tokens = tokens[: place + 1]
    return "".join(tokens)


@settings(max_examples=400, deadline=None)
@given(text=damaged() | st.text(alphabet="SELECT fromab'\"(),;*.1-/[]{}$?:=<>|&", max_size=40))
def test_nothing_but_statements_and_sql_errors(text: str) -> None:
    message = fault_of(text)
    if message is not None:
        check_caret(message, text)
        assert not re.search("sqlglot|<class|Token", message)


def fault_of(text: str) -> str | None:
    try:
        parse(SqlText(text))
    except SqlError as error:
        return error.message
    return None


def check_caret(message: str, text: str) -> None:
    first, *others = message.split("\n")
    place = re.search(r"\(line (\d+), column (\d+)\)$", first)
    if place:
        assert others[0] == [*text.splitlines(), ""][int(place[1]) - 1]
        assert others[1].index("^") == int(place[2]) - 1


CORPUS = sorted((Path(__file__).parents[1] / "corpus").rglob("*.sql"))


@pytest.mark.parametrize(
    "text", [ALL_THREE, NODES, *_TEXTS, *(path.read_text() for path in CORPUS)]
)
def test_no_name_and_no_text_gets_lost(text: str) -> None:
    """What stands in a text stands in its statements: sqlglot must not have dropped it."""
    statements = parse(SqlText(text))
    kept = repr(statements)
    for table in tables(statements):
        kept += repr(endpoint_of(table))
    wanted = (TokenType.STRING, TokenType.IDENTIFIER)
    written = {token.text for token in Ferris().tokenize(text) if token.token_type in wanted}
    assert {each for each in written if each not in kept and repr(each)[1:-1] not in kept} == set()


def tables(statements: list[Statement]) -> Iterator[exp.Table]:
    for statement in statements:
        query = getattr(statement, "query", None)
        if query is not None:
            yield from query.find_all(exp.Table)


def test_deep_nesting_is_refused_in_words() -> None:
    with pytest.raises(SqlError, match="nested too deeply"):
        parse(SqlText("SELECT " + "(" * 5000 + "1" + ")" * 5000))


def test_a_fault_in_a_later_statement_points_there() -> None:
    with pytest.raises(SqlError) as caught:
        parse(SqlText("SELECT 1;\n\tSELCT 2", name="q.sql"))
    assert caught.value.message == (
        "no statement starts with SELCT (q.sql:2:2)\n\tSELCT 2\n\t^^^^^\ndid you mean SELECT?"
    )
