"""Rows on their way into a file sink: written to files that nobody reads yet."""

from __future__ import annotations

import os
import uuid
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO

import pyarrow as pa

from ferris_beam.commitlog.durable import make_folder, remove_file, sync_folder
from ferris_beam.connector import Receipt, Staged
from ferris_beam.connectors.file.encoding import Encoding
from ferris_beam.connectors.file.failures import explained
from ferris_beam.connectors.file.layout import Workspace
from ferris_beam.connectors.file.partitions import Partitioning
from ferris_beam.errors import BadRecordError, FatalError, SchemaError
from ferris_beam.formats.base import FormatWriter

MOST_OPEN = 128
"""Files that one set of rows keeps open: each costs a descriptor and the format's buffers."""


@dataclass(frozen=True, slots=True)
class SealedPart:
    """A complete, durable file: its staged name, folder, size in bytes, and schema."""

    name: str
    folder: str
    nbytes: int
    schema: pa.Schema


@dataclass(slots=True)
class OpenPart:
    """A file that is being written."""

    name: str
    folder: str
    schema: pa.Schema
    file: IO[bytes]
    writer: FormatWriter
    around: tuple[IO[bytes], ...] = ()

    def seal(self) -> SealedPart:
        self.writer.close()
        for layer in self.around:
            layer.close()
        self.file.flush()
        os.fsync(self.file.fileno())
        size = self.file.tell()
        self.file.close()
        return SealedPart(self.name, self.folder, size, self.schema)


@dataclass
class FileStaged(Staged):
    """One open file for each partition and schema, the least used ones sealed beyond
    `MOST_OPEN`."""

    workspace: Workspace
    run: str
    encoding: Encoding
    partitioning: Partitioning
    header: bool
    """Whether each file starts with the format's header: not where they are put together."""
    keep_empty: bool
    """Whether batches without rows make a file, for its schema."""

    rows: int = 0
    nbytes: int = 0
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    receipt: Receipt | None = None
    _open: OrderedDict[tuple[str, pa.Schema], OpenPart] = field(default_factory=OrderedDict)
    _sealed: list[SealedPart] = field(default_factory=list)
    _names: list[str] = field(default_factory=list)
    _broken: str = ""

    def write(self, records: pa.RecordBatch) -> None:
        """Adds rows to the files of their partitions.

        An error of the disk leaves files half-written: the whole set is then only good for a
        rollback, and says so.
        """
        if self._broken:
            raise FatalError(self._broken)
        if not records.num_rows and not self.keep_empty:
            return
        pieces = list(self.partitioning.split(records)) or [("", records)]
        written = 0
        try:
            with explained(self.workspace.staging):
                for folder, piece in pieces:
                    self._part(folder, piece.schema).writer.write(piece)
                    written += 1
        except (BadRecordError, SchemaError) as error:
            if written:
                self._broken = str(error)
            raise
        except BaseException as error:
            self._broken = str(error)
            raise
        self.rows += records.num_rows
        self.nbytes += records.nbytes

    def seal(self) -> list[SealedPart]:
        """Completes all files and makes them durable; may be repeated."""
        if self._broken:
            raise FatalError(self._broken)
        try:
            with explained(self.workspace.staging):
                while self._open:
                    self._seal_oldest()
                if self._sealed:
                    sync_folder(self.workspace.staging)
        except BaseException as error:
            self._broken = str(error)
            raise
        return self._sealed

    def discard(self, keep: set[str]) -> None:
        """Closes and removes all files but those in ``keep``."""
        for part in self._open.values():
            with suppress(OSError):
                part.file.close()
        self._open.clear()
        for name in self._names:
            if name not in keep:
                remove_file(self.workspace.staged(name))
        self._broken = "these rows were rolled back"

    def _part(self, folder: str, schema: pa.Schema) -> OpenPart:
        key = (folder, schema)
        if key in self._open:
            self._open.move_to_end(key)
            return self._open[key]
        if len(self._open) >= MOST_OPEN:
            self._seal_oldest()
        part = self._open[key] = self._create(folder, schema)
        return part

    def _create(self, folder: str, schema: pa.Schema) -> OpenPart:
        make_folder(self.workspace.staging)
        name = self.workspace.new_staged_name(self.run)
        self._names.append(name)
        file = open(self.workspace.staged(name), "xb")  # noqa: SIM115  (closed when it is sealed)
        try:
            writer, around = self.encoding.create(file, schema, header=self.header)
        except BaseException:
            file.close()
            raise
        return OpenPart(name, folder, schema, file, writer, tuple(around))

    def _seal_oldest(self) -> None:
        _, part = self._open.popitem(last=False)
        self._sealed.append(part.seal())
