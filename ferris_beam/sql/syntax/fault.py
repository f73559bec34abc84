"""A mistake that the parser finds, and where."""

from __future__ import annotations

from sqlglot.errors import ParseError

from ferris_beam.sql.statements import Span


class Fault(ParseError):
    """Becomes a `SqlError` with a caret once the text is at hand.

    A `ParseError`, since sqlglot's parser tries one reading after another and expects those that
    fail to say so by this class.
    """

    def __init__(self, message: str, span: Span | None, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.hint = hint
