"""Parts that several statements have: a name, a quoted URI with its options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.tokens import TokenType

from ferris_beam.sql.statements import Endpoint, Span
from ferris_beam.sql.syntax.keywords import span_of_token
from ferris_beam.sql.syntax.settings import Settings, parse_settings
from ferris_beam.sql.syntax.tail import parse_uri

if TYPE_CHECKING:
    from ferris_beam.sql.syntax.parser import FerrisParser


def parse_name(parser: FerrisParser, what: str) -> tuple[str, Span]:
    token = parser._curr
    if parser._match_text_seq("IF", "NOT", "EXISTS", advance=False):
        hint = "a program's streams start anew at every run: leave it out"
        raise parser.fault("IF NOT EXISTS is not supported", hint=hint)
    name = parser._parse_id_var(any_token=False)
    if not isinstance(name, exp.Identifier):
        raise parser.expected(what)
    if parser._match(TokenType.DOT, advance=False):
        raise parser.fault("names of streams have no dots", hint='quote the name: "a.b"')
    return name.name, span_of_token(token)


def parse_endpoint(parser: FerrisParser, after: str) -> Endpoint:
    uri, span = parse_uri(parser, after)
    settings = Settings({}, {})
    if parser._match(TokenType.WITH):
        settings = parse_settings(parser)
    return Endpoint(uri, span, settings.values, settings.spans)
