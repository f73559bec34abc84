"""Reading a source as the engine does, without a pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

import ferris_beam as fb
from ferris_beam.connector import Chunk, Reader, Split
from ferris_beam.connectors import memory
from ferris_beam.testing import SourceCase
from ferris_beam.testing.rows import table_of

NOTHING = pa.table({})


def reader_of(uri: str, **options: Any) -> Reader:
    """A reader, not yet opened."""
    return SourceCase(uri=uri, options=options, expected=NOTHING).reader()


def splits_of(reader: Reader) -> list[Split]:
    """The splits as the engine lists them: the reader is closed behind it."""
    reader.open()
    try:
        return list(reader.splits({}))
    finally:
        reader.close()


def chunks_of(reader: Reader, splits: Sequence[Split]) -> list[Chunk]:
    reader.open()
    try:
        return [chunk for split in splits for chunk in reader.read(split)]
    finally:
        reader.close()


def read_table(reader: Reader) -> pa.Table:
    """All rows of a reader that isn't open."""
    chunks = chunks_of(reader, splits_of(reader))
    try:
        return table_of(chunks, reader.schema())
    finally:
        reader.close()


def through_a_pipeline(uri: str, **options: Any) -> pa.Table:
    """All rows, read by the engine into memory."""
    memory.clear()
    fb.launch(lambda p: p | fb.read(uri, **options) | fb.write("memory://out"), quiet=True)
    return memory.take("out")
