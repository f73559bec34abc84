"""Avro to batches: cells of 4 MiB, as text has them.

A block belongs to the cell in which it starts: behind a sync marker, which is looked for from the
cell's corner on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from ferris_beam.formats import grid
from ferris_beam.formats.avro.codecs import DamagedBlock, unpack
from ferris_beam.formats.avro.container import Block, Blocks, read_header
from ferris_beam.formats.avro.decoder import Decoder, Unpacked
from ferris_beam.formats.avro.schema import Kind, parse
from ferris_beam.formats.base import ByteSource, Extent
from ferris_beam.formats.columns import check_names, projected
from ferris_beam.formats.groups import CUT, GROUP, GroupReader, Rows

_BYTES_AT_A_TIME = 1 << 23
"""Uncompressed bytes that are decoded at once, if not `CUT` rows are fewer."""


def record_of(source: ByteSource) -> Kind:
    """The record that a file's rows are."""
    return parse(read_header(source).schema, source.name)


def schema_of(source: ByteSource) -> pa.Schema:
    return pa.schema([(name, kind.arrow) for name, kind in record_of(source).fields.items()])


def extent_of(source: ByteSource) -> Extent:
    return Extent(max(1, -(-source.size_limit // grid.CELL)) * GROUP, grain=GROUP)


class AvroReader(GroupReader):
    """Reads one file; its header is read once."""

    kind = "the 4 MiB cell"

    def __init__(
        self, source: ByteSource, schema: pa.Schema, columns: Sequence[str] | None = None
    ) -> None:
        super().__init__(source.name, projected(schema, columns))
        header = read_header(source)
        record = parse(header.schema, source.name)
        check_names(source.name, list(record.fields), schema.names)
        self._codec = header.codec
        self._blocks = Blocks(source, header)
        self._decoder = Decoder(record, self.schema.names)

    def _read_group(self, group: int) -> Iterator[Rows]:
        held: list[tuple[Block, Unpacked]] = []
        rows = nbytes = 0
        for block in self._blocks.between(group * grid.CELL, (group + 1) * grid.CELL):
            unpacked = self._unpack(block)
            held.append((block, unpacked))
            rows += block.rows
            nbytes += len(unpacked.data)
            if rows >= CUT or nbytes >= _BYTES_AT_A_TIME:
                yield self._rows(held)
                held, rows, nbytes = [], 0, 0
        if held:
            yield self._rows(held)

    def _unpack(self, block: Block) -> Unpacked:
        try:
            return Unpacked(block.rows, unpack(self._codec, block.data))
        except DamagedBlock as error:
            raise self._blocks.damaged(block.start, str(error)) from error

    def _rows(self, held: Sequence[tuple[Block, Unpacked]]) -> Rows:
        nbytes = sum(block.end - block.start for block, _ in held)
        return Rows(self._decode(held), nbytes)

    def _decode(self, held: Sequence[tuple[Block, Unpacked]]) -> pa.RecordBatch:
        try:
            return self._decoder.decode([unpacked for _, unpacked in held])
        except DamagedBlock as error:
            for one in held if len(held) > 1 else ():
                self._decode([one])  # raises at the first one that is damaged
            raise self._blocks.damaged(held[0][0].start, str(error)) from error
