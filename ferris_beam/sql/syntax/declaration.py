"""``CREATE STREAM n (column TYPE, …, WATERMARK FOR …) FROM 'uri'``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.tokens import TokenType

from ferris_beam.sql.statements import ColumnDefinition, DeclareStream, Span, Watermark
from ferris_beam.sql.syntax.parts import parse_endpoint, parse_name

if TYPE_CHECKING:
    from ferris_beam.sql.syntax.parser import FerrisParser

_ENDS_OF_TYPE = (TokenType.COMMA, TokenType.NOT, TokenType.NULL, TokenType.R_PAREN)


def parse_declaration(parser: FerrisParser, name: str, span: Span, is_table: bool) -> DeclareStream:
    parser._match_l_paren()
    columns: list[ColumnDefinition] = []
    watermark = None
    while True:
        if parser._match_text_seq("WATERMARK", "FOR"):
            if watermark is not None:
                raise parser.fault("a stream has one watermark")
            watermark = _watermark(parser)
        else:
            columns.append(_column(parser, columns))
        if not parser._match(TokenType.COMMA):
            break
    if not parser._match(TokenType.R_PAREN):
        raise parser.expected("a comma or )")
    if not parser._match(TokenType.FROM):
        raise parser.expected("FROM and the quoted URI of what the stream reads")
    source = parse_endpoint(parser, "FROM")
    return DeclareStream(name, tuple(columns), source, watermark, span, is_table)


def _column(parser: FerrisParser, before: list[ColumnDefinition]) -> ColumnDefinition:
    """``name TYPE [NOT NULL]``; the type is kept as it is written."""
    name, span = parse_name(parser, "a column and its type, or WATERMARK FOR")
    if any(column.name == name for column in before):
        raise parser.fault(f"the column {name} stands here for the second time", span)
    type_ = _type(parser)
    if not type_:
        raise parser.expected(f"the type of the column {name}")
    nullable = not parser._match_text_seq("NOT", "NULL")
    if nullable:
        parser._match(TokenType.NULL)
    return ColumnDefinition(name, type_, nullable, span)


def _type(parser: FerrisParser) -> str:
    """The text up to the next comma, NOT NULL or parenthesis that belongs to no bracket of it."""
    depth = parser.depths[parser._index]
    start = parser._index
    angles = 0
    while token := parser.token:
        inside = angles > 0 or parser.depths[parser._index] > depth
        if token.token_type in _ENDS_OF_TYPE and not inside:
            break
        angles += token.text.count("<") - token.text.count(">")
        parser._advance()
    if parser._index == start:
        return ""
    return parser.sql[parser._tokens[start].start : parser._prev.end + 1]


def _watermark(parser: FerrisParser) -> Watermark:
    """``column AS column - INTERVAL …``, or ``column AS column``."""
    column, span = parse_name(parser, "the column of the watermark")
    if not parser._match(TokenType.ALIAS):
        raise parser.expected(f"AS {column} - INTERVAL '5' SECOND")
    value = parser._parse_disjunction()
    if isinstance(value, exp.Column) and value.name == column:
        return Watermark(column, None)
    if isinstance(value, exp.Sub) and isinstance(value.expression, exp.Interval):
        earlier = value.this
        if isinstance(earlier, exp.Column) and earlier.name == column:
            return Watermark(column, value.expression)
    hint = f"WATERMARK FOR {column} AS {column} - INTERVAL '5' SECOND"
    raise parser.fault("a watermark is its column less an interval", span, hint)
