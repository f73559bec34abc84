"""JSON Lines to batches, by arrow-rs (arro3), whose reader is three times as fast as pyarrow's.

It is also more lenient than is safe: an int64 takes 2.5 for 2, a timestamp takes nanoseconds and
bare numbers. Therefore numbers are read as doubles (integers beyond 2⁵³ as decimals) and dates as
texts, and all of them cast, which checks every value.

One bad line fails a whole block: lines are halved until it is found.

It is lenient about commas (too many, or none) and zeros ahead of a number; no value is changed by
that. Where its error names a NUL byte, arro3 0.9 aborts the process: such texts never reach it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import arro3.io
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from ferris_beam.batches.casting import ColumnCast, cast_column
from ferris_beam.formats.grid import Parsed, Parser
from ferris_beam.formats.jsonl.escapes import NUL_ESCAPE, without_nul_escapes, without_wide_escapes
from ferris_beam.formats.jsonl.keys import infinite_rows, may_hold_others
from ferris_beam.formats.jsonl.reasons import flaw_of, is_fit
from ferris_beam.formats.jsonl.representation import is_text, parse_with
from ferris_beam.formats.jsonl.types import WIDE_INTEGER, read_as
from ferris_beam.formats.text import Flaw, empty, whole, without_rows
from ferris_beam.formats.window import Block, Offsets

_ROWS_AT_A_TIME = 8192
"""Larger batches leave the processor's cache: 64k rows at once take twice the time."""

_SEARCHED = 1 << 18
"""Bytes to look for line ends in at a time: fresh memory for 4 MiB costs more than looking."""

_RESCALED = 10
"""Digits that pyarrow takes off a decimal at a time: it refuses some that are zero beyond 16."""

_EXACT_DOUBLE = float(1 << 53)
_BLANKS = b" \t\r\n"
_LINE_END, _RETURN, _TAB, _SPACE = b"\n\r\t "
_INDENT = 16
"""Blanks ahead of an object that cost next to nothing."""


class _Read(NamedTuple):
    """What was read of some lines: their columns, and the rows in them that can't be cast."""

    columns: list[pa.Array]
    bad: Offsets


class JsonLinesParser(Parser):
    """Parses lines into ``schema``: missing keys are null, blank lines are no rows. Numbers may be
    in quotes; of a key that is there twice the last one counts. Rows with other keys are bad, or
    the keys are ignored where ``extra_keys`` is 'ignore'."""

    def __init__(self, schema: pa.Schema, extra_keys: str = "ignore") -> None:
        self.schema = schema
        self._exact = extra_keys == "reject"
        self._read_as = pa.schema([pa.field(field.name, read_as(field.type)) for field in schema])

    def parse(self, block: Block) -> Parsed:
        if not len(block):
            return Parsed(empty(self.schema))
        read = self._read(block)
        if read is None:
            return self._parse_by_halves(block)
        if not len(read.bad):
            return Parsed(pa.RecordBatch.from_arrays(read.columns, schema=self.schema))
        starts = object_starts(block)
        return self._without(block, starts, read.columns, np.arange(len(starts)), read.bad)

    # ── reading ─────────────────────────────────────────────────────────────────────────────

    def _read(self, block: Block) -> _Read | None:
        """One row for each line that isn't blank, or None where that can't be."""
        try:
            table = self._read_table(block)
        except pa.ArrowException:
            return None
        if table.num_rows != len(object_starts(block)):
            return None  # several objects on a line, or one on several
        read = self._convert(table)
        suspects = self._suspects(block, table, read.columns)
        if not len(suspects):
            return read
        return read._replace(bad=np.union1d(read.bad, self._unfit(block, suspects)))

    def _suspects(self, block: Block, table: pa.Table, columns: list[pa.Array]) -> Sequence[int]:
        """Rows that may hold more than was read, or numbers that are too large for a double."""
        if self._exact and may_hold_others(block, table.columns):
            return range(table.num_rows)
        return sorted({row for column in columns for row in infinite_rows(column)})

    def _unfit(self, block: Block, rows: Iterable[int]) -> Offsets:
        starts = object_starts(block)
        stops = np.append(starts[1:], len(block))
        lines = ((row, block.copy(starts[row], stops[row])) for row in rows)
        found = [row for row, line in lines if not is_fit(line, self.schema, self._exact)]
        return np.array(found, np.int64)

    def _read_table(self, block: Block) -> pa.Table:
        table = self._read_json(block)
        wide = [at for at, column in enumerate(table.columns) if self._is_wide(at, column)]
        if not wide:
            return table
        for at in wide:  # and from now on: identifiers of 64 bits are so in every line
            self._read_as = self._read_as.set(at, self._read_as.field(at).with_type(WIDE_INTEGER))
        return self._read_json(block)

    def _read_json(self, block: Block) -> pa.Table:
        if b"\0" in block:
            raise pa.ArrowInvalid("a NUL byte")
        return self._decode(block.view() if b"\\" not in block else self._without_traps(block))

    def _without_traps(self, block: Block) -> bytes | memoryview:
        """The text with those escapes decoded that the reader gets wrong."""
        if NUL_ESCAPE in block:  # no error may name the character
            self._decode(without_nul_escapes(block.view()))
        changed = without_wide_escapes(block.view())
        return block.view() if changed is None else changed

    def _decode(self, text: bytes | memoryview) -> pa.Table:
        file = pa.BufferReader(pa.py_buffer(text))
        return pa.table(arro3.io.read_json(file, self._read_as, batch_size=_ROWS_AT_A_TIME))

    def _is_wide(self, at: int, column: pa.ChunkedArray) -> bool:
        """Whether integers were read as doubles that may not be exact."""
        if not (pt.is_integer(self.schema.field(at).type) and pt.is_floating(column.type)):
            return False
        return bool(pc.any(pc.greater_equal(pc.abs(column), _EXACT_DOUBLE)).as_py())

    def _convert(self, table: pa.Table) -> _Read:
        casts = [
            _cast(given, field) for field, given in zip(self.schema, whole(table), strict=True)
        ]
        bad = [cast.bad for cast in casts if len(cast.bad)]
        rows = np.unique(np.concatenate(bad)) if bad else np.empty(0, np.int64)
        return _Read([cast.column for cast in casts], rows)

    # ── rejecting ───────────────────────────────────────────────────────────────────────────

    def _parse_by_halves(self, block: Block) -> Parsed:
        starts = object_starts(block)
        stops = np.append(starts[1:], len(block))
        columns: list[list[pa.Array]] = [[pa.nulls(0, field.type)] for field in self.schema]
        rows: list[Offsets] = [np.empty(0, np.int64)]
        bad: list[Offsets] = [np.empty(0, np.int64)]
        spans = [(0, len(starts))] if len(starts) else []
        while spans:
            first, last = spans.pop()
            read = self._read(block.part(int(starts[first]), int(stops[last - 1])))
            if read is not None:
                for pieces, piece in zip(columns, read.columns, strict=True):
                    pieces.append(piece)
                rows.append(np.arange(first, last))
                bad.append(read.bad + first)
            elif last - first == 1:
                bad.append(np.array([first]))
            else:
                middle = (first + last) // 2
                spans += [(middle, last), (first, middle)]
        together = [pa.concat_arrays(pieces) for pieces in columns]
        return self._without(block, starts, together, np.concatenate(rows), np.concatenate(bad))

    def _without(
        self,
        block: Block,
        starts: Offsets,
        columns: list[pa.Array],
        rows: Offsets,
        bad: Iterable[int],
    ) -> Parsed:
        stops = np.append(starts[1:], len(block))
        flaws = {int(row): self._flaw(block.copy(int(starts[row]), int(stops[row]))) for row in bad}
        return without_rows(columns, self.schema, rows, flaws, block, starts)

    def _flaw(self, line: bytes) -> Flaw:
        def fits(field: pa.Field) -> bool:
            read = JsonLinesParser(pa.schema([field]))._read(Block.of(line))
            return read is not None and not len(read.bad)

        return flaw_of(line.strip(_BLANKS), self.schema, fits, self._exact)


def _cast(given: pa.Array, field: pa.Field) -> ColumnCast:
    """What was read as what is wanted, where Arrow's own casts don't do, too."""
    kind = field.type
    if pt.is_dictionary(kind) and not (pt.is_string(given.type) and is_text(kind.value_type)):
        inner = _cast(given, field.with_type(kind.value_type))
        return inner._replace(column=inner.column.dictionary_encode().cast(kind))
    if pt.is_decimal(kind) and given.type.scale > kind.scale + _RESCALED:
        less = pa.decimal256(76, given.type.scale - _RESCALED)
        first = cast_column(given, less, name=field.name)
        rest = _cast(first.column, field)
        return rest._replace(bad=np.union1d(first.bad, rest.bad))
    if pt.is_decimal32(kind):  # pyarrow 25 makes zeros of a decimal256
        wide = cast_column(given, pa.decimal64(kind.precision, kind.scale), name=field.name)
        return wide._replace(column=wide.column.cast(kind))
    parse = parse_with(kind)
    if parse is None:
        return cast_column(given, kind, name=field.name)
    column = parse(given)
    lost = pc.and_(column.is_null(), given.is_valid())
    return ColumnCast(column, np.flatnonzero(lost.to_numpy(zero_copy_only=False)))


def object_starts(block: Block) -> Offsets:
    """The starts of all lines that aren't blank. In JSON a lone CR ends no line."""
    text = block.array()
    steps = range(0, len(text), _SEARCHED)
    ends = [np.flatnonzero(text[at : at + _SEARCHED] == _LINE_END) + (at + 1) for at in steps]
    starts = np.concatenate(([0], *ends))
    if starts[-1] == len(text):
        starts = starts[:-1]
    return np.delete(starts, _blank_lines(block, starts)) if len(starts) else starts


def _blank_lines(block: Block, starts: Offsets) -> list[int]:
    """Which lines hold nothing but blanks: looked at from their starts on, all at a time."""
    text = block.array()
    maybe = np.flatnonzero(text[starts] <= _SPACE)
    found: list[int] = []
    for indent in range(_INDENT):
        if not len(maybe):
            return found
        at = starts[maybe] + indent
        chars = text[np.minimum(at, len(text) - 1)]
        ended = (at >= len(text)) | (chars == _LINE_END)
        found += maybe[ended].tolist()
        maybe = maybe[~ended & ((chars == _SPACE) | (chars == _TAB) | (chars == _RETURN))]
    stops = np.append(starts[1:], len(text))
    return found + [int(at) for at in maybe if not block.copy(starts[at], stops[at]).strip(_BLANKS)]
