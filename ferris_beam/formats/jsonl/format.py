"""JSON Lines as a format: a grid of lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

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
from ferris_beam.formats.jsonl.encoding import start_of_text
from ferris_beam.formats.jsonl.inference import infer_schema, merged, settled
from ferris_beam.formats.jsonl.parser import JsonLinesParser
from ferris_beam.formats.jsonl.writer import JsonLinesWriter
from ferris_beam.formats.options import ReadOptions, WriteOptions
from ferris_beam.formats.registry import compressions
from ferris_beam.formats.types import data_type
from ferris_beam.formats.window import Block, Window


class JsonLinesFormat(Format):
    name = "jsonl"
    extensions = (".jsonl", ".ndjson")
    read_options = frozenset({"extra_keys", "sample_size", "types"})
    write_options = frozenset({"non_finite"})
    compressions = tuple(compressions())
    wrapped = True
    appendable = True

    def discover(self, source: ByteSource, options: ReadOptions) -> Discovery:
        return discovery_of(_borders(source).sample(options.sample_size), options)

    def names(self, source: ByteSource, options: ReadOptions) -> None:
        """Each line has keys of its own."""

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
        return GridReader(_borders(source), parser_of(schema, options, columns))

    def create(
        self, target: IO[bytes], schema: pa.Schema, options: WriteOptions, *, header: bool = True
    ) -> FormatWriter:
        return JsonLinesWriter(target, schema, options.non_finite)


def discovery_of(samples: Iterable[Block], options: ReadOptions) -> Discovery:
    """The columns of sampled lines."""
    found = reduce(merged, map(infer_schema, samples), pa.schema([]))
    unknown = {field.name for field in found if pt.is_null(field.type)} - options.types.keys()
    schema = settled(found)
    for name, kind in options.types.items():
        at = schema.get_field_index(name)
        field = pa.field(name, data_type(kind))
        schema = schema.append(field) if at < 0 else schema.set(at, field)
    return Discovery(schema, certain=len(schema) > 0, unknown=frozenset(unknown))


def parser_of(
    schema: pa.Schema, options: ReadOptions, columns: Sequence[str] | None
) -> JsonLinesParser:
    """A parser of ``columns``. Other keys are looked for where nobody said which ones to read."""
    wanted = projected(schema, columns)
    all_are_read = len(wanted) == len(schema)
    declared = options.declared_schema is not None
    extra_keys = options.extra_keys if all_are_read and not declared else "ignore"
    return JsonLinesParser(wanted, extra_keys)


def _borders(source: ByteSource) -> LineBorders:
    return LineBorders(Window(source), start_of_text(source))
