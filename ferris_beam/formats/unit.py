"""Opening one unit of whatever format and compression: what connectors call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.errors import ConfigurationError, FatalError, FerrisError
from ferris_beam.formats.base import (
    ByteSource,
    Discovery,
    Extent,
    Format,
    FormatReader,
    read_bytes,
)
from ferris_beam.formats.columns import check_names, projected
from ferris_beam.formats.compression import decompressed
from ferris_beam.formats.detection import GLANCE, check_content, recognized
from ferris_beam.formats.drift import (
    check_types,
    file_schema,
    may_differ,
    with_names,
    with_own_types,
)
from ferris_beam.formats.fitting import Filtered, Fitted
from ferris_beam.formats.options import ReadOptions, check_options
from ferris_beam.formats.predicate import columns_of
from ferris_beam.formats.registry import Detected, format_named


def detected(source: ByteSource, options: ReadOptions) -> Detected:
    """Format and compression of a file, by options, name and first bytes.

    Raises `ConfigurationError` where they can't be told, or contradict each other.
    """
    found = recognized(source, options)
    format = format_named(found.format)
    check_options(options, format, format.read_options)
    if not format.wrapped and found.compression != "none":
        raise ConfigurationError(
            f"{source.name}: {format.name} compresses by itself and can't be read out of "
            f"{found.compression}; unpack the file, or set compression=none"
        )
    return found


def discover(source: ByteSource, unit: Detected, options: ReadOptions) -> Discovery:
    """The columns of a unit."""
    format, inner = _format(unit), decompressed(source, unit.compression)
    if unit.compression != "none":
        check_content(source.name, read_bytes(inner, 0, GLANCE), unit.format, options)
    with _readable(source.name, unit):
        return format.discover(inner, with_own_types(format, inner, options))


def extent(source: ByteSource, unit: Detected, options: ReadOptions) -> Extent:
    with _readable(source.name, unit):
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

    A format that can't use the predicate itself has its rows filtered. Where units may differ
    (`may_differ`), columns of ``schema`` that this one lacks are null.
    """
    format, inner = _format(unit), decompressed(source, unit.compression)
    options = with_names(options)
    with _readable(source.name, unit):
        return _open(format, inner, schema, options, columns, predicate)


def _open(
    format: Format,
    inner: ByteSource,
    schema: pa.Schema,
    options: ReadOptions,
    columns: Sequence[str] | None,
    predicate: pc.Expression | None,
) -> FormatReader:
    wanted = projected(schema, columns)
    own = file_schema(format, inner, schema, options) if may_differ(options) else schema
    judged = [] if predicate is None else columns_of(predicate, schema)
    pushed = None
    if predicate is not None and _can_filter(format, inner, schema, options, judged):
        pushed, predicate, judged = predicate, None, []
    needed = list(dict.fromkeys([*wanted.names, *judged]))
    held = set(own.names)
    there = [name for name in needed if name in held]
    reader = format.open(inner, own, options, there, pushed)
    if there != needed:
        reader = Fitted(reader, projected(schema, needed))
    return reader if predicate is None else Filtered(reader, wanted, predicate)


def _can_filter(
    format: Format,
    inner: ByteSource,
    schema: pa.Schema,
    options: ReadOptions,
    judged: Sequence[str],
) -> bool:
    """Whether the format applies a predicate, and the unit has its columns, of the same types."""
    if not format.filters:
        return False
    found = format.discover(inner, options).schema
    return all(
        name in found.names and found.field(name).type == schema.field(name).type for name in judged
    )


def check_unit(source: ByteSource, unit: Detected, schema: pa.Schema, options: ReadOptions) -> None:
    """Raises `SchemaError` where a file that tells its types has others than ``schema``'s, which
    may not hold its values, and nobody said that this is expected."""
    format = _format(unit)
    if not format.wrapped and not may_differ(options):
        with _readable(source.name, unit):
            found = format.discover(source, options).schema
        check_names(source.name, found.names, schema.names)
        check_types(source.name, found, schema)


def check_pushdown(
    schema: pa.Schema, columns: Sequence[str] | None, predicate: pc.Expression | None
) -> None:
    """Raises `SchemaError` where a unit of this schema can't be opened with these."""
    projected(schema, columns)
    if predicate is not None:
        columns_of(predicate, schema)


@contextmanager
def _readable(name: str, unit: Detected) -> Iterator[None]:
    """Raises what a library says of damaged metadata (names that are no text, sizes beyond all
    bounds) as `FatalError`. What damage does to rows is the formats' own to say."""
    try:
        yield
    except FerrisError:
        raise
    except (pa.ArrowException, OSError, ValueError, OverflowError, EOFError) as error:
        raise FatalError(
            f"{name}: can't be read as {unit.format} ({error}); the file is damaged, or of another "
            "format: fetch it again, or set format="
        ) from error


def _format(unit: Detected) -> Format:
    return format_named(unit.format)
