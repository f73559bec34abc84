"""JSON documents as a format."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
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
from ferris_beam.formats.grid import grid_extent
from ferris_beam.formats.json.document import Document
from ferris_beam.formats.json.reader import DocumentReader
from ferris_beam.formats.json.writer import JsonWriter, merge_arrays
from ferris_beam.formats.jsonl.format import JsonLinesFormat, discovery_of, parser_of
from ferris_beam.formats.options import ReadOptions, WriteOptions
from ferris_beam.formats.registry import compressions

_LINES = JsonLinesFormat()


class JsonFormat(Format):
    """An array of objects, one object, or objects one after the other; also JSON Lines, which are
    often called ``.json``: where the first line is a whole object."""

    name = "json"
    extensions = (".json",)
    read_options = frozenset({"extra_keys", "path", "sample_size", "types"})
    write_options = frozenset({"non_finite"})
    compressions = tuple(compressions())
    wrapped = True
    appendable = False

    def discover(self, source: ByteSource, options: ReadOptions) -> Discovery:
        document = Document.of(source, options.path)
        if document.are_lines:
            return _LINES.discover(source, options)
        return discovery_of(document.sample(options.sample_size), options)

    def names(self, source: ByteSource, options: ReadOptions) -> None:
        """Each object has keys of its own."""

    def extent(self, source: ByteSource, options: ReadOptions) -> Extent:
        if Document.of(source, options.path).are_lines:
            return _LINES.extent(source, options)
        return replace(grid_extent(source), divisible=False)

    def open(
        self,
        source: ByteSource,
        schema: pa.Schema,
        options: ReadOptions,
        columns: Sequence[str] | None = None,
        predicate: pc.Expression | None = None,
    ) -> FormatReader:
        document = Document.of(source, options.path)
        if document.are_lines:
            return _LINES.open(source, schema, options, columns)
        return DocumentReader(document, parser_of(schema, options, columns))

    def create(
        self, target: IO[bytes], schema: pa.Schema, options: WriteOptions, *, header: bool = True
    ) -> FormatWriter:
        return JsonWriter(target, schema, options.non_finite)

    def merge(self, target: IO[bytes], parts: Iterable[ByteSource], options: WriteOptions) -> None:
        merge_arrays(target, parts)
