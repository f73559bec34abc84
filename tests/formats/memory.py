"""Sources in memory, and reading them from end to end."""

from __future__ import annotations

import gzip
import io
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pyarrow as pa

from ferris_beam.formats.base import FormatReader, Piece
from ferris_beam.formats.drift import settle
from ferris_beam.formats.options import ReadOptions, WriteOptions
from ferris_beam.formats.registry import Detected, format_named
from ferris_beam.formats.unit import detected, discover, extent, open_unit


class MemorySource:
    """A byte source over bytes; counts what is read."""

    def __init__(self, data: bytes, name: str = "data.csv") -> None:
        self.data = data
        self.name = name
        self.closed = False

    @property
    def size(self) -> int | None:
        return len(self.data)

    @property
    def size_limit(self) -> int:
        return len(self.data)

    def read_into(self, offset: int, target: memoryview) -> int:
        piece = self.data[offset : offset + len(target)]
        target[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        self.closed = True


class Unit:
    """A unit of some format with its options."""

    def __init__(
        self,
        data: bytes,
        name: str = "data.csv",
        schema: pa.Schema | None = None,
        **options: Any,
    ) -> None:
        self.source = MemorySource(gzip.compress(data) if name.endswith(".gz") else data, name)
        self.options = ReadOptions(**options)
        self.found: Detected = detected(self.source, self.options)
        self.schema = schema or settle(
            [discover(self.source, self.found, self.options)], self.source.name
        )
        self.extent = extent(self.source, self.found, self.options)

    def open(self, **pushed: Any) -> FormatReader:
        return open_unit(self.source, self.found, self.schema, self.options, **pushed)

    def pieces(self, start: int = 0, end: int | None = None, **pushed: Any) -> list[Piece]:
        return list(self.open(**pushed).read(start, self.extent.end if end is None else end))

    def table(self, **pushed: Any) -> pa.Table:
        return pa.Table.from_batches([piece.records for piece in self.pieces(**pushed)])

    def rows(self, **pushed: Any) -> list[dict[str, Any]]:
        return self.table(**pushed).to_pylist()  # type: ignore[no-any-return]

    def reasons(self) -> list[str]:
        return [row.reason for piece in self.pieces() for row in piece.bad_rows]


@contextmanager
def grid_of(cell: int, step: int = 8) -> Iterator[None]:
    """Cells of a few bytes, so that small texts have many borders."""
    with (
        patch("ferris_beam.formats.grid.CELL", cell),
        patch("ferris_beam.formats.window.STEP", step),
    ):
        yield


def spans(cuts: Sequence[int], end: int) -> list[tuple[int, int]]:
    """The intervals between the given positions, from 0 to ``end``."""
    borders = sorted({0, end, *(cut % end for cut in cuts)})
    return list(itertools.pairwise(borders))


def csv_field(value: str, quoted: bool) -> str:
    """A value as RFC 4180 has it, quoted where it must be."""
    if quoted or any(char in value for char in ',"\r\n'):
        return '"' + value.replace('"', '""') + '"'
    return value


def write(name: str, *batches: pa.RecordBatch, header: bool = True, **options: Any) -> bytes:
    """What a format makes of batches."""
    target = io.BytesIO()
    form = format_named(name)
    writer = form.create(target, batches[0].schema, WriteOptions(**options), header=header)
    for records in batches:
        writer.write(records)
    writer.close()
    return target.getvalue()
