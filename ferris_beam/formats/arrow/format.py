"""Arrow IPC as formats: ``arrow`` writes files, ``arrows`` streams; each reads both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import IO, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.formats.arrow.reader import (
    ArrowFileReader,
    ArrowStreamReader,
    is_file,
    open_file,
    stored_schema,
)
from ferris_beam.formats.arrow.writer import ArrowWriter
from ferris_beam.formats.base import (
    ByteSource,
    Discovery,
    Extent,
    Format,
    FormatReader,
    FormatWriter,
)
from ferris_beam.formats.groups import GROUP, plain_schema
from ferris_beam.formats.merging import merge_by_reading
from ferris_beam.formats.options import ReadOptions, WriteOptions


class ArrowFormat(Format):
    name = "arrow"
    extensions: ClassVar[tuple[str, ...]] = (".arrow", ".feather", ".ipc")
    read_options = frozenset[str]()
    write_options = frozenset[str]()
    compressions = ("none", "lz4", "zstd")
    wrapped = False
    appendable = False
    stream = False

    def discover(self, source: ByteSource, options: ReadOptions) -> Discovery:
        return Discovery(plain_schema(stored_schema(source), source.name), certain=True)

    def extent(self, source: ByteSource, options: ReadOptions) -> Extent:
        if is_file(source):
            return Extent(max(1, open_file(source).num_record_batches) * GROUP, grain=GROUP)
        return Extent(source.size_limit * GROUP, divisible=False, grain=GROUP)

    def open(
        self,
        source: ByteSource,
        schema: pa.Schema,
        options: ReadOptions,
        columns: Sequence[str] | None = None,
        predicate: pc.Expression | None = None,
    ) -> FormatReader:
        kind = ArrowFileReader if is_file(source) else ArrowStreamReader
        return kind(source, schema, columns)

    def create(
        self, target: IO[bytes], schema: pa.Schema, options: WriteOptions, *, header: bool = True
    ) -> FormatWriter:
        return ArrowWriter(target, schema, options.compression, self.stream)

    def written_schema(self, source: ByteSource) -> pa.Schema:
        return stored_schema(source)

    def merge(self, target: IO[bytes], parts: Iterable[ByteSource], options: WriteOptions) -> None:
        merge_by_reading(self, target, parts, options)


class ArrowStreamFormat(ArrowFormat):
    name = "arrows"
    extensions = (".arrows",)
    stream = True
