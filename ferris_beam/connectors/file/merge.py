"""Many files into one, in order: what the finish makes of the parts of a single file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from ferris_beam.commitlog.durable import remove_file, sync_folder
from ferris_beam.connectors.file.encoding import Encoding
from ferris_beam.connectors.file.layout import Workspace
from ferris_beam.errors import SchemaError
from ferris_beam.formats.compression import GzipTarget
from ferris_beam.formats.parquet.concatenation import Footer, concatenate

_BLOCK = 1 << 20
_SMALL = 8
"""Row groups of less than this part of the size asked for are put together."""


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

    # ── Parquet: row groups as they are, small ones put together ────────────────────────────

    def _join(self, file: IO[bytes], parts: Sequence[str]) -> None:
        footers = [Footer.read(part) for part in parts]
        schema = pq.read_schema(parts[0])
        for part in parts[1:]:
            self.check(schema, pq.read_schema(part))
        if not all(footers[0].fits(footer) for footer in footers):
            self._rewrite(file, schema, parts)
            return
        rewritten: list[str] = []
        try:
            concatenate(file, list(self._without_small_groups(schema, footers, rewritten)))
        finally:
            for path in rewritten:
                remove_file(path)

    def _without_small_groups(
        self, schema: pa.Schema, footers: Sequence[Footer], rewritten: list[str]
    ) -> Iterable[Footer]:
        """The files to copy; runs of files with small row groups are rewritten, into
        ``rewritten``."""
        for small, run in groupby(footers, self._is_small):
            found = list(run)
            if not small or len(found) == 1:
                yield from found
                continue
            path = self.workspace.staged(self.workspace.new_staged_name(self.run))
            rewritten.append(path)
            with open(path, "xb") as file:
                self._rewrite(file, schema, [footer.path for footer in found])
            yield Footer.read(path)

    def _is_small(self, footer: Footer) -> bool:
        usual = self.encoding.options.row_group_size // _SMALL
        return footer.rows < usual * max(1, len(footer.groups))

    def _rewrite(self, file: IO[bytes], schema: pa.Schema, parts: Sequence[str]) -> None:
        writer = self.encoding.format.create(file, schema, self.encoding.options)
        for part in parts:
            with pq.ParquetFile(part) as source:
                for records in source.iter_batches(1 << 16):
                    writer.write(records)
        writer.close()


def _columns(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} {field.type}" for field in schema)
