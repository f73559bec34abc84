"""How numbers, dates and words are written in a file, where that is not as in a program."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ferris_beam.formats.csv.date_format import DateFormat

TRUE = ("true", "True", "TRUE", "1")
FALSE = ("false", "False", "FALSE", "0")


@dataclass(frozen=True)
class Notation:
    """The decimal mark, what stands between thousands ('' for nothing), the formats of dates and
    of timestamps (none: ISO 8601), and the words for true and false."""

    decimal: str = "."
    thousands: str = ""
    date_formats: tuple[str, ...] = ()
    timestamp_formats: tuple[str, ...] = ()
    true_values: tuple[str, ...] = TRUE
    false_values: tuple[str, ...] = FALSE

    @property
    def has_marks(self) -> bool:
        """Whether numbers are written in another way than in a program."""
        return self.decimal != "." or self.thousands != ""

    @property
    def is_usual(self) -> bool:
        """Whether Arrow's reader knows all of it: its words are an option of its own."""
        return not (self.has_marks or self.date_formats or self.timestamp_formats)

    @cached_property
    def dates(self) -> tuple[DateFormat, ...]:
        return tuple(map(DateFormat.parse, self.date_formats))

    @cached_property
    def timestamps(self) -> tuple[DateFormat, ...]:
        return tuple(map(DateFormat.parse, self.timestamp_formats))


USUAL = Notation()
"""That of programs: `1234.5`, ISO 8601, true and false."""
