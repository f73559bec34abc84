"""Readers and writers of the connector, used as the engine uses them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from ferris_beam.connector import Chunk, Reader, Split, Writer
from ferris_beam.testing import SinkCase, SourceCase


def reader_of(uri: str, **options: Any) -> Reader:
    return SourceCase(uri=uri, options=options, expected=pa.table({})).reader()


def writer_of(uri: str, **options: Any) -> Writer:
    return SinkCase(uri=uri, options=options, read=lambda: pa.table({})).writer()


@contextmanager
def reading(uri: str, **options: Any) -> Iterator[Reader]:
    """A reader, open within."""
    reader = reader_of(uri, **options)
    try:
        reader.open()
        yield reader
    finally:
        reader.close()


def chunks_of(reader: Reader, known: dict[str, str] | None = None) -> list[tuple[Split, Chunk]]:
    return [(split, chunk) for split in reader.splits(known or {}) for chunk in reader.read(split)]


def read(uri: str, **options: Any) -> pa.Table:
    """All rows that are there now; none may be bad."""
    table, rejects = read_all(uri, **options)
    assert not rejects, rejects
    return table


def read_all(uri: str, **options: Any) -> tuple[pa.Table, list[Any]]:
    """All rows that are there now, or up to the URI's end, and the rejected messages."""
    ends = {} if "until=" in uri else {"until": "now"}
    with reading(uri, **ends, **options) as reader:
        schema = reader.schema()
        chunks = [chunk for _, chunk in chunks_of(reader)]
    rejects = [reject for chunk in chunks for reject in chunk.rejects]
    return pa.Table.from_batches([chunk.records for chunk in chunks], schema=schema), rejects
