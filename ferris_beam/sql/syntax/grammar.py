"""The statements, read from their tokens: everything but queries and expressions."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlglot import exp
from sqlglot.tokens import TokenType

from ferris_beam.sql.statements import (
    CreateStream,
    DeclareStream,
    Describe,
    Endpoint,
    Explain,
    Select,
    ShowStreams,
    Span,
    Statement,
)
from ferris_beam.sql.syntax.declaration import parse_declaration
from ferris_beam.sql.syntax.fault import Fault
from ferris_beam.sql.syntax.keywords import STATEMENTS, near_miss, shown, span_of_token
from ferris_beam.sql.syntax.parser import FerrisParser
from ferris_beam.sql.syntax.parts import parse_endpoint, parse_name
from ferris_beam.sql.syntax.settings import Settings
from ferris_beam.sql.syntax.supported import check_supported
from ferris_beam.sql.syntax.tail import parse_tail_clause, parse_uri
from ferris_beam.sql.syntax.unsupported import UNSUPPORTED

PIPELINE_OPTIONS = ("delivery", "name", "rerun", "reset")
WINDOW_OPTIONS = ("allowed_lateness", "late")
"""Of a statement's ``WITH (…)`` the first belong to the pipeline, the second to its windows, all
others to its sink."""

_QUERY_STARTS = (
    TokenType.SELECT,
    TokenType.WITH,
    TokenType.VALUES,
    TokenType.L_PAREN,
    TokenType.FROM,
)


def parse_statement(parser: FerrisParser) -> Statement:
    """The one statement that `FerrisParser.begin` was given; `Fault` where it goes wrong."""
    statement = _statement(parser)
    if parser.token:
        raise parser.expected("the end of the statement")
    return statement


def _statement(parser: FerrisParser) -> Statement:
    first = parser._curr
    word = first.text.upper()
    if first.token_type in _QUERY_STARTS:
        return _query_statement(parser)
    if reader := _READERS.get(word):
        parser._advance()
        return reader(parser, span_of_token(first))
    raise _no_statement(parser)


def _no_statement(parser: FerrisParser) -> Fault:
    word = parser._curr.text.upper()
    if word in UNSUPPORTED:
        return parser.fault(f"{word} is not supported", hint=UNSUPPORTED[word])
    if meant := near_miss(word, (*STATEMENTS, *UNSUPPORTED)):
        return parser.fault(f"no statement starts with {word}", hint=f"did you mean {meant}?")
    hint = f"statements start with {', '.join(STATEMENTS)}"
    return parser.fault(f"no statement starts with {shown(parser._curr)}", hint=hint)


def _query_statement(parser: FerrisParser) -> Select | CreateStream:
    """``SELECT …``; with INTO it is an INSERT."""
    span = parser.here()
    query = _query(parser)
    tail = parser.tail
    if tail.uri is not None and tail.uri_span is not None:
        return _create(parser, "", query, tail.uri_span)
    if tail.settings is not None:
        hint = "INTO 'uri' WITH (…) writes the result; options of a source stand behind its URI"
        raise parser.fault("WITH (…) has nothing to set here", tail.settings_span, hint)
    return Select(query=query, emit=tail.emit, span=span)


def _query(parser: FerrisParser) -> exp.Query:
    """The query that must come next, its clauses EMIT, INTO and WITH left in ``parser.tail``."""
    if not parser._match_set(_QUERY_STARTS, advance=False):
        raise parser.expected("a query: SELECT …")
    parsed = parser._parse_statement()
    while parsed is not None and parse_tail_clause(parser):
        parsed = parser._parse_query_modifiers(parsed)
    if parser.token:
        raise parser.expected("an operator, a comma, the next clause or ;", _between(parser))
    return check_supported(parsed)


def _between(parser: FerrisParser) -> str:
    starts = parser._curr.text.upper() in STATEMENTS
    return "statements are separated by ;" if starts else ""


def _create(
    parser: FerrisParser, name: str, query: exp.Query, span: Span, is_table: bool = False
) -> CreateStream:
    """Options of pipeline and windows go to the statement, all others to its sink."""
    tail = parser.tail
    every = tail.settings or Settings({}, {})
    windows, settings = every.only(WINDOW_OPTIONS), every.without(WINDOW_OPTIONS)
    ours = {name for name in settings.values if name in PIPELINE_OPTIONS}
    sink = None
    if tail.uri is not None and tail.uri_span is not None:
        theirs = settings.without(ours)
        sink = Endpoint(tail.uri, tail.uri_span, theirs.values, theirs.spans)
    elif others := settings.without(ours).spans:
        option = next(iter(others))
        names = ", ".join((*PIPELINE_OPTIONS, *WINDOW_OPTIONS))
        hint = f"without INTO only options of pipeline and windows have a meaning: {names}"
        raise parser.fault(f"there is no sink for the option {option}", others[option], hint)
    pipeline = settings.only(ours)
    return CreateStream(
        name=name,
        query=query,
        sink=sink,
        emit=tail.emit,
        options=pipeline.values,
        span=span,
        option_spans=pipeline.spans,
        is_table=is_table,
        windows=windows.values,
        window_spans=windows.spans,
    )


def _create_statement(parser: FerrisParser, start: Span) -> CreateStream | DeclareStream:
    is_table = _stream_or_table(parser)
    name, span = parse_name(parser, "the stream's name")
    if parser._match(TokenType.L_PAREN, advance=False):
        return parse_declaration(parser, name, span, is_table)
    if not parser._match(TokenType.ALIAS):
        hint = "CREATE STREAM n AS SELECT …, or CREATE STREAM n (column TYPE, …) FROM 'uri'"
        raise parser.expected("AS", hint)
    return _create(parser, name, _query(parser), span, is_table)


def _stream_or_table(parser: FerrisParser) -> bool:
    word = parser._curr.text.upper() if parser.token else ""
    if word in ("STREAM", "TABLE"):
        parser._advance()
        return word == "TABLE"
    if word == "OR" or word in _REFUSED_KINDS:
        what = "OR REPLACE" if word == "OR" else word
        hint = _REFUSED_KINDS.get(word, "a program's streams start anew at every run")
        raise parser.fault(f"CREATE {what} is not supported", hint=hint)
    raise parser.expected("STREAM or TABLE after CREATE")


_REFUSED_KINDS = {
    "VIEW": "CREATE STREAM n AS SELECT …, without INTO, is a view that other streams read",
    "MATERIALIZED": "CREATE STREAM n AS SELECT … INTO 'uri' writes what it computes",
    "TEMP": "streams and tables live as long as their program: leave it out",
    "TEMPORARY": "streams and tables live as long as their program: leave it out",
    "INDEX": "sources are read as they are",
    "FUNCTION": "functions are written in Python: @fb.function",
    "MACRO": "functions are written in Python: @fb.function",
    "SCHEMA": "streams have plain names, without a schema",
    "DATABASE": "streams have plain names, without a database",
}


def _insert(parser: FerrisParser, start: Span) -> CreateStream:
    if not parser._match(TokenType.INTO):
        raise parser.expected("INTO after INSERT")
    uri, span = parse_uri(parser, "INSERT INTO")
    parser.tail.uri, parser.tail.uri_span = uri, span
    if parser._match(TokenType.L_PAREN, advance=False) and not _is_query(parser):
        hint = "name the columns in the SELECT, in any order: sinks take them by name"
        raise parser.fault("INSERT INTO takes no list of columns", hint=hint)
    if parser._match_pair(TokenType.WITH, TokenType.L_PAREN, advance=False):
        parse_tail_clause(parser)
    return _create(parser, "", _query(parser), span)


def _is_query(parser: FerrisParser) -> bool:
    return parser._next.token_type in _QUERY_STARTS


def _describe(parser: FerrisParser, start: Span) -> Describe:
    if parser._match(TokenType.STRING, advance=False):
        endpoint = parse_endpoint(parser, "DESCRIBE")
        return Describe(endpoint.uri, True, endpoint.span, endpoint.options, endpoint.option_spans)
    if parser._match_set(_QUERY_STARTS, advance=False):
        raise parser.fault("DESCRIBE takes a URI or a name", hint="EXPLAIN shows a query's plan")
    name, span = parse_name(parser, "a quoted URI or the name of a stream after DESCRIBE")
    return Describe(name, False, span)


def _show(parser: FerrisParser, start: Span) -> ShowStreams:
    what = parser._curr
    if not parser._match_texts(("STREAMS", "TABLES")):
        raise parser.fault(f"expected STREAMS or TABLES after SHOW, found {shown(parser.token)}")
    return ShowStreams(what.text.upper() == "TABLES", (start[0], what.end + 1))


def _explain(parser: FerrisParser, start: Span) -> Explain:
    analyze = parser._match_text_seq("ANALYZE")
    if not parser.token:
        raise parser.expected("a statement after EXPLAIN")
    inner = parser.here()
    statement = _statement(parser)
    if not isinstance(statement, (CreateStream, Select)):
        hint = "EXPLAIN takes SELECT, CREATE STREAM … AS and INSERT"
        raise parser.fault("there is no plan to explain", inner, hint)
    return Explain(statement, bool(analyze), start)


_READERS: Mapping[str, Callable[[FerrisParser, Span], Statement]] = {
    "CREATE": _create_statement,
    "INSERT": _insert,
    "DESCRIBE": _describe,
    "DESC": _describe,
    "SHOW": _show,
    "EXPLAIN": _explain,
}
