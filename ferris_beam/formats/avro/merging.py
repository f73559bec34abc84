"""Avro files as one: blocks are copied, and decoded only where another schema wrote them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import IO

from ferris_beam.formats.avro.codecs import CODECS, DamagedBlock, unpack
from ferris_beam.formats.avro.container import Block, Blocks, Header, read_header
from ferris_beam.formats.avro.reader import AvroReader, extent_of, schema_of
from ferris_beam.formats.avro.writer import AvroWriter
from ferris_beam.formats.base import ByteSource


def merge_blocks(target: IO[bytes], parts: Iterable[ByteSource], codec: str) -> None:
    """What `Format.merge` promises; one block is in memory at a time.

    A file of another writer may have the same columns and another schema, one whose values can't be
    null for example.
    """
    writer: AvroWriter | None = None
    for part in parts:
        if writer is None:
            writer = AvroWriter(target, schema_of(part), codec)
        header = read_header(part)
        if header.schema == writer.schema:
            _copy(part, header, writer)
        else:
            _write_again(part, writer)
    if writer is not None:
        writer.close()


def _copy(part: ByteSource, header: Header, writer: AvroWriter) -> None:
    blocks = Blocks(part, header)
    for block in blocks.between(0, sys.maxsize):
        if header.codec == writer.codec:
            writer.write_block(block.rows, block.data)
        else:
            writer.write_block(block.rows, _recompressed(blocks, block, header.codec, writer.codec))


def _recompressed(blocks: Blocks, block: Block, found: str, wanted: str) -> bytes:
    try:
        data = unpack(found, block.data)
    except DamagedBlock as error:
        raise blocks.damaged(block.start, str(error)) from error
    return CODECS[wanted].compress(memoryview(data))


def _write_again(part: ByteSource, writer: AvroWriter) -> None:
    reader = AvroReader(part, schema_of(part))
    for piece in reader.read(0, extent_of(part).end):
        writer.write(piece.records)
    writer.flush()
