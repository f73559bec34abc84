"""sqlglot's parser with our relations, windows and clauses, and with errors that point.

What sqlglot would skip in silence (an empty item of a list, hints, a string as an alias) is
refused here; what it reads and our planner has no use for, in `supported`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, ClassVar, TypeVar

from sqlglot import exp
from sqlglot.parsers.duckdb import DuckDBParser
from sqlglot.tokens import Token, TokenType

from ferris_beam.sql.functions.parsing import parser_functions
from ferris_beam.sql.statements import Span
from ferris_beam.sql.syntax.escapes import unescaped
from ferris_beam.sql.syntax.fault import Fault
from ferris_beam.sql.syntax.keywords import near_miss, shown, span_of_token
from ferris_beam.sql.syntax.messages import translated
from ferris_beam.sql.syntax.settings import Settings, parse_settings
from ferris_beam.sql.syntax.tail import Tail, parse_tail_clause, starts_emit
from ferris_beam.sql.syntax.windows import (
    WINDOW_CLAUSE_NAMES,
    WINDOW_FUNCTION_NAMES,
    duration_literal,
    parse_window_clause,
    parse_window_function,
    parse_window_relation,
    starts_window_relation,
)
from ferris_beam.sql.text import span_of

T = TypeVar("T")
E = TypeVar("E", bound=exp.Expr)


class FerrisParser(DuckDBParser):
    """Statements are read by `statements`; this class reads queries and expressions."""

    ADD_JOIN_ON_TRUE = False

    FUNCTIONS = parser_functions(DuckDBParser.FUNCTIONS)
    FUNCTION_PARSERS: ClassVar = {
        **DuckDBParser.FUNCTION_PARSERS,
        **dict.fromkeys(WINDOW_FUNCTION_NAMES, parse_window_function),
    }
    QUERY_MODIFIER_PARSERS: ClassVar = {
        **DuckDBParser.QUERY_MODIFIER_PARSERS,
        TokenType.WINDOW: lambda self: self._parse_window_modifier(),
    }
    NUMERIC_PARSERS: ClassVar = {
        **DuckDBParser.NUMERIC_PARSERS,
        TokenType.NUMBER: lambda self, token: self._parse_number_or_duration(token),
        TokenType.BYTE_STRING: lambda self, token: self._parse_escaped_string(token),
    }
    PRIMARY_PARSERS: ClassVar = {**DuckDBParser.PRIMARY_PARSERS, **NUMERIC_PARSERS}

    def begin(self, tokens: list[Token], text: str) -> None:
        """Starts to read one statement."""
        self.reset()
        self.sql = text
        self.tail = Tail()
        self.depths = _depths(tokens)
        self._chunks = [tokens]
        self._chunk_index = 0
        self._advance_chunk()

    @property
    def token(self) -> Token | None:
        """The next token; None at the end of the statement."""
        return self._curr or None

    def here(self) -> Span:
        """The next token's span, or the place behind the last one."""
        if self._curr:
            return span_of_token(self._curr)
        last = self._tokens[-1].end + 1
        return last, last + 1

    def fault(self, message: str, at: exp.Expr | Span | None = None, hint: str = "") -> Fault:
        span = span_of(at) if isinstance(at, exp.Expr) else at
        return Fault(message, span or self.here(), hint)

    def expected(self, what: str, hint: str = "") -> Fault:
        """``expected a name, found '('``; a keyword that is nearly right is named instead."""
        for token in (self._curr, self._prev):
            if token and token.token_type == TokenType.VAR and (word := near_miss(token.text)):
                message = f"{shown(token)} is not understood here"
                return Fault(message, span_of_token(token), f"did you mean {word}?")
        return self.fault(f"expected {what}, found {shown(self.token)}", hint=hint)

    def at_end_of_query(self) -> bool:
        """Whether no parenthesis is open."""
        return not self._curr or self.depths[self._index] == 0

    def _parse_statement(self) -> exp.Expr | None:
        """Where sqlglot would take any statement (in a CTE, say) only a query may stand."""
        query = self._parse_select(nested=True, parse_subquery_alias=False)
        return self._parse_query_modifiers(self._parse_set_operations(query))

    def raise_error(self, message: str, token: Token | None = None) -> None:
        raise translated(self, message)

    def expression(
        self, instance: E, token: Token | None = None, comments: list[str] | None = None
    ) -> E:
        """Every node knows its place, or one below it does."""
        built = super().expression(instance, token, comments)
        if "start" not in built.meta and self._prev and span_of(built) is None:
            built.update_positions(self._prev)
        return built

    def _parse_csv(
        self, parse_method: Callable[[], T | None], sep: TokenType = TokenType.COMMA
    ) -> list[T]:
        """Lists without holes: an item that is missing is an error."""
        first = parse_method()
        items = [] if first is None else [first]
        if first is None and self._match(sep, advance=False):
            raise self.expected("an expression")
        while self._match(sep):
            item = parse_method()
            if item is None:
                raise self.expected("another item after the comma")
            items.append(item)
        return items

    def _parse_number_or_duration(self, token: Token) -> exp.Expr:
        if self._is_connected() and self._curr.token_type == TokenType.VAR:
            return duration_literal(self, token)
        return self.expression(exp.Literal(this=token.text, is_string=False), token)

    def _parse_escaped_string(self, token: Token) -> exp.Expr:
        try:
            text = unescaped(self.sql[token.start + 2 : token.end])
        except ValueError as error:
            raise Fault(str(error), span_of_token(token)) from None
        return self.expression(exp.Literal(this=text, is_string=True), token)

    def _parse_interval(self, *arguments: Any, **named: Any) -> exp.Add | exp.Interval | None:
        start = self._curr
        interval = super()._parse_interval(*arguments, **named)
        if isinstance(interval, exp.Interval):
            _place(interval, start, self._prev)
        return interval

    def _parse_table_part(self, schema: bool = False) -> exp.Expr | None:
        """A quoted string where a table may stand is a URI."""
        if self._match(TokenType.STRING):
            return self.expression(exp.Literal(this=self._prev.text, is_string=True), self._prev)
        return super()._parse_table_part(schema=schema)

    def _parse_table(self, *arguments: Any, **named: Any) -> exp.Expr | None:
        if starts_window_relation(self):
            return parse_window_relation(self)
        table = super()._parse_table(*arguments, **named)
        if not (isinstance(table, exp.Table) and isinstance(table.this, exp.Literal)):
            return table
        if settings := self._parse_source_settings():
            table.meta["settings"] = settings
            for join in self._parse_joins() if named.get("joins") else ():
                table.append("joins", join)
        return table

    def _parse_source_settings(self) -> Settings | None:
        """``WITH (…)`` directly behind a URI holds options of this source; at the end of a
        statement whose INTO came before, those of its sink."""
        if not self._match_pair(TokenType.WITH, TokenType.L_PAREN, advance=False):
            return None
        if self.tail.uri is not None and self.tail.settings is None and self._ends_here():
            return None
        self._advance()
        return parse_settings(self)

    def _ends_here(self) -> bool:
        """Whether the parenthesis behind the next token is the last thing of the statement."""
        if not self.at_end_of_query():
            return False
        depth = 0
        for place in range(self._index + 1, len(self._tokens)):
            kind = self._tokens[place].token_type
            depth += (kind == TokenType.L_PAREN) - (kind == TokenType.R_PAREN)
            if not depth:
                return place == len(self._tokens) - 1
        return False

    def _parse_table_hints(self) -> list[exp.Expr] | None:
        return None

    def _parse_hint(self) -> exp.Hint | None:
        return None

    def _parse_table_alias(
        self, alias_tokens: Collection[TokenType] | None = None
    ) -> exp.TableAlias | None:
        self._refuse_string_as_alias()
        if self._starts_clause():
            return None
        return super()._parse_table_alias(alias_tokens=alias_tokens)

    def _parse_alias(self, this: exp.Expr | None, explicit: bool = False) -> exp.Expr | None:
        if this is not None:
            self._refuse_string_as_alias()
        if self._starts_clause():
            return this
        return super()._parse_alias(this, explicit=explicit)

    def _refuse_string_as_alias(self) -> None:
        string = self._next if self._match(TokenType.ALIAS, advance=False) else self._curr
        if string.token_type == TokenType.STRING:
            message = f"an alias is a name, not {shown(string)}"
            raise Fault(message, span_of_token(string), f'write "{string.text}"')

    def _starts_clause(self) -> bool:
        """Whether a word that could be an alias starts one of our clauses instead."""
        return starts_emit(self) or self._starts_window_clause()

    def _starts_window_clause(self) -> bool:
        return (
            self._match(TokenType.WINDOW, advance=False)
            and self._next.text.upper() in WINDOW_CLAUSE_NAMES
        )

    def _parse_window_modifier(self) -> tuple[str, Any]:
        if self._starts_window_clause():
            self._advance()
            return "ferris_window", parse_window_clause(self)
        return "windows", self._parse_window_clause()

    def _parse_map(self) -> Any:
        """sqlglot takes what stands behind ``MAP {…}`` for a subscript of the braces alone."""
        if not self._match(TokenType.L_BRACE):
            return super()._parse_map()
        pairs = self._parse_csv(lambda: self._parse_bracket_key_value(is_map=True))
        if not self._match(TokenType.R_BRACE):
            self.raise_error("Expected }")
        entries = exp.Struct(expressions=self._kv_to_prop_eq(pairs, parse_map=True))
        return self.expression(exp.ToMap(this=entries))

    def _parse_into(self) -> None:
        while parse_tail_clause(self):
            pass

    def _parse_query_modifiers(self, this: Any) -> Any:
        this = super()._parse_query_modifiers(this)
        while this is not None and parse_tail_clause(self):
            this = super()._parse_query_modifiers(this)
        return this

    def _parse_join(self, *arguments: Any, **named: Any) -> exp.Join | None:
        """sqlglot lets a comma pass behind which no table stands."""
        if self._match(TokenType.COMMA, advance=False):
            self._advance()
            table = self._parse_table(alias_tokens=named.get("alias_tokens"))
            return self.expression(exp.Join(this=table, kind="CROSS"))
        return super()._parse_join(*arguments, **named)


def _place(node: exp.Expr, first: Token, last: Token) -> None:
    """``node`` stands from the first to the last token."""
    node.update_positions(line=first.line, col=first.col, start=first.start, end=last.end)


def _depths(tokens: list[Token]) -> list[int]:
    """How many brackets are open before each token; `Fault` where they don't match."""
    closing = {
        TokenType.R_PAREN: TokenType.L_PAREN,
        TokenType.R_BRACKET: TokenType.L_BRACKET,
        TokenType.R_BRACE: TokenType.L_BRACE,
    }
    opened: list[Token] = []
    depths = []
    for token in tokens:
        depths.append(len(opened))
        if token.token_type in closing.values():
            opened.append(token)
        elif wanted := closing.get(token.token_type):
            if not opened or opened[-1].token_type != wanted:
                raise Fault(f"this {token.text} closes nothing", span_of_token(token))
            opened.pop()
    if opened:
        raise Fault(f"this {opened[-1].text} is never closed", span_of_token(opened[-1]))
    return depths
