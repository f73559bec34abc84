"""Parquet to batches.

The position is ``row group << 40 | row within it``. A row group is cut every `CUT` rows, which is
part of every unit's identity, so that a restart meets the same borders whatever its batch size.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from ferris_beam.batches.casting import Cast, cast_records
from ferris_beam.batches.rebatch import Rebatcher
from ferris_beam.errors import FatalError
from ferris_beam.formats.base import BadRow, ByteSource, FormatReader, Piece
from ferris_beam.formats.columns import check_names, projected
from ferris_beam.formats.parquet.file import open_parquet, row_groups
from ferris_beam.formats.predicate import columns_of, mask_of
from ferris_beam.formats.text import empty

ROW_BITS = 40
GROUP = 1 << ROW_BITS
CUT = 65_536
"""Rows of a piece. Part of every Parquet unit's identity: never change it."""


class ParquetReader(FormatReader):
    """Reads one file; its footer is read once.

    A ``predicate`` drops rows, and row groups whose statistics say that no row of theirs fits:
    such a group is one empty piece.
    """

    def __init__(
        self,
        source: ByteSource,
        schema: pa.Schema,
        columns: Sequence[str] | None = None,
        predicate: pc.Expression | None = None,
    ) -> None:
        self.schema = projected(schema, columns)
        self._name = source.name
        self._file = open_parquet(source, dictionaries=True)
        check_names(source.name, self._file.schema_arrow.names, schema.names)
        self._predicate = predicate
        self._read_schema = self.schema
        self._groups: frozenset[int] = frozenset(range(self._file.num_row_groups))
        if predicate is not None:
            self._judged = columns_of(predicate, schema) or schema.names[:1]
            self._read_schema = projected(schema, [*self.schema.names, *self._judged])
            self._groups = row_groups(predicate, source)

    def read(self, start: int, end: int) -> Iterator[Piece]:
        position = start
        while position < end:
            group = position >> ROW_BITS
            group_end = min(end, (group + 1) << ROW_BITS)
            if group in self._groups and self._rows_of(group):
                yield from self._read_group(group, position, group_end)
            else:
                yield Piece(empty(self.schema), group_end)
            position = group_end

    def _rows_of(self, group: int) -> int:
        return self._file.metadata.row_group(group).num_rows

    def _read_group(self, group: int, start: int, end: int) -> Iterator[Piece]:
        """Pieces of one row group; the last one of the group also covers the positions behind."""
        rows = self._rows_of(group)
        first = group << ROW_BITS
        nbytes = self._bytes_per_row(group)
        at = first
        for records in self._batches(group):
            stop = at + records.num_rows
            piece_end = (group + 1) << ROW_BITS if stop == first + rows else stop
            if piece_end > start:
                yield self._piece(records, at, min(piece_end, end), nbytes)
            at = stop
            if piece_end >= end:
                return

    def _batches(self, group: int) -> Iterator[pa.RecordBatch]:
        rebatcher = Rebatcher(CUT)
        batches = self._file.iter_batches(
            CUT, row_groups=[group], columns=self._read_schema.names, use_threads=False
        )
        try:
            for records in batches:
                yield from rebatcher.add(records)
        except (pa.ArrowException, OSError) as error:
            raise FatalError(
                f"{self._name}: row group {group} can't be read ({error}); the file is damaged or "
                "uses what this reader doesn't know"
            ) from error
        yield from rebatcher.flush()

    def _piece(self, records: pa.RecordBatch, at: int, end: int, nbytes: float) -> Piece:
        read = int(nbytes * records.num_rows)
        if self._is_as_wanted(records.schema):
            return Piece(self._wanted(records), end, (), read)
        decoded = decode(records)
        cast = cast_records(decoded, self._read_schema)
        bad = self._bad_rows(decoded, cast, at)
        return Piece(self._wanted(cast.records), end, bad, read)

    def _wanted(self, records: pa.RecordBatch) -> pa.RecordBatch:
        """The rows and columns that were asked for; only what is left of them is decoded."""
        if self._predicate is not None:
            judged = decode(records.select(self._judged))
            records = records.filter(mask_of(judged, self._predicate))
        decoded = decode(records.select(self.schema.names))
        return pa.RecordBatch.from_arrays(decoded.columns, schema=self.schema)

    def _is_as_wanted(self, found: pa.Schema) -> bool:
        """Whether only dictionaries stand between the file's columns and those to be read."""
        return found.names == self._read_schema.names and all(
            field.nullable and _plain(found.field(at).type) == field.type
            for at, field in enumerate(self._read_schema)
        )

    def _bad_rows(self, records: pa.RecordBatch, cast: Cast, at: int) -> list[BadRow]:
        """Rows of a file whose types differ from the first file's, and that don't fit those."""
        reasons: dict[int, list[str]] = {}
        for failure in cast.failures:
            reasons.setdefault(failure.row, []).append(failure.reason)
        return [
            BadRow(
                at + row,
                f"row {(at + row) % GROUP:,} of row group {at >> ROW_BITS} of {self._name}",
                "; ".join(reasons[row]),
                json.dumps(records.slice(row, 1).to_pylist()[0], default=str).encode(),
                "schema",
            )
            for row in sorted(reasons)
        ]

    def _bytes_per_row(self, group: int) -> float:
        metadata = self._file.metadata.row_group(group)
        wanted = set(self._read_schema.names)
        chunks = (metadata.column(at) for at in range(metadata.num_columns))
        total = sum(
            chunk.total_compressed_size
            for chunk in chunks
            if chunk.path_in_schema.split(".")[0] in wanted
        )
        return float(total) / metadata.num_rows


def decode(records: pa.RecordBatch) -> pa.RecordBatch:
    """Without dictionaries."""
    columns = [
        column.dictionary_decode() if pt.is_dictionary(column.type) else column
        for column in records.columns
    ]
    return pa.RecordBatch.from_arrays(columns, names=records.schema.names)


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pt.is_dictionary(kind) else kind
