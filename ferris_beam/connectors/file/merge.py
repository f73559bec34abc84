"""Many files into one, in order: what the finish makes of the parts of a single file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import IO

import pyarrow as pa

from ferris_beam.commitlog.durable import remove_file, sync_folder
from ferris_beam.connectors.file.encoding import Encoding
from ferris_beam.connectors.file.layout import Workspace
from ferris_beam.connectors.file.source import LocalFile
from ferris_beam.errors import SchemaError
from ferris_beam.formats.base import ByteSource
from ferris_beam.formats.compression import compressing, decompressed

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Merge:
    """Merges files of one encoding within a workspace."""

    encoding: Encoding
    workspace: Workspace
    run: str
    display: str

    def write(self, parts: Sequence[str], header: bytes) -> tuple[str, int]:
        """Writes ``parts`` (paths), behind ``header``, into a new staged file, durably; returns
        its name and its size in bytes. After an error nothing is left of it."""
        name = self.workspace.new_staged_name(self.run)
        path = self.workspace.staged(name)
        try:
            length = self._write(path, parts, header)
            sync_folder(self.workspace.staging)
        except BaseException:
            remove_file(path)
            raise
        return name, length

    def _write(self, path: str, parts: Sequence[str], header: bytes) -> int:
        with open(path, "xb") as file:
            if self.encoding.format.appendable:
                self._append(file, parts, header)
            else:
                self._join(file, parts)
            file.flush()
            os.fsync(file.fileno())
            return file.tell()

    def check(self, first: str, others: Sequence[str]) -> None:
        """Raises `SchemaError` where the rows of these files (paths) can't be in one file."""
        begun = self._schema(first)
        for other in others:
            found = self._schema(other)
            if begun is None or begun.equals(found):
                continue
            raise SchemaError(
                f"{self.display}: one file has one schema. It was begun with "
                f"({_columns(begun)}), and there are rows with ({_columns(found)}). Write to a "
                "folder, where files may differ, or cast the columns before"
            )

    def _schema(self, path: str) -> pa.Schema | None:
        with closing(LocalFile(path)) as source:
            return self.encoding.format.written_schema(source)

    # ── text: one behind the other, compressed or not ───────────────────────────────────────

    def _append(self, file: IO[bytes], parts: Sequence[str], header: bytes) -> None:
        if header and self.encoding.compression != "none":
            member = compressing(file, self.encoding.compression)
            member.write(header)
            member.close()
        else:
            file.write(header)
        for part in parts:
            with open(part, "rb") as source:
                shutil.copyfileobj(source, file, _BLOCK)

    # ── formats whose files have a beginning and an end: put together by the format ─────────

    def _join(self, file: IO[bytes], parts: Sequence[str]) -> None:
        self.check(parts[0], parts[1:])
        compression = self.encoding.compression
        with closing(_one_by_one(parts, compression)) as sources:
            if compression == "none":
                self.encoding.format.merge(file, sources, self.encoding.options)
            else:
                with closing(compressing(file, compression)) as around:
                    self.encoding.format.merge(around, sources, self.encoding.options)


def _one_by_one(paths: Sequence[str], compression: str) -> Generator[ByteSource]:
    """Opens each when it is asked for: there may be more than may be open at once."""
    for path in paths:
        with closing(decompressed(LocalFile(path), compression)) as source:
            yield source


def _columns(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} {field.type}" for field in schema)
