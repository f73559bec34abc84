"""How CSV is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ferris_beam.errors import OptionError
from ferris_beam.formats.csv.date_format import DateFormat
from ferris_beam.formats.options import WriteOptions

Quoting = Literal["minimal", "strings", "all", "none"]

_IN_VALUES = frozenset("0123456789+-.: ")
"""Besides letters: what numbers, dates and times consist of."""


@dataclass(frozen=True)
class Style:
    """The characters between and around values; '' for no ``quote`` or ``escape``. A quote in a
    value is doubled where there is no escape character."""

    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    quoting: Quoting = "minimal"
    null_value: str = ""
    line_end: str = "\n"
    decimal: str = "."
    encoding: str = "utf-8"
    date_format: DateFormat | None = None
    timestamp_format: DateFormat | None = None

    @classmethod
    def of(cls, options: WriteOptions, delimiter: str) -> Style:
        """Raises `OptionError` where the options contradict each other."""
        style = cls(
            delimiter=delimiter,
            quote=options.quote,
            escape="" if options.escape == options.quote else options.escape,
            quoting=options.quoting if options.quote else "none",
            null_value=options.null_value,
            line_end="\r\n" if options.line_end == "crlf" else "\n",
            decimal=options.decimal,
            encoding=options.encoding,
            date_format=_parsed(options.date_format),
            timestamp_format=_parsed(options.timestamp_format),
        )
        style._check()
        return style

    @property
    def is_plain(self) -> bool:
        """Whether pyarrow writes it so: it quotes texts with '"' by doubling, and nothing else."""
        chars = (self.quote, self.escape, self.quoting, self.null_value, self.line_end)
        return (
            chars == ('"', "", "minimal", "", "\n")
            and self.decimal == "."
            and self.date_format is None
            and self.timestamp_format is None
            and not self.may_be_in_values
        )

    @property
    def may_be_in_values(self) -> bool:
        """Whether numbers, dates or words may hold a character that separates or encloses."""
        marks = {self.delimiter, self.quote, self.escape} - {""}
        shaped = self.date_format is not None or self.timestamp_format is not None
        return shaped or any(
            mark.isalnum() or mark in _IN_VALUES or mark == self.decimal for mark in marks
        )

    def _check(self) -> None:
        if self.delimiter in (self.quote, self.escape):
            raise OptionError(
                f"delimiter and quote or escape are both {self.delimiter!r}; set another one"
            )
        marks = {self.delimiter, self.quote, self.escape, "\r", "\n"} - {""}
        if any(mark in self.null_value for mark in marks):
            raise OptionError(
                f"null_value is {self.null_value!r}, which holds a delimiter, a quote, an escape "
                "character or a line end; set another one"
            )


def _parsed(text: str | None) -> DateFormat | None:
    return None if text is None else DateFormat.parse(text)
