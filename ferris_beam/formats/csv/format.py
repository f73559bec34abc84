"""CSV as a format: a grid of lines, or of rows where values may hold line ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.errors import OptionError
from ferris_beam.formats.base import (
    ByteSource,
    Discovery,
    Extent,
    Format,
    FormatReader,
    FormatWriter,
)
from ferris_beam.formats.columns import check_names, projected
from ferris_beam.formats.csv.borders import LineCheck, QuotedBorders
from ferris_beam.formats.csv.encoding import TranscodingParser, in_utf8
from ferris_beam.formats.csv.header import Head, read_head
from ferris_beam.formats.csv.inference import infer_schema
from ferris_beam.formats.csv.parser import CsvParser
from ferris_beam.formats.csv.rows import Dialect
from ferris_beam.formats.csv.writer import CsvWriter
from ferris_beam.formats.grid import (
    Borders,
    GridReader,
    LineBorders,
    Parser,
    grid_extent,
)
from ferris_beam.formats.options import ReadOptions, WriteOptions
from ferris_beam.formats.registry import default_delimiter
from ferris_beam.formats.types import with_types
from ferris_beam.formats.window import Window


class CsvFormat(Format):
    name = "csv"
    extensions = (".csv", ".tsv")
    read_options = frozenset(
        {
            "columns",
            "delimiter",
            "encoding",
            "escape",
            "header",
            "newlines_in_values",
            "null_values",
            "quote",
            "skip_lines",
            "types",
        }
    )
    write_options = frozenset({"delimiter", "header"})
    compressions = ("none", "gzip")
    wrapped = True
    appendable = True

    def discover(self, source: ByteSource, options: ReadOptions) -> Discovery:
        window = Window(source)
        dialect = dialect_of(source.name, options)
        head = _head(window, dialect, options)
        rows = in_utf8(_borders(window, head, dialect, options).first_rows(), dialect.encoding)
        found = infer_schema(head.names, rows, dialect)
        return replace(found, schema=with_types(found.schema, options.types, source.name))

    def extent(self, source: ByteSource, options: ReadOptions) -> Extent:
        return grid_extent(source, divisible=not options.newlines_in_values)

    def open(
        self,
        source: ByteSource,
        schema: pa.Schema,
        options: ReadOptions,
        columns: Sequence[str] | None = None,
        predicate: pc.Expression | None = None,
    ) -> FormatReader:
        window = Window(source)
        dialect = dialect_of(source.name, options)
        head = _head(window, dialect, options)
        names = head.names or schema.names  # an empty file has neither names nor rows
        check_names(source.name, names, schema.names)
        parser: Parser = CsvParser(names, projected(schema, columns), dialect)
        if dialect.encoding != "utf-8":
            parser = TranscodingParser(parser, dialect.encoding)
        check = None if options.newlines_in_values else LineCheck(dialect, source.name)
        borders = _borders(window, head, dialect, options)
        return GridReader(borders, parser, head.lines, check)

    def create(
        self, target: IO[bytes], schema: pa.Schema, options: WriteOptions, *, header: bool = True
    ) -> FormatWriter:
        delimiter = options.delimiter or default_delimiter(str(getattr(target, "name", "")))
        return CsvWriter(target, schema, delimiter, header and options.header)


def dialect_of(name: str, options: ReadOptions) -> Dialect:
    """The dialect of a file; its name decides the delimiter where no option does.

    To escape quotes by quotes is what is done without an escape character.
    """
    delimiter = options.delimiter or default_delimiter(name)
    if delimiter in (options.quote, options.escape):
        raise OptionError(f"delimiter and quote or escape are both {delimiter!r}; set another one")
    return Dialect(
        delimiter=delimiter,
        quote=options.quote or None,
        escape=options.escape if options.escape not in ("", options.quote) else None,
        null_values=tuple(options.null_values),
        encoding=options.encoding,
    )


def _head(window: Window, dialect: Dialect, options: ReadOptions) -> Head:
    return read_head(window, dialect, options.skip_lines, options.header, options.columns)


def _borders(window: Window, head: Head, dialect: Dialect, options: ReadOptions) -> Borders:
    if options.newlines_in_values:
        return QuotedBorders(window, head.end, dialect)
    return LineBorders(window, head.end)
