"""CSV text to batches: typed at once by pyarrow, or carefully where a row does not fit.

Both ways give the same values: the careful one reads the same fields as bytes and casts them by
the kernels that the typed reader uses as well, after the few things that only the latter does
(trimming blanks around numbers and dates, its words for true and false). What a file writes in a
notation of its own is always read in the careful way. So are numbers too large for a double, which
the typed reader makes infinite.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.types as pt

from ferris_beam.batches.casting import CastFailure, ColumnCast, cast_column, explain
from ferris_beam.formats.csv.foreign import is_foreign, rewritten
from ferris_beam.formats.csv.notation import Notation
from ferris_beam.formats.csv.rows import Dialect, row_starts
from ferris_beam.formats.grid import Parsed, Parser
from ferris_beam.formats.text import Flaw, empty, whole, without_rows
from ferris_beam.formats.window import Block, Offsets

_TEXTS = (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())


class _Ragged(NamedTuple):
    """A row with another number of fields; ``row`` counts all rows of its block from 0."""

    row: int
    reason: str


class CsvParser(Parser):
    """Parses rows of a file whose columns are ``names`` into ``schema``, some of these columns.

    Blank lines are no rows. A row with another number of fields than there are names is bad.
    """

    def __init__(self, names: Sequence[str], schema: pa.Schema, dialect: Dialect) -> None:
        self.schema = schema
        self._names = list(names)
        self._dialect = dialect
        self._typed = {field.name: _read_as(field.type, dialect.notation) for field in schema}
        self._raw = {field.name: pa.binary() for field in schema}

    def parse(self, block: Block) -> Parsed:
        if not len(block):
            return Parsed(empty(self.schema))
        try:
            fields, ragged = self._read(block, self._typed)
            if any(map(_has_infinity, fields)):
                fields, ragged = self._read_raw(block)
        except pa.ArrowInvalid:
            if not block.copy().strip(b"\r\n"):
                return Parsed(empty(self.schema))
            fields, ragged = self._read_raw(block)
        columns, failures = self._convert(fields)
        if not failures and not ragged:
            return Parsed(pa.RecordBatch.from_arrays(columns, schema=self.schema))
        return self._without_bad_rows(block, columns, failures, ragged)

    # ── reading ─────────────────────────────────────────────────────────────────────────────

    def _read(
        self, block: Block, types: dict[str, pa.DataType], encoding: str = "utf8"
    ) -> tuple[list[pa.Array], list[_Ragged]]:
        ragged: list[_Ragged] = []

        def skip(row: pacsv.InvalidRow) -> str:
            ragged.append(_Ragged(row.number - 1, _count_differs(row)))
            return "skip"

        table = pacsv.read_csv(
            block.arrow(),
            read_options=pacsv.ReadOptions(
                use_threads=False,
                block_size=2 * len(block) + 1,
                column_names=self._names,
                encoding=encoding,
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=self._dialect.delimiter,
                quote_char=self._dialect.quote or False,
                escape_char=self._dialect.escape or False,
                invalid_row_handler=skip,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=types,
                include_columns=list(types),
                null_values=list(self._dialect.null_values),
                true_values=list(self._dialect.notation.true_values),
                false_values=list(self._dialect.notation.false_values),
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
        return whole(table), ragged

    def _read_raw(self, block: Block) -> tuple[list[pa.Array], list[_Ragged]]:
        try:
            return self._read(block, self._raw)
        except pa.ArrowInvalid:
            return self._read_without_ragged(block)

    def _read_without_ragged(self, block: Block) -> tuple[list[pa.Array], list[_Ragged]]:
        """pyarrow can't report a row with a wrong number of fields that is not UTF-8: such rows
        are found in another encoding, which has a character for every byte, and cut out."""
        fields, ragged = self._read(block, self._raw, encoding="latin1")
        starts = row_starts(block, self._dialect, len(fields[0]) + len(ragged))
        stops = np.append(starts[1:], len(block))
        bad = {row for row, _ in ragged}
        kept = [
            block.copy(start, stop)
            for row, (start, stop) in enumerate(zip(starts, stops, strict=True))
            if row not in bad
        ]
        fields, _ = self._read(Block.of(b"".join(kept) or b"\n"), self._raw)
        return fields, ragged

    # ── converting ──────────────────────────────────────────────────────────────────────────

    def _convert(self, fields: Iterable[pa.Array]) -> tuple[list[pa.Array], list[CastFailure]]:
        columns, failures = [], []
        for field, given in zip(self.schema, fields, strict=True):
            if given.type == field.type:
                columns.append(given)
                continue
            cast = self._cast(given, field.type)
            columns.append(cast.column)
            failures += explain(given, cast.bad, field)
        return columns, failures

    def _cast(self, given: pa.Array, wanted: pa.DataType) -> ColumnCast:
        """A column of raw fields as the typed reader would have given it."""
        text = cast_column(given, pa.string())
        column = text.column
        if not _is_text(wanted):
            nulls = pc.is_in(column, pa.array(self._dialect.null_values, pa.string()))
            column = pc.if_else(nulls, pa.scalar(None, pa.string()), column)
            if _is_trimmed(wanted):
                column = pc.ascii_trim(column, " \t")
            column = rewritten(column, wanted, self._dialect.notation)
        cast = cast_column(column, wanted)
        bad = np.union1d(text.bad, cast.bad)
        if pt.is_floating(wanted):
            bad = np.union1d(bad, _overflows(column, cast.column))
        return ColumnCast(cast.column, bad)

    # ── rejecting ───────────────────────────────────────────────────────────────────────────

    def _without_bad_rows(
        self,
        block: Block,
        columns: Sequence[pa.Array],
        failures: Sequence[CastFailure],
        ragged: Sequence[_Ragged],
    ) -> Parsed:
        total = len(columns[0]) + len(ragged)
        rows = np.delete(np.arange(total), [row for row, _ in ragged])
        flaws = {row: Flaw(reason) for row, reason in ragged}
        for failure in failures:
            row = int(rows[failure.row])
            flaws[row] = (
                flaws[row].and_also(failure.reason) if row in flaws else Flaw(failure.reason)
            )
        starts = row_starts(block, self._dialect, total)
        return without_rows(columns, self.schema, rows, flaws, block, starts)


def _read_as(wanted: pa.DataType, notation: Notation) -> pa.DataType:
    """The type to let pyarrow read: bytes where it can't, or (decimals) does not keep to the
    precision."""
    if is_foreign(wanted, notation):
        return pa.binary()
    if pt.is_dictionary(wanted):
        known = wanted == pa.dictionary(pa.int32(), pa.string())
    else:
        known = wanted in (pa.float32(), pa.float64(), pa.date32(), pa.bool_()) or (
            pt.is_integer(wanted) or pt.is_timestamp(wanted) or pt.is_time(wanted)
        )
    return wanted if known or wanted in _TEXTS else pa.binary()


def _is_text(wanted: pa.DataType) -> bool:
    """Whether a quoted value is never null."""
    kind = wanted.value_type if pt.is_dictionary(wanted) else wanted
    return kind in _TEXTS or pt.is_string_view(kind) or pt.is_binary_view(kind)


def _is_trimmed(wanted: pa.DataType) -> bool:
    """Whether the typed reader ignores blanks around values of this type."""
    return not (_is_text(wanted) or pt.is_boolean(wanted) or pt.is_timestamp(wanted))


def _has_infinity(column: pa.Array) -> bool:
    return pt.is_floating(column.type) and bool(pc.any(pc.is_inf(column)).as_py())


def _overflows(texts: pa.Array, numbers: pa.Array) -> Offsets:
    """The rows that are infinite although their texts are digits (1e400)."""
    digits = pc.invert(pc.match_substring(texts, "n", ignore_case=True))
    return np.flatnonzero(pc.and_(pc.is_inf(numbers), digits).fill_null(False))


def _count_differs(row: pacsv.InvalidRow) -> str:
    columns = "column" if row.actual_columns == 1 else "columns"
    return f"{row.actual_columns} {columns} where {row.expected_columns} were expected"
