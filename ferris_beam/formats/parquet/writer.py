"""Batches to Parquet: gathered to row groups, each column encoded as suits its values."""

from __future__ import annotations

from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from ferris_beam.formats.base import FormatWriter
from ferris_beam.formats.parquet.encodings import SAMPLE, choose_encodings


class ParquetWriter(FormatWriter):
    """Holds up to one row group in memory."""

    def __init__(
        self, target: IO[bytes], schema: pa.Schema, compression: str | None, row_group_size: int
    ) -> None:
        self._target = target
        self._schema = schema
        self._compression = compression or "snappy"
        self._row_group_size = row_group_size
        self._writer: pq.ParquetWriter | None = None
        self._held: list[pa.RecordBatch] = []
        self._rows = 0

    def write(self, records: pa.RecordBatch) -> None:
        if not records.num_rows:
            return
        self._held.append(records)
        self._rows += records.num_rows
        if self._rows < self._row_group_size:
            return
        table = pa.Table.from_batches(self._held, self._schema)
        full = self._rows - self._rows % self._row_group_size
        self._held = table.slice(full).to_batches()
        self._rows -= full
        self._write(table.slice(0, full))

    def close(self) -> None:
        rest = pa.Table.from_batches(self._held, self._schema)
        self._held, self._rows = [], 0
        if self._writer is None or rest.num_rows:
            self._write(rest)
        assert self._writer is not None
        self._writer.close()

    def _write(self, table: pa.Table) -> None:
        if self._writer is None:
            self._writer = self._open(table.slice(0, SAMPLE))
        # Chunks with dictionaries of their own would be written without any.
        self._writer.write_table(table.unify_dictionaries(), row_group_size=self._row_group_size)

    def _open(self, sample: pa.Table) -> pq.ParquetWriter:
        encodings = choose_encodings(sample)
        return pq.ParquetWriter(
            self._target,
            self._schema,
            compression=self._compression,
            use_dictionary=encodings.dictionary,
            column_encoding=encodings.columns,
            write_statistics=encodings.statistics,
        )
