"""JSON Lines as a format: a grid of lines."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
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
from ferris_beam.formats.columns import projected
from ferris_beam.formats.grid import GridReader, LineBorders, grid_extent
from ferris_beam.formats.jsonl.inference import infer_schema
from ferris_beam.formats.jsonl.parser import JsonLinesParser
from ferris_beam.formats.jsonl.writer import JsonLinesWriter
from ferris_beam.formats.options import ReadOptions, WriteOptions
from ferris_beam.formats.types import data_type
from ferris_beam.formats.window import Window


class JsonLinesFormat(Format):
    name = "jsonl"
    extensions = (".jsonl", ".ndjson")
    read_options = frozenset({"types"})
    write_options = frozenset[str]()
    compressions = ("none", "gzip")
    wrapped = True
    appendable = True

    def discover(self, source: ByteSource, options: ReadOptions) -> Discovery:
        found = infer_schema(_borders(source).first_rows())
        for name, kind in options.types.items():
            at = found.get_field_index(name)
            field = pa.field(name, data_type(kind))
            found = found.append(field) if at < 0 else found.set(at, field)
        return Discovery(found, certain=len(found) > 0)

    def extent(self, source: ByteSource, options: ReadOptions) -> Extent:
        return grid_extent(source)

    def open(
        self,
        source: ByteSource,
        schema: pa.Schema,
        options: ReadOptions,
        columns: Sequence[str] | None = None,
        predicate: pc.Expression | None = None,
    ) -> FormatReader:
        return GridReader(_borders(source), JsonLinesParser(projected(schema, columns)))

    def create(
        self, target: IO[bytes], schema: pa.Schema, options: WriteOptions, *, header: bool = True
    ) -> FormatWriter:
        return JsonLinesWriter(target, schema)


def _borders(source: ByteSource) -> LineBorders:
    window = Window(source)
    window.load(3)
    start = bytes(window.block(0, min(3, window.end)).view())
    return LineBorders(window, 3 if start == codecs.BOM_UTF8 else 0)
