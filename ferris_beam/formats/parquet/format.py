"""Parquet as a format: row groups, cut into batches of a constant number of rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc

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
from ferris_beam.formats.parquet.file import open_parquet
from ferris_beam.formats.parquet.reader import ParquetReader
from ferris_beam.formats.parquet.writer import ParquetWriter


class ParquetFormat(Format):
    name = "parquet"
    extensions = (".parquet", ".pq")
    read_options = frozenset[str]()
    write_options = frozenset({"row_group_size"})
    compressions = ("snappy", "zstd", "lz4", "gzip", "none")
    wrapped = False
    appendable = False
    filters = True

    def discover(self, source: ByteSource, options: ReadOptions) -> Discovery:
        return Discovery(plain_schema(open_parquet(source).schema_arrow, source.name), certain=True)

    def extent(self, source: ByteSource, options: ReadOptions) -> Extent:
        groups = open_parquet(source).metadata.num_row_groups
        return Extent(max(1, groups) * GROUP, grain=GROUP)

    def open(
        self,
        source: ByteSource,
        schema: pa.Schema,
        options: ReadOptions,
        columns: Sequence[str] | None = None,
        predicate: pc.Expression | None = None,
    ) -> FormatReader:
        return ParquetReader(source, schema, columns, predicate)

    def create(
        self, target: IO[bytes], schema: pa.Schema, options: WriteOptions, *, header: bool = True
    ) -> FormatWriter:
        return ParquetWriter(target, schema, options.compression, options.row_group_size)

    def written_schema(self, source: ByteSource) -> pa.Schema:
        return open_parquet(source).schema_arrow

    def merge(self, target: IO[bytes], parts: Iterable[ByteSource], options: WriteOptions) -> None:
        merge_by_reading(self, target, parts, options)
