"""JSON and CSV: values become lines, which the parsers of files read.

A value must be one line for that. Line ends inside of JSON are blanks (RFC 8259) and are made such;
where a value is no single row after all, the parsers' count of rows tells, and each value is
looked at on its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from ferris_beam.connectors.kafka.decoding.base import Decoded, ValueDecoder
from ferris_beam.connectors.kafka.registry import HEADER, id_of
from ferris_beam.formats.csv.parser import CsvParser
from ferris_beam.formats.csv.rows import Dialect
from ferris_beam.formats.grid import Parsed, Parser
from ferris_beam.formats.jsonl.parser import JsonLinesParser
from ferris_beam.formats.text import Flaw
from ferris_beam.formats.window import Block

_EMPTY = Flaw("an empty value")
_SEVERAL = Flaw("not one row, but none or several")


def without_header(value: bytes) -> bytes:
    """JSON begins with no zero byte: where there is one, it begins the id of a schema."""
    return value[HEADER:] if _has_header(value) else value


def _has_header(value: bytes) -> bool:
    return id_of(value[:HEADER]) is not None


class LineDecoder(ValueDecoder):
    """Values that a parser of lines reads."""

    def __init__(self, parser: Parser) -> None:
        self.schema = parser.schema
        self._parser = parser

    def decode(self, values: Sequence[bytes]) -> Decoded:
        if not values:
            return Decoded(self._none())
        block = Block.of(b"\n".join(values))
        if b"" not in values and block.count_lines() == len(values):
            parsed = self._parser.parse(block)
            if parsed.records.num_rows + len(parsed.bad) == len(values):
                return Decoded(parsed.records, _numbered(parsed, values))
        return self._one_by_one(values)

    def _one_by_one(self, values: Sequence[bytes]) -> Decoded:
        """Lines are mended where that is right; what is no single row is bad."""
        bad: dict[int, Flaw] = {}
        lines: list[bytes] = []
        numbers: list[int] = []
        for number, value in enumerate(values):
            line = self._line(value)
            if isinstance(line, Flaw):
                bad[number] = line
            else:
                lines.append(line)
                numbers.append(number)
        parsed = self._parser.parse(Block.of(b"\n".join(lines))) if lines else None
        if parsed is None:
            return Decoded(self._none(), bad)
        if parsed.records.num_rows + len(parsed.bad) == len(lines):
            found = _numbered(parsed, lines)
            return Decoded(parsed.records, {**bad, **{numbers[at]: f for at, f in found.items()}})
        return self._each(lines, numbers, bad)

    def _each(
        self, lines: Sequence[bytes], numbers: Sequence[int], bad: dict[int, Flaw]
    ) -> Decoded:
        parts = [self._none()]
        for number, line in zip(numbers, lines, strict=True):
            parsed = self._parser.parse(Block.of(line))
            if parsed.records.num_rows == 1 and not parsed.bad:
                parts.append(parsed.records)
            else:
                bad[number] = _flaw(parsed)
        table = pa.Table.from_batches(parts).combine_chunks()
        return Decoded((table.to_batches() or [self._none()])[0], bad)

    def _line(self, value: bytes) -> bytes | Flaw:
        """A value as one line."""
        if not value.strip():
            return _EMPTY
        return _SEVERAL if b"\n" in value else value

    def _none(self) -> pa.RecordBatch:
        return pa.RecordBatch.from_pylist([], schema=self.schema)


class JsonDecoder(LineDecoder):
    """JSON objects."""

    def __init__(self, schema: pa.Schema, extra_keys: str) -> None:
        super().__init__(JsonLinesParser(schema, extra_keys))
        self._extra_keys = extra_keys

    def decode(self, values: Sequence[bytes]) -> Decoded:
        if values and _has_header(values[0]):
            values = list(map(without_header, values))
        decoded = super().decode(values)
        if any(_has_header(values[number]) for number in decoded.bad):  # only some have it
            return super().decode(list(map(without_header, values)))
        return decoded

    def narrowed(self, columns: Sequence[str]) -> ValueDecoder:
        if self._extra_keys == "reject":
            return super().narrowed(columns)
        kept = pa.schema([self.schema.field(name) for name in columns])
        return JsonDecoder(kept, "ignore") if columns else super().narrowed(columns)

    def _line(self, value: bytes) -> bytes | Flaw:
        if not value.strip():
            return _EMPTY
        if b"\n" not in value:
            return value
        import orjson

        try:
            orjson.loads(value)  # a line end inside of a text is no JSON, and must stay so
        except orjson.JSONDecodeError as error:
            return Flaw(f"not JSON: {error}")
        return value.replace(b"\n", b" ")


class CsvDecoder(LineDecoder):
    """One row of CSV without a header; line ends inside of quotes are not taken."""

    def __init__(self, schema: pa.Schema, delimiter: str) -> None:
        dialect = Dialect(delimiter=delimiter)
        super().__init__(CsvParser(schema.names, schema, dialect))


def _numbered(parsed: Parsed, values: Sequence[bytes]) -> dict[int, Flaw]:
    """The flaws by the numbers of their values."""
    if not parsed.bad:
        return {}
    starts = np.cumsum([0, *(len(value) + 1 for value in values[:-1])])
    numbers = np.searchsorted(starts, [line.start for line in parsed.bad], "right") - 1
    return {
        int(number): Flaw(line.reason, line.category)
        for number, line in zip(numbers, parsed.bad, strict=True)
    }


def _flaw(parsed: Parsed) -> Flaw:
    if len(parsed.bad) == 1 and not parsed.records.num_rows:
        return Flaw(parsed.bad[0].reason, parsed.bad[0].category)
    return _SEVERAL
