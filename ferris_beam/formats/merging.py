"""Files of a format as one file: read again, and written by one writer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO

import pyarrow as pa

from ferris_beam.formats.base import ByteSource, Format, FormatWriter
from ferris_beam.formats.options import ReadOptions, WriteOptions


def merge_by_reading(
    format: Format, target: IO[bytes], parts: Iterable[ByteSource], options: WriteOptions
) -> None:
    """What `Format.merge` promises, for a format that keeps every type. One piece and what the
    writer gathers are in memory at a time."""
    read = ReadOptions()
    writer: FormatWriter | None = None
    schema: pa.Schema | None = None
    for part in parts:
        if writer is None:
            schema = format.written_schema(part)
            writer = format.create(target, schema, options)
        reader = format.open(part, schema, read)
        for piece in reader.read(0, format.extent(part, read).end):
            writer.write(pa.RecordBatch.from_arrays(piece.records.columns, schema=schema))
    if writer is not None:
        writer.close()
