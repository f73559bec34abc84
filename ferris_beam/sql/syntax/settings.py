"""``WITH (name = value, …)``: options of an endpoint or of the pipeline."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlglot import exp
from sqlglot.tokens import TokenType

from ferris_beam.options import duration
from ferris_beam.sql.statements import Span
from ferris_beam.sql.syntax.keywords import shown, span_of_token

if TYPE_CHECKING:
    from ferris_beam.sql.syntax.parser import FerrisParser

_VALUES = "'text', a number, TRUE, FALSE, INTERVAL '5' SECOND or a list such as ['a', 'b']"


@dataclass(frozen=True)
class Settings:
    """``values`` as Python knows them (a duration as `timedelta`), ``spans`` of their names."""

    values: Mapping[str, Any]
    spans: Mapping[str, Span]

    def only(self, names: Collection[str]) -> Settings:
        return Settings(
            {name: value for name, value in self.values.items() if name in names},
            {name: span for name, span in self.spans.items() if name in names},
        )

    def without(self, names: Collection[str]) -> Settings:
        return self.only([name for name in self.values if name not in names])


def parse_settings(parser: FerrisParser) -> Settings:
    """From the opening parenthesis to the closing one; names are kept as they are written."""
    parser._match_l_paren()
    values: dict[str, Any] = {}
    spans: dict[str, Span] = {}
    while True:
        name, span = _name(parser)
        if name in values:
            raise parser.fault(f"the option {name} stands here for the second time", span)
        if not parser._match_set((TokenType.EQ, TokenType.FARROW)):
            raise parser.expected(f"= and a value after the option {name}")
        values[name] = _value(parser)
        spans[name] = span
        if not parser._match(TokenType.COMMA):
            break
    if not parser._match(TokenType.R_PAREN):
        raise parser.expected("a comma or )")
    return Settings(values, spans)


def _name(parser: FerrisParser) -> tuple[str, Span]:
    token = parser._curr
    is_name = token and (token.token_type == TokenType.IDENTIFIER or token.text.isidentifier())
    if not is_name or token.token_type == TokenType.STRING:
        raise parser.fault(
            f"expected the name of an option, found {shown(token)}",
            hint="options are written: WITH (format = 'csv', delimiter = ';')",
        )
    parser._advance()
    return token.text, span_of_token(token)


def _value(parser: FerrisParser) -> Any:
    token = parser._curr
    if parser._match(TokenType.STRING):
        return token.text
    if parser._match_set((TokenType.TRUE, TokenType.FALSE)):
        return token.token_type == TokenType.TRUE
    if parser._match(TokenType.L_BRACKET):
        return list(_items(parser))
    negative = parser._match(TokenType.DASH)
    if parser._match(TokenType.NUMBER, advance=False):
        return _number(parser, negative)
    if not negative and parser._match(TokenType.INTERVAL, advance=False):
        interval = parser._parse_interval()
        if isinstance(interval, exp.Interval):
            return _duration(parser, interval)
    hint = f"an option's value is {_VALUES}"
    if token and token.token_type == TokenType.VAR:
        hint = f"texts stand in single quotes: '{token.text}'"
    raise parser.fault(f"expected a value, found {shown(token)}", hint=hint)


def _items(parser: FerrisParser) -> Iterator[Any]:
    if parser._match(TokenType.R_BRACKET):
        return
    while True:
        yield _value(parser)
        if not parser._match(TokenType.COMMA):
            break
    if not parser._match(TokenType.R_BRACKET):
        raise parser.expected("a comma or ]")


def _number(parser: FerrisParser, negative: bool) -> Any:
    number = parser._parse_number()
    if isinstance(number, exp.Interval):
        return _duration(parser, number)
    text = ("-" if negative else "") + (number.name if number else "")
    try:
        return int(text)
    except ValueError:
        return float(text)


def _duration(parser: FerrisParser, interval: exp.Interval) -> Any:
    unit = interval.unit.name.lower().rstrip("s") if interval.unit else ""
    short = {
        "microsecond": "us",
        "millisecond": "ms",
        "second": "s",
        "minute": "m",
        "hour": "h",
        "day": "d",
    }.get(unit)
    try:
        return duration(f"{interval.name}{short}")
    except ValueError:
        hint = "write a number of SECOND, MINUTE, HOUR or DAY"
        raise parser.fault("this interval is no fixed length of time", interval, hint) from None
