"""CSV as a format: a grid of lines, or of rows where values may hold line ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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
from ferris_beam.formats.csv.borders import LineCheck, QuotedBorders, first_cell_holds_line_ends
from ferris_beam.formats.csv.comments import CommentParser, without_comments
from ferris_beam.formats.csv.decoding import is_bytewise, text_window
from ferris_beam.formats.csv.encoding import TranscodingParser, in_utf8
from ferris_beam.formats.csv.header import Head, read_head
from ferris_beam.formats.csv.inference import infer_schema
from ferris_beam.formats.csv.notation import Notation
from ferris_beam.formats.csv.parser import CsvParser
from ferris_beam.formats.csv.rows import Dialect
from ferris_beam.formats.csv.style import Style
from ferris_beam.formats.csv.writer import CsvWriter
from ferris_beam.formats.grid import (
    Borders,
    GridReader,
    LineBorders,
    Parser,
    grid_extent,
)
from ferris_beam.formats.options import ALL, ReadOptions, WriteOptions
from ferris_beam.formats.registry import compressions, default_delimiter
from ferris_beam.formats.types import with_types
from ferris_beam.formats.window import Block, Window


class CsvFormat(Format):
    name = "csv"
    extensions = (".csv", ".tsv")
    read_options = frozenset(
        {
            "columns",
            "comment",
            "date_format",
            "decimal",
            "delimiter",
            "encoding",
            "escape",
            "false_values",
            "header",
            "newlines_in_values",
            "null_values",
            "quote",
            "sample_size",
            "skip_lines",
            "thousands",
            "timestamp_format",
            "true_values",
            "types",
        }
    )
    write_options = frozenset(
        {
            "date_format",
            "decimal",
            "delimiter",
            "encoding",
            "escape",
            "header",
            "line_end",
            "null_value",
            "quote",
            "quoting",
            "timestamp_format",
        }
    )
    compressions = tuple(compressions())
    wrapped = True
    appendable = True

    def discover(self, source: ByteSource, options: ReadOptions) -> Discovery:
        file = _File.of(source, options)
        found = infer_schema(
            file.head.names,
            file.sample(options.sample_size),
            file.dialect,
            exact=options.sample_size == ALL,
        )
        schema = with_types(found.schema, options.types, source.name)
        return replace(found, schema=schema, unknown=found.unknown - options.types.keys())

    def names(self, source: ByteSource, options: ReadOptions) -> Sequence[str]:
        window = text_window(source, options.encoding)
        return _head(window, dialect_of(source.name, options), options).names

    def extent(self, source: ByteSource, options: ReadOptions) -> Extent:
        if options.newlines_in_values is True:
            return replace(grid_extent(source), divisible=False)
        window = text_window(source, options.encoding)
        whole = grid_extent(window.source)
        if not whole.divisible or whole.end == 1 or options.newlines_in_values is False:
            return whole
        return replace(whole, divisible=not _File.of(source, options).holds_line_ends)

    def open(
        self,
        source: ByteSource,
        schema: pa.Schema,
        options: ReadOptions,
        columns: Sequence[str] | None = None,
        predicate: pc.Expression | None = None,
    ) -> FormatReader:
        file = _File.of(source, options)
        names = file.head.names or schema.names  # an empty file has neither names nor rows
        check_names(source.name, names, schema.names)
        parser = file.parser(names, projected(schema, columns))
        check = None if file.holds_line_ends else LineCheck(file.dialect, source.name)
        return GridReader(file.borders, parser, file.head.lines, check)

    def create(
        self, target: IO[bytes], schema: pa.Schema, options: WriteOptions, *, header: bool = True
    ) -> FormatWriter:
        delimiter = options.delimiter or default_delimiter(str(getattr(target, "name", "")))
        style = Style.of(options, delimiter)
        return CsvWriter(target, schema, style, header=options.header, begins=header)


@dataclass(frozen=True)
class _File:
    """A file whose head is known, and whether it is read row by row from front to back, because
    values hold line ends, or may and nothing is lost by it; else each line is a row."""

    window: Window
    dialect: Dialect
    head: Head
    holds_line_ends: bool

    @classmethod
    def of(cls, source: ByteSource, options: ReadOptions) -> _File:
        window = text_window(source, options.encoding)
        dialect = dialect_of(source.name, options)
        head = _head(window, dialect, options)
        holds = options.newlines_in_values
        if holds == "auto":
            divisible = window.source.size is not None
            holds = not divisible or first_cell_holds_line_ends(window, head.end, dialect)
        return cls(window, dialect, head, holds)

    @property
    def borders(self) -> Borders:
        if self.holds_line_ends:
            return QuotedBorders(self.window, self.head.end, self.dialect)
        return LineBorders(self.window, self.head.end)

    def sample(self, size: int) -> Iterator[Block]:
        """Rows in UTF-8, without comments."""
        for block in self.borders.sample(size):
            yield in_utf8(without_comments(block, self.dialect), self.dialect.encoding)

    def parser(self, names: Sequence[str], schema: pa.Schema) -> Parser:
        dialect = self.dialect
        parser: Parser = CsvParser(names, schema, replace(dialect, comment=None))
        if dialect.encoding != "utf-8":
            parser = TranscodingParser(parser, dialect.encoding)
        return parser if dialect.comment is None else CommentParser(parser, dialect)


def _head(window: Window, dialect: Dialect, options: ReadOptions) -> Head:
    return read_head(window, dialect, options.skip_lines, options.header, options.columns)


def dialect_of(name: str, options: ReadOptions) -> Dialect:
    """The dialect of a file; its name decides the delimiter where no option does.

    To escape quotes by quotes is what is done without an escape character.
    """
    delimiter = options.delimiter or default_delimiter(name)
    if delimiter in (options.quote, options.escape):
        raise OptionError(f"delimiter and quote or escape are both {delimiter!r}; set another one")
    if options.comment and options.comment in (delimiter, options.quote, options.escape):
        raise OptionError(
            f"comment is {options.comment!r}, as delimiter, quote or escape are; set another one"
        )
    if options.decimal == options.thousands:
        raise OptionError(f"decimal and thousands are both {options.decimal!r}; set another one")
    return Dialect(
        delimiter=delimiter,
        quote=options.quote or None,
        escape=options.escape if options.escape not in ("", options.quote) else None,
        null_values=tuple(options.null_values),
        encoding=options.encoding if is_bytewise(options.encoding) else "utf-8",
        comment=options.comment or None,
        notation=Notation(
            options.decimal,
            options.thousands,
            options.date_format,
            options.timestamp_format,
            options.true_values,
            options.false_values,
        ),
    )
