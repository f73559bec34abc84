"""Reading files: units, splits, chunks."""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from copy import copy
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.batches import schema_from_ipc, schema_to_ipc
from ferris_beam.connector import Backlog, Chunk, Reader, Reject, Residual, Split
from ferris_beam.connectors.file.ahead import Ahead, has_cores
from ferris_beam.connectors.file.diagnosis import diagnose_source
from ferris_beam.connectors.file.listing import list_files, would_list
from ferris_beam.connectors.file.options import FileSourceOptions
from ferris_beam.connectors.file.source import LocalFile
from ferris_beam.findings import Finding
from ferris_beam.formats.base import BadRow, Discovery, FormatReader, Piece
from ferris_beam.formats.columns import projected
from ferris_beam.formats.drift import common_schema
from ferris_beam.formats.registry import Detected
from ferris_beam.formats.unit import (
    check_pushdown,
    check_unit,
    detected,
    discover,
    extent,
    open_unit,
)
from ferris_beam.interval import Interval
from ferris_beam.uri import Uri

_LARGE = 1 << 20
"""Bytes of a file from which on a thread that reads ahead is worth its start."""


@dataclass(frozen=True, slots=True)
class _Details:
    """What travels with a split: all that must be the same in every process."""

    unit: Detected
    end: int
    schema: pa.Schema

    def encode(self) -> bytes:
        schema = b64encode(schema_to_ipc(self.schema)).decode()
        return json.dumps([*self.unit, self.end, schema]).encode()

    @classmethod
    def decode(cls, text: bytes) -> _Details:
        format, compression, end, schema = json.loads(text)
        return cls(Detected(format, compression), end, schema_from_ipc(b64decode(schema)))


@dataclass(frozen=True, slots=True)
class _Opened:
    """The file that is kept open between reads, and the split it was opened for."""

    key: tuple[str, str, bytes]
    source: LocalFile
    reader: FormatReader


class FileReader(Reader):
    """Files, folders and globs.

    Unit: a file, by its absolute path; its identity is inode, size and time of change. Position:
    a cell of 4 MiB of text, or a row of Parquet. Delivery: replayable; the schema is determined
    once, by the first file, and travels with the splits. Columns and conditions are pushed down.
    """

    def __init__(self, uri: Uri, options: FileSourceOptions) -> None:
        self._path = _absolute(uri.path)
        self._options = options
        self._columns: Sequence[str] | None = None
        self._predicate: pc.Expression | None = None
        self._dictionaries = False
        self._opened: _Opened | None = None
        self._ahead: Ahead[Chunk] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": None, "_ahead": None}

    # ── before reading ──────────────────────────────────────────────────────────────────────

    def schema(self) -> pa.Schema:
        return projected(self._discover(self._files()), self._columns)

    def pushdown(
        self,
        columns: Sequence[str] | None = None,
        predicate: pc.Expression | None = None,
        limit: int | None = None,
    ) -> tuple[Reader, Residual]:
        reader = copy(self)
        columns = None if columns is None else tuple(columns)
        reader._columns = columns
        reader._predicate = predicate
        # Of no columns one is read, to know the rows: dropping it is left.
        return reader, Residual(columns=() if columns == () else None, limit=limit)

    def with_dictionaries(self) -> Reader:
        reader = copy(self)
        reader._dictionaries = True
        return reader

    def splits(self, known: Mapping[str, str]) -> Iterable[Split]:
        files = self._files()
        units = [(path, self._detected(path)) for path in files]
        schema = self._discover(files)
        check_pushdown(schema, self._columns, self._predicate)
        for path, unit in units:
            with closing(LocalFile(path)) as source:
                positions = extent(source, unit, self._options)
                yield Split(
                    Interval(path, 0, positions.end),
                    source.identity,
                    _Details(unit, positions.end, schema).encode(),
                    divisible=positions.divisible,
                    grain=positions.grain,
                    size=source.size,
                    format=_in_words(unit),
                )

    def _files(self) -> list[str]:
        return list_files(self._path, self._options.recursive)

    def _discover(self, files: Iterable[str]) -> pa.Schema:
        return common_schema(list(files), self._discover_one, self._options, self._path)

    def _detected(self, path: str) -> Detected:
        with closing(LocalFile(path)) as source:
            return detected(source, self._options)

    def _discover_one(self, path: str) -> Discovery:
        with closing(LocalFile(path)) as source:
            return discover(source, detected(source, self._options), self._options)

    # ── reading ─────────────────────────────────────────────────────────────────────────────

    def read(self, split: Split) -> Iterator[Chunk]:
        self._stop_ahead()
        chunks = self._chunks(self._open(split), split)
        if split.divisible or (split.size or 0) < _LARGE or not has_cores():
            yield from chunks
            return
        ahead = self._ahead = Ahead(chunks)
        try:
            yield from ahead
        finally:
            ahead.close()

    def _chunks(self, opened: _Opened, split: Split) -> Iterator[Chunk]:
        interval = split.interval
        compressed = _Details.decode(split.details).unit.compression != "none"
        pieces = opened.reader.read(interval.start, interval.closed_end)
        while True:
            try:
                piece = next(pieces, None)
            finally:  # what a changed file looks like is no fault of its own
                opened.source.check()
            if piece is None:
                return
            # Of a compressed file it is the bytes on disk that count.
            yield _chunk(piece, opened.source.take_count() if compressed else piece.nbytes)

    def backlog(self, split: Split, position: int) -> Backlog | None:
        details = _Details.decode(split.details)
        if details.unit.compression != "none" or split.size is None:
            return None
        left = max(0, details.end - position)
        return Backlog(split.size * left // details.end, not left)

    def diagnose(self) -> Iterator[Finding]:
        found = list(diagnose_source(self._path, self._files))
        yield from found
        if all(finding.state == "ok" for finding in found):
            yield from super().diagnose()

    def reads(self, created: str) -> bool:
        scheme, path = created.split("://", 1)
        return scheme == "file" and would_list(self._path, self._options.recursive, path)

    def close(self) -> None:
        self._stop_ahead()
        if self._opened is not None:
            self._opened.source.close()
            self._opened = None

    def _stop_ahead(self) -> None:
        """Two reads of one open file would disturb each other."""
        if self._ahead is not None:
            self._ahead.close()
            self._ahead = None

    def _open(self, split: Split) -> _Opened:
        key = (split.interval.unit, split.identity, split.details)
        if self._opened is None or self._opened.key != key:
            self.close()
            self._opened = self._open_file(key)
        return self._opened

    def _open_file(self, key: tuple[str, str, bytes]) -> _Opened:
        path, identity, encoded = key
        details = _Details.decode(encoded)
        source = LocalFile(path, identity)
        try:
            check_unit(source, details.unit, details.schema, self._options)
            reader = open_unit(
                source,
                details.unit,
                details.schema,
                self._options,
                self._columns,
                self._predicate,
            )
        except BaseException:
            source.close()
            raise
        reader.dictionaries = self._dictionaries
        return _Opened(key, source, reader)


def _absolute(path: str) -> str:
    """Absolute, with a trailing slash kept: it says that a folder is meant."""
    folder = path.endswith("/") and path != "/"
    return os.path.abspath(path) + ("/" if folder else "")


def _in_words(unit: Detected) -> str:
    return unit.format if unit.compression == "none" else f"{unit.format}, {unit.compression}"


def _chunk(piece: Piece, nbytes: int) -> Chunk:
    return Chunk(piece.records, piece.end, [_reject(row) for row in piece.bad_rows], nbytes)


def _reject(row: BadRow) -> Reject:
    return Reject(row.position, row.place, row.reason, row.payload, row.category)
