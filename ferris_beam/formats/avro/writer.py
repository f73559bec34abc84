"""Batches to Avro object container files."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import IO

import numpy as np
import pyarrow as pa

from ferris_beam.batches.rebatch import Rebatcher
from ferris_beam.formats.avro.codecs import CODECS
from ferris_beam.formats.avro.container import SYNC, header, write_long
from ferris_beam.formats.avro.encoder import encoded_rows
from ferris_beam.formats.avro.mapping import avro_schema
from ferris_beam.formats.base import FormatWriter

BLOCK_BYTES = 64_000
"""Of an uncompressed block, about: as Avro's own writers have it."""


class AvroWriter(FormatWriter):
    """Gathers rows to blocks. ``codec`` is Avro's name of it."""

    def __init__(self, target: IO[bytes], schema: pa.Schema, codec: str) -> None:
        self.schema = schema_text(schema)
        self.codec = codec
        self._target = target
        self._sync = os.urandom(SYNC)
        self._rebatcher = Rebatcher()
        target.write(header(self.schema, codec, self._sync))

    def write(self, records: pa.RecordBatch) -> None:
        for batch in self._rebatcher.add(records):
            self._write(batch)

    def close(self) -> None:
        for batch in self._rebatcher.flush():
            self._write(batch)

    def flush(self) -> None:
        """Writes what is held back, as blocks of its own."""
        self.close()

    def write_block(self, rows: int, packed: bytes) -> None:
        """A block as it is in the file, compressed by the codec."""
        lengths = write_long(rows) + write_long(len(packed))
        self._target.write(b"".join((lengths, packed, self._sync)))

    def _write(self, records: pa.RecordBatch) -> None:
        compress = CODECS[self.codec].compress
        for rows, data in _blocks(encoded_rows(records)):
            self.write_block(rows, compress(data))


def schema_text(schema: pa.Schema) -> bytes:
    """The schema of a file's header. Raises `SchemaError` for what Avro can't hold."""
    return json.dumps(avro_schema(schema), separators=(",", ":")).encode()


def _blocks(rows: pa.LargeBinaryArray) -> Iterator[tuple[int, memoryview]]:
    """Rows, gathered to blocks of `BLOCK_BYTES` or one row."""
    offsets = np.frombuffer(rows.buffers()[1], np.int64)[rows.offset : rows.offset + len(rows) + 1]
    data = memoryview(rows.buffers()[2] or b"")
    start = 0
    while start < len(rows):
        behind = int(np.searchsorted(offsets, offsets[start] + BLOCK_BYTES, "right")) - 1
        stop = min(len(rows), max(start + 1, behind))
        yield stop - start, data[offsets[start] : offsets[stop]]
        start = stop
