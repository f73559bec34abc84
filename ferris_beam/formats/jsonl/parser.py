"""JSON Lines to batches, by arrow-rs (arro3), whose reader is three times as fast as pyarrow's.

It is also more lenient than is safe: an int64 takes 2.5 for 2, a timestamp takes nanoseconds and
bare numbers. Therefore numbers are read as doubles (integers beyond 2⁵³ as decimals) and dates as
texts, and all of them cast, which checks every value.

One bad line fails a whole block: lines are halved until it is found.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import arro3.io
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from ferris_beam.batches.casting import cast_column
from ferris_beam.formats.grid import Parsed, Parser
from ferris_beam.formats.jsonl.escapes import without_wide_escapes
from ferris_beam.formats.jsonl.reasons import flaw_of
from ferris_beam.formats.jsonl.types import WIDE_INTEGER, read_as
from ferris_beam.formats.text import Flaw, empty, whole, without_rows
from ferris_beam.formats.window import Block, Offsets

_ROWS_AT_A_TIME = 8192
"""Larger batches leave the processor's cache: 64k rows at once take twice the time."""

_EXACT_DOUBLE = float(1 << 53)
_BLANKS = b" \t\r\n"


class _Read(NamedTuple):
    """What was read of some lines: their columns, and the rows in them that can't be cast."""

    columns: list[pa.Array]
    bad: Offsets


class JsonLinesParser(Parser):
    """Parses lines into ``schema``: missing keys are null, others are ignored, blank lines are no
    rows. Numbers may be in quotes; of a key that is there twice the last one counts."""

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
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
        rows = table.num_rows
        if rows != block.count_lines() and rows != len(object_starts(block)):
            return None  # several objects on a line, or one on several
        return self._convert(table)

    def _read_table(self, block: Block) -> pa.Table:
        table = self._read_json(block)
        wide = [at for at, column in enumerate(table.columns) if self._is_wide(at, column)]
        if not wide:
            return table
        for at in wide:  # and from now on: identifiers of 64 bits are so in every line
            self._read_as = self._read_as.set(at, self._read_as.field(at).with_type(WIDE_INTEGER))
        return self._read_json(block)

    def _read_json(self, block: Block) -> pa.Table:
        text = pa.BufferReader(pa.py_buffer(_readable(block)))
        return pa.table(arro3.io.read_json(text, self._read_as, batch_size=_ROWS_AT_A_TIME))

    def _is_wide(self, at: int, column: pa.ChunkedArray) -> bool:
        """Whether integers were read as doubles that may not be exact."""
        if not (pt.is_integer(self.schema.field(at).type) and pt.is_floating(column.type)):
            return False
        return bool(pc.any(pc.greater_equal(pc.abs(column), _EXACT_DOUBLE)).as_py())

    def _convert(self, table: pa.Table) -> _Read:
        casts = [
            cast_column(given, field.type, name=field.name)
            for field, given in zip(self.schema, whole(table), strict=True)
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

        return flaw_of(line.rstrip(_BLANKS), self.schema, fits)


def _readable(block: Block) -> bytes | memoryview:
    """The text, with those escapes decoded that the reader gets wrong."""
    changed = without_wide_escapes(block.view()) if b"\\" in block else None
    return block.view() if changed is None else changed


def object_starts(block: Block) -> Offsets:
    """The starts of all lines that aren't blank. In JSON a lone CR ends no line."""
    text = block.array()
    starts = np.concatenate(([0], np.flatnonzero(text == 10) + 1))
    starts = starts[starts < len(text)]
    blank = np.flatnonzero(np.isin(text[starts], np.frombuffer(_BLANKS, np.uint8)))
    if not len(blank):
        return starts
    stops = np.append(starts[1:], len(text))
    empty_lines = [at for at in blank if not block.copy(starts[at], stops[at]).strip(_BLANKS)]
    return np.delete(starts, empty_lines)
