"""From a SQL text to its statements."""

from __future__ import annotations

from sqlglot.errors import TokenError
from sqlglot.tokens import Token, TokenType

from ferris_beam.sql.statements import Statement
from ferris_beam.sql.syntax.dialect import Ferris
from ferris_beam.sql.syntax.fault import Fault
from ferris_beam.sql.syntax.grammar import parse_statement
from ferris_beam.sql.syntax.lexical import regions
from ferris_beam.sql.syntax.parser import FerrisParser
from ferris_beam.sql.text import SqlText

_DIALECT = Ferris()


def parse(text: SqlText) -> list[Statement]:
    """The statements in their order, at least one; `SqlError` with a caret for what is wrong."""
    tokens = _tokens(text)
    parser = FerrisParser(dialect=_DIALECT)
    statements = []
    try:
        for chunk in _chunks(text, tokens):
            parser.begin(chunk, text.text)
            statements.append(parse_statement(parser))
    except Fault as fault:
        raise text.error(fault.message, fault.span, fault.hint) from None
    except RecursionError:
        raise text.error("this statement is nested too deeply") from None
    return statements


def _tokens(text: SqlText) -> list[Token]:
    list(regions(text))
    try:
        tokens = _DIALECT.tokenize(text.text)
    except TokenError as error:
        raise text.error("this text can't be read as SQL", None, str(error)) from None
    for token in tokens:
        if token.text == "`":
            hint = "names are quoted by \", strings by '"
            raise text.error("` has no meaning here", (token.start, token.end + 1), hint)
    return tokens


def _chunks(text: SqlText, tokens: list[Token]) -> list[list[Token]]:
    """The tokens of each statement, without the semicolons between them."""
    chunks: list[list[Token]] = [[]]
    for token in tokens:
        if token.token_type != TokenType.SEMICOLON:
            chunks[-1].append(token)
        elif chunks[-1]:
            chunks.append([])
        else:
            span = token.start, token.end + 1
            raise text.error("there is no statement before this ;", span, "leave it out")
    if not chunks[-1]:
        chunks.pop()
    if not chunks:
        raise text.error("there is no statement", None, "SELECT * FROM 'uri' would be one")
    return chunks
