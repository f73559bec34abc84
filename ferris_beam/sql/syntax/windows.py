"""The spellings of windows, all brought to three calls.

=================================  ===========================================================
`TUMBLE(time, size)`               windows of one size, side by side
`HOP(time, slide, size)`           windows of one size, one starting every ``slide``
`SESSION(time, gap)`               ends when nothing came for the gap
=================================  ===========================================================

Behind the lengths of the first two may stand an offset, and the name of a time zone.

They stand as `exp.Anonymous` in GROUP BY; as the argument ``ferris_window`` of the SELECT where a
clause said ``WINDOW TUMBLING(5m)`` (``time`` is NULL if it isn't named); and as the argument of
`exp.Anonymous` ``TUMBLE_TABLE``, ``HOP_TABLE`` or ``SESSION_TABLE``, which is the ``this`` of an
`exp.Table`, where a table function was written: there the relation comes first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.tokens import Token, TokenType

from ferris_beam.sql.syntax.fault import Fault
from ferris_beam.sql.syntax.keywords import shown, span_of_token

if TYPE_CHECKING:
    from ferris_beam.sql.syntax.parser import FerrisParser

_KINDS = {
    "TUMBLE": "TUMBLE",
    "TUMBLING": "TUMBLE",
    "HOP": "HOP",
    "HOPPING": "HOP",
    "SLIDE": "HOP",
    "SLIDING": "HOP",
    "SESSION": "SESSION",
}
WINDOW_CLAUSE_NAMES = frozenset(_KINDS)
WINDOW_FUNCTION_NAMES = ("TUMBLE", "HOP", "SLIDING", "SESSION")

_GRID = "[, offset][, zone]"
_FORMS = {"TUMBLE": f"size{_GRID}", "HOP": f"slide, size{_GRID}", "SESSION": "gap"}
_LENGTHS = {"TUMBLE": (1, 3), "HOP": (2, 4), "SESSION": (1, 1)}

_UNITS = {
    "us": "MICROSECOND",
    "ms": "MILLISECOND",
    "s": "SECOND",
    "m": "MINUTE",
    "min": "MINUTE",
    "h": "HOUR",
    "d": "DAY",
    "w": "WEEK",
}
_MICROSECONDS = {
    "MICROSECOND": 1,
    "MILLISECOND": 1_000,
    "SECOND": 1_000_000,
    "MINUTE": 60_000_000,
    "HOUR": 3_600_000_000,
    "DAY": 86_400_000_000,
    "WEEK": 7 * 86_400_000_000,
    "MONTH": 30 * 86_400_000_000,
    "QUARTER": 91 * 86_400_000_000,
    "YEAR": 365 * 86_400_000_000,
}


def duration_literal(parser: FerrisParser, number: Token) -> exp.Interval:
    """``5m``: a number and a unit without a space between them."""
    unit = parser._curr
    span = number.start, unit.end + 1
    name = _UNITS.get(unit.text.lower())
    if name is None:
        hint = f"durations are written 5m, with one of the units {', '.join(_UNITS)}"
        raise Fault(f"'{number.text}{unit.text}' is neither a number nor a name", span, hint)
    parser._advance()
    interval = exp.Interval(this=exp.Literal.string(number.text), unit=exp.Var(this=name))
    interval.update_positions(line=number.line, col=number.col, start=number.start, end=unit.end)
    return interval


def parse_window_function(parser: FerrisParser) -> exp.Anonymous:
    """``TUMBLE(…)`` as in GROUP BY, from behind its opening parenthesis."""
    name = parser._tokens[parser._index - 2]
    arguments = parser._parse_csv(parser._parse_disjunction)
    if not arguments:
        raise _wrong_number(name, ["time"])
    time, *lengths = arguments
    return _call(name, [time], lengths)


def parse_window_clause(parser: FerrisParser) -> exp.Anonymous:
    """``TUMBLING(5m)`` or ``TUMBLING(time, 5m)``, with WINDOW read already."""
    name = parser._curr
    parser._advance()
    arguments = parser._parse_wrapped_csv(parser._parse_disjunction)
    named = bool(arguments) and not isinstance(arguments[0], exp.Interval)
    time = arguments[0] if named else exp.Null()
    return _call(name, [time], arguments[1:] if named else arguments)


def starts_window_relation(parser: FerrisParser) -> bool:
    """Whether ``[TABLE(] TUMBLE(`` comes next, where a table is expected."""
    name, opening = parser._curr, parser._next
    if name.token_type == TokenType.TABLE and opening.token_type == TokenType.L_PAREN:
        rest = parser._tokens[parser._index + 2 : parser._index + 4]
        if len(rest) < 2:
            return False
        name, opening = rest
    return name.text.upper() in WINDOW_FUNCTION_NAMES and opening.token_type == TokenType.L_PAREN


def parse_window_relation(parser: FerrisParser) -> exp.Table:
    """``TABLE(TUMBLE(TABLE x, DESCRIPTOR(c), INTERVAL …)) [AS t]``."""
    wrapped = parser._match(TokenType.TABLE)
    if wrapped:
        parser._match_l_paren()
    name = parser._curr
    parser._advance(2)
    relation = _relation(parser)
    _comma(parser)
    time = _descriptor(parser)
    lengths = parser._parse_csv(parser._parse_disjunction) if _is_comma(parser) else []
    parser._match_r_paren()
    if wrapped:
        parser._match_r_paren()
    call = _call(name, [relation, time], lengths, suffix="_TABLE")
    table = parser.expression(exp.Table(this=call), name)
    if alias := parser._parse_table_alias():
        table.set("alias", alias)
    return table


def _relation(parser: FerrisParser) -> exp.Expr:
    """``TABLE name``, ``TABLE 'uri'``, the same without TABLE, or a query in parentheses."""
    parser._match(TokenType.TABLE)
    relation = parser._parse_table()
    if relation is None:
        raise parser.expected("TABLE and a name or a quoted URI")
    return relation


def _descriptor(parser: FerrisParser) -> exp.Expr:
    if not parser._match_text_seq("DESCRIPTOR"):
        hint = "it names the column of the event time: DESCRIPTOR(ordered_at)"
        raise parser.fault(f"expected DESCRIPTOR(…), found {shown(parser.token)}", hint=hint)
    time = parser._parse_wrapped(parser._parse_column)
    if time is None:
        raise parser.expected("a column")
    return time


def _comma(parser: FerrisParser) -> None:
    if not parser._match(TokenType.COMMA):
        raise parser.expected("a comma")


def _is_comma(parser: FerrisParser) -> bool:
    return parser._match(TokenType.COMMA)


def _call(
    name: Token, first: list[exp.Expr], lengths: list[exp.Expr], suffix: str = ""
) -> exp.Anonymous:
    """The call in its normal form; SLIDING takes size and slide in either order."""
    kind = _KINDS[name.text.upper()]
    fewest, most = _LENGTHS[kind]
    if not fewest <= len(lengths) <= most:
        raise _wrong_number(name, ["time"] if isinstance(first[-1], exp.Column) else [])
    if kind == "HOP" and name.text.upper() in ("SLIDING", "SLIDE"):
        lengths = [*sorted(lengths[:2], key=_approximate_length), *lengths[2:]]
    call = exp.Anonymous(this=kind + suffix, expressions=[*first, *lengths])
    call.update_positions(name)
    return call


def _approximate_length(interval: exp.Expr) -> float:
    """In microseconds, only to tell a slide from a size; no constant: 0, so as it was written."""
    if not isinstance(interval, exp.Interval) or interval.unit is None:
        return 0
    unit = interval.unit.name.upper().rstrip("S")
    try:
        return float(interval.this.name) * _MICROSECONDS.get(unit, 0)
    except (AttributeError, ValueError):
        return 0


def _wrong_number(name: Token, time: list[str]) -> Fault:
    upper = name.text.upper()
    kind = _KINDS[upper]
    lengths = f"size, slide{_GRID}" if upper in ("SLIDING", "SLIDE") else _FORMS[kind]
    form = ", ".join([*time, lengths])
    return Fault(f"{upper} takes {upper}({form})", span_of_token(name))
