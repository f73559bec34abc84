"""The clauses of a statement that stand in its query: EMIT, INTO, WITH."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot.tokens import TokenType

from ferris_beam.sql.statements import Emit, Span
from ferris_beam.sql.syntax.keywords import near_miss, shown, span_of_token
from ferris_beam.sql.syntax.settings import Settings, parse_settings

if TYPE_CHECKING:
    from ferris_beam.sql.syntax.parser import FerrisParser

_EMITS: dict[str, Emit] = {"CHANGES": "changes", "FINAL": "final"}


@dataclass
class Tail:
    """What was found of the clauses so far."""

    emit: Emit | None = None
    emit_span: Span | None = None
    uri: str | None = None
    uri_span: Span | None = None
    settings: Settings | None = None
    settings_span: Span | None = None


def starts_emit(parser: FerrisParser) -> bool:
    """``EMIT`` with CHANGES or FINAL, a word that was meant to be one of them, or nothing behind it
    that could follow a name."""
    if not parser._match_text_seq("EMIT", advance=False):
        return False
    word = parser._next.text.upper() if parser._next else ""
    return word in ("", "INTO", "WITH", *_EMITS) or near_miss(word, _EMITS) is not None


def parse_tail_clause(parser: FerrisParser) -> bool:
    """Reads one of the clauses, if one is next."""
    if starts_emit(parser):
        _emit(parser)
    elif parser._match(TokenType.INTO, advance=False):
        _into(parser)
    elif parser._match_pair(TokenType.WITH, TokenType.L_PAREN, advance=False):
        _with(parser)
    else:
        return False
    return True


def _emit(parser: FerrisParser) -> None:
    start = _once(parser, "EMIT", parser.tail.emit_span)
    word = parser._curr
    emit = _EMITS.get(word.text.upper())
    if emit is None:
        meant = near_miss(word.text, _EMITS)
        hint = f"did you mean {meant}?" if meant else ""
        raise parser.fault(f"expected CHANGES or FINAL after EMIT, found {shown(word)}", hint=hint)
    parser._advance()
    parser.tail.emit = emit
    parser.tail.emit_span = start[0], word.end + 1


def _into(parser: FerrisParser) -> None:
    _once(parser, "INTO", parser.tail.uri_span)
    parser.tail.uri, parser.tail.uri_span = parse_uri(parser, "INTO")


def _with(parser: FerrisParser) -> None:
    parser.tail.settings_span = _once(parser, "WITH", parser.tail.settings_span)
    parser.tail.settings = parse_settings(parser)


def _once(parser: FerrisParser, clause: str, before: Span | None) -> Span:
    """Steps over the keyword; refuses a second one, and one inside parentheses."""
    span = parser.here()
    if before is not None:
        raise parser.fault(f"{clause} stands here for the second time", span)
    if not parser.at_end_of_query():
        hint = "write it behind the statement's last parenthesis"
        raise parser.fault(f"{clause} belongs to the whole statement", span, hint)
    parser._advance()
    return span


def parse_uri(parser: FerrisParser, after: str) -> tuple[str, Span]:
    """The quoted URI that must come next, and where it stands."""
    token = parser._curr
    if not parser._match(TokenType.STRING):
        hint = ""
        if token and token.token_type in (TokenType.VAR, TokenType.IDENTIFIER):
            hint = "a URI stands in single quotes: 'file:///data/out/'"
        raise parser.fault(f"expected a quoted URI after {after}, found {shown(token)}", hint=hint)
    return token.text, span_of_token(token)
