"""Many files into one, in order: what the finish makes of the parts of a single file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from ferris_beam.commitlog.durable import sync_folder
from ferris_beam.connectors.file.encoding import Encoding
from ferris_beam.connectors.file.layout import Workspace
from ferris_beam.errors import SchemaError
from ferris_beam.formats.compression import GzipTarget

_BLOCK = 1 << 20
_ROWS = 1 << 16


@dataclass(frozen=True, slots=True)
class Merge:
    """Merges files of one encoding within a workspace."""

    encoding: Encoding
    workspace: Workspace
    run: str
    display: str

    def write(self, parts: Sequence[str], header: bytes) -> tuple[str, int]:
        """Writes ``parts`` (paths), behind ``header``, into a new staged file, durably; returns
        its name and its size in bytes."""
        name = self.workspace.new_staged_name(self.run)
        with open(self.workspace.staged(name), "xb") as file:
            if self.encoding.format.appendable:
                self._append(file, parts, header)
            else:
                self._join(file, parts)
            file.flush()
            os.fsync(file.fileno())
            length = file.tell()
        sync_folder(self.workspace.staging)
        return name, length

    def check(self, first: pa.Schema, other: pa.Schema) -> None:
        """Raises `SchemaError` where rows of both can't be in one file."""
        if not first.equals(other):
            raise SchemaError(
                f"{self.display}: one file has one schema. It was begun with "
                f"({_columns(first)}), and there are rows with ({_columns(other)}). Write to a "
                "folder, where files may differ, or cast the columns before"
            )

    # ── text: one behind the other, compressed or not ───────────────────────────────────────

    def _append(self, file: IO[bytes], parts: Sequence[str], header: bytes) -> None:
        if header and self.encoding.compression == "gzip":
            member = GzipTarget(file)
            member.write(header)
            member.close()
        else:
            file.write(header)
        for part in parts:
            with open(part, "rb") as source:
                shutil.copyfileobj(source, file, _BLOCK)

    # ── formats that end with an index: read again, written as one ──────────────────────────

    def _join(self, file: IO[bytes], parts: Sequence[str]) -> None:
        schema = pq.read_schema(parts[0])
        for part in parts[1:]:
            self.check(schema, pq.read_schema(part))
        writer = self.encoding.format.create(file, schema, self.encoding.options)
        for part in parts:
            with pq.ParquetFile(part) as source:
                for records in source.iter_batches(_ROWS, use_threads=False):
                    writer.write(records)
        writer.close()


def _columns(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} {field.type}" for field in schema)
