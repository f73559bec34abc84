"""Rows on their way into a file sink: written to files that nobody reads yet."""

from __future__ import annotations

import os
import uuid
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
"""Files that one set of rows keeps open: each costs a descriptor and the format's buffers. Rows of
further partitions wait in memory, and get their files one after the other."""

MOST_FILES = 10_000
"""Files of one commit."""


@dataclass(frozen=True, slots=True)
class SealedPart:
    """A complete, durable file: its staged name, folder, size in bytes, schema, and rows."""

    name: str
    folder: str
    nbytes: int
    schema: pa.Schema
    rows: int


@dataclass(slots=True)
class OpenPart:
    """A file that is being written."""

    name: str
    folder: str
    schema: pa.Schema
    file: IO[bytes]
    writer: FormatWriter
    around: tuple[IO[bytes], ...] = ()
    rows: int = 0

    def write(self, records: pa.RecordBatch) -> None:
        self.writer.write(records)
        self.rows += records.num_rows

    def seal(self) -> SealedPart:
        self.writer.close()
        for layer in self.around:
            layer.close()
        self.file.flush()
        os.fsync(self.file.fileno())
        size = self.file.tell()
        self.file.close()
        return SealedPart(self.name, self.folder, size, self.schema, self.rows)


@dataclass
class FileStaged(Staged):
    """One file for each partition and schema."""

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
    _open: dict[tuple[str, pa.Schema], OpenPart] = field(default_factory=dict)
    _later: dict[tuple[str, pa.Schema], list[pa.RecordBatch]] = field(default_factory=dict)
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
                    self._write(folder, piece)
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
                while self._open or self._later:
                    self._seal_next()
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
        self._later.clear()
        for name in self._names:
            if name not in keep:
                remove_file(self.workspace.staged(name))
        self._broken = "these rows were rolled back"

    def _write(self, folder: str, records: pa.RecordBatch) -> None:
        key = (folder, records.schema)
        if key not in self._open and len(self._open) >= MOST_OPEN:
            self._later.setdefault(key, []).append(records)
            if len(self._open) + len(self._later) > MOST_FILES:
                raise FatalError(
                    f"more than {MOST_FILES:,} folders have rows of one commit (the last one: "
                    f"{folder}); partition by columns of fewer values, or by longer times"
                )
            return
        if key not in self._open:
            self._open[key] = self._create(folder, records.schema)
        self._open[key].write(records)

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

    def _seal_next(self) -> None:
        """Completes an open file, or makes one of rows that wait for theirs."""
        if not self._open:
            folder, schema = key = next(iter(self._later))
            part = self._open[key] = self._create(folder, schema)
            for records in self._later.pop(key):
                part.write(records)
        part = self._open.pop(next(iter(self._open)))
        self._sealed.append(part.seal())
