"""Opening one unit of whatever format and compression: what connectors call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.errors import ConfigurationError, SchemaError
from ferris_beam.formats.base import ByteSource, Discovery, Extent, Format, FormatReader, Piece
from ferris_beam.formats.columns import projected
from ferris_beam.formats.compression import decompressed
from ferris_beam.formats.options import ReadOptions, check_options
from ferris_beam.formats.predicate import columns_of
from ferris_beam.formats.registry import Detected, detect, format_named


def detected(path: str, options: ReadOptions) -> Detected:
    """Format and compression of a file. Raises `ConfigurationError` where options contradict."""
    found = detect(path, options.format, options.compression)
    format = format_named(found.format)
    check_options(options, format, format.read_options)
    if not format.wrapped and found.compression != "none":
        raise ConfigurationError(
            f"{path}: {format.name} compresses by itself and can't be read out of "
            f"{found.compression}; unpack the file, or set compression=none"
        )
    return found


def discover(source: ByteSource, unit: Detected, options: ReadOptions) -> Discovery:
    """The columns of a unit."""
    return _format(unit).discover(decompressed(source, unit.compression), options)


def settle(discoveries: Iterable[Discovery], what: str) -> pa.Schema:
    """The schema of units that are read together: the first one whose rows tell its types, else
    the first one with columns. Raises `SchemaError` where there is none, naming ``what``."""
    schema: pa.Schema | None = None
    for found in discoveries:
        if found.certain:
            return found.schema
        if schema is None and len(found.schema):
            schema = found.schema
    if schema is None:
        raise SchemaError(f"{what}: has no columns; it is empty, or holds no row that can be read")
    return schema


def extent(source: ByteSource, unit: Detected, options: ReadOptions) -> Extent:
    return _format(unit).extent(decompressed(source, unit.compression), options)


def open_unit(
    source: ByteSource,
    unit: Detected,
    schema: pa.Schema,
    options: ReadOptions,
    columns: Sequence[str] | None = None,
    predicate: pc.Expression | None = None,
) -> FormatReader:
    """A reader of ``columns`` (all of ``schema``'s by default) and of the rows that fit.

    A format that can't use the predicate itself has its rows filtered.
    """
    format = _format(unit)
    inner = decompressed(source, unit.compression)
    if predicate is None or format.filters:
        return format.open(inner, schema, options, columns, predicate)
    wanted = projected(schema, columns)
    needed = [*wanted.names, *columns_of(predicate, schema)]
    return _Filtered(format.open(inner, schema, options, needed), wanted, predicate)


class _Filtered(FormatReader):
    """A unit of a format that knows no conditions: rows are dropped once they are read."""

    def __init__(self, inner: FormatReader, schema: pa.Schema, predicate: pc.Expression) -> None:
        self.schema = schema
        self._inner = inner
        self._predicate = predicate

    def read(self, start: int, end: int) -> Iterator[Piece]:
        for piece in self._inner.read(start, end):
            kept = piece.records.filter(self._predicate).select(self.schema.names)
            yield replace(piece, records=kept)


def check_pushdown(
    schema: pa.Schema, columns: Sequence[str] | None, predicate: pc.Expression | None
) -> None:
    """Raises `SchemaError` where a unit of this schema can't be opened with these."""
    projected(schema, columns)
    if predicate is not None:
        columns_of(predicate, schema)


def _format(unit: Detected) -> Format:
    return format_named(unit.format)
