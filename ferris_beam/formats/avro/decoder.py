"""Blocks to batches, decoded by Polars: fifteen times as fast as decoding row by row.

Avro has no checksums, and a decoder stops where it has read as many rows as a block says. So that
no row is lost where that number is damaged, a random row is put behind each block and asked for
too: it is read only if the rows before it fill the block to its last byte.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from ferris_beam.errors import MissingDependencyError
from ferris_beam.formats.avro.codecs import DamagedBlock
from ferris_beam.formats.avro.columns import converted, without_content
from ferris_beam.formats.avro.container import SYNC, header, write_long
from ferris_beam.formats.avro.schema import Kind, least_bytes
from ferris_beam.formats.avro.wire import column_name, mark_of, wire_schema

_MARKER = bytes(SYNC)


class Unpacked(NamedTuple):
    """A block's rows, encoded but not compressed."""

    rows: int
    data: bytes


class Decoder:
    """Decodes some columns of a file whose rows are ``record``'s."""

    def __init__(self, record: Kind, columns: Sequence[str]) -> None:
        numbers = {name: at for at, name in enumerate(record.fields)}
        self.schema = pa.schema([(name, record.fields[name].arrow) for name in columns])
        self._kinds = [(numbers[name], record.fields[name]) for name in columns]
        self._least = least_bytes(record)
        if not self._least:
            return
        self._mark = mark_of(record)
        self._marked = self._decoded(range(self._mark.fields), record)
        wanted = self._decoded((at for at, _ in self._kinds), record)
        self._columns = list(dict.fromkeys([*self._marked, *wanted]))
        self._head = header(json.dumps(wire_schema(record)).encode(), "null", _MARKER)
        self._expected = self._decode([Unpacked(0, b"")]).select(self._marked)

    @staticmethod
    def _decoded(numbers: Iterable[int], record: Kind) -> list[str]:
        """The decoder's names of those fields that take bytes."""
        kinds = list(record.fields.values())
        return [column_name(at) for at in numbers if least_bytes(kinds[at])]

    def decode(self, blocks: Sequence[Unpacked]) -> pa.RecordBatch:
        """All rows of some blocks. Raises `DamagedBlock` where they are not what the schema
        says."""
        rows = sum(block.rows for block in blocks)
        for block in blocks:
            self._check_size(block)
        if not self._least:
            return self._records(None, rows)
        table = self._decode(blocks)
        ends = np.cumsum([block.rows + 1 for block in blocks]) - 1
        self._check_marks(table, ends)
        kept = np.ones(table.num_rows, bool)
        kept[ends] = False
        return self._records(table.filter(pa.array(kept)), rows)

    def _check_size(self, block: Unpacked) -> None:
        if block.rows * self._least > len(block.data) or (block.data and not self._least):
            raise DamagedBlock(
                f"it says that it has {block.rows:,} rows, which is not what its "
                f"{len(block.data):,} bytes can hold"
            )
        if block.rows > _MOST_ROWS:
            raise DamagedBlock(f"it says that it has {block.rows:,} rows")

    def _decode(self, blocks: Sequence[Unpacked]) -> pa.RecordBatch:
        """As the decoder has them, each block's rows followed by the mark."""
        pl = _polars()
        parts = [self._head]
        mark = self._mark.encoded
        for rows, data in blocks:
            parts += (write_long(rows + 1), write_long(len(data) + len(mark)), data, mark, _MARKER)
        try:
            frame = pl.read_avro(io.BytesIO(b"".join(parts)), columns=self._columns)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            raise DamagedBlock(f"its rows are not what the schema says: {error}") from error
        return frame.to_arrow().combine_chunks().to_batches()[0]

    def _check_marks(self, table: pa.RecordBatch, ends: np.ndarray) -> None:
        found = table.select(self._marked).take(pa.array(ends))
        if not found.equals(self._expected.take(pa.array(np.zeros(len(ends), np.int64)))):
            raise DamagedBlock("its rows end before or behind its last byte")

    def _records(self, table: pa.RecordBatch | None, rows: int) -> pa.RecordBatch:
        try:
            columns = [
                converted(table.column(column_name(at)), kind)
                if table is not None and least_bytes(kind)
                else without_content(kind, rows)
                for at, kind in self._kinds
            ]
        except pa.ArrowException as error:
            raise DamagedBlock(f"a value is not of its type: {error}") from error
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)


_MOST_ROWS = 1 << 31


def _polars() -> ModuleType:
    try:
        import polars
    except ImportError:
        raise MissingDependencyError.of("polars", "reading Avro") from None
    return polars
