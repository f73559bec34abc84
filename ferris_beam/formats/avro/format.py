"""Avro as a format: cells of blocks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.formats.avro.codecs import BY_OPTION
from ferris_beam.formats.avro.merging import merge_blocks
from ferris_beam.formats.avro.reader import AvroReader, extent_of, schema_of
from ferris_beam.formats.avro.writer import AvroWriter
from ferris_beam.formats.base import (
    ByteSource,
    Discovery,
    Extent,
    Format,
    FormatReader,
    FormatWriter,
)
from ferris_beam.formats.options import ReadOptions, WriteOptions


class AvroFormat(Format):
    name = "avro"
    extensions = (".avro",)
    read_options = frozenset[str]()
    write_options = frozenset[str]()
    compressions = tuple(BY_OPTION)
    wrapped = False
    appendable = False

    def discover(self, source: ByteSource, options: ReadOptions) -> Discovery:
        return Discovery(schema_of(source), certain=True)

    def extent(self, source: ByteSource, options: ReadOptions) -> Extent:
        return extent_of(source)

    def open(
        self,
        source: ByteSource,
        schema: pa.Schema,
        options: ReadOptions,
        columns: Sequence[str] | None = None,
        predicate: pc.Expression | None = None,
    ) -> FormatReader:
        return AvroReader(source, schema, columns)

    def create(
        self, target: IO[bytes], schema: pa.Schema, options: WriteOptions, *, header: bool = True
    ) -> FormatWriter:
        return AvroWriter(target, schema, self._codec(options))

    def written_schema(self, source: ByteSource) -> pa.Schema:
        return schema_of(source)

    def merge(self, target: IO[bytes], parts: Iterable[ByteSource], options: WriteOptions) -> None:
        merge_blocks(target, parts, self._codec(options))

    def _codec(self, options: WriteOptions) -> str:
        return BY_OPTION[options.compression or self.compressions[0]]
