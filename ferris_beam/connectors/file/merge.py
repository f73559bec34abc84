"""Many files into one, in order: what the finish makes of the parts of a single file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from ferris_beam.connectors.file.encoding import Encoding
from ferris_beam.errors import SchemaError
from ferris_beam.formats.compression import GzipTarget

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Merge:
    """Writes ``parts`` (paths) into ``target``; of text formats, behind ``header``."""

    encoding: Encoding
    display: str

    def write(self, target: str, parts: Sequence[str], header: bytes) -> int:
        """Creates ``target``, durably; returns its size in bytes. One part alone is linked."""
        if len(parts) == 1 and not header:
            os.link(parts[0], target)
            return os.path.getsize(target)
        with open(target, "xb") as file:
            if self.encoding.format.appendable:
                self._concatenate(file, parts, header)
            else:
                self._rewrite(file, parts)
            file.flush()
            os.fsync(file.fileno())
            return file.tell()

    def _concatenate(self, file: IO[bytes], parts: Sequence[str], header: bytes) -> None:
        if header and self.encoding.compression == "gzip":
            member = GzipTarget(file)
            member.write(header)
            member.close()
        else:
            file.write(header)
        for part in parts:
            with open(part, "rb") as source:
                shutil.copyfileobj(source, file, _BLOCK)

    def _rewrite(self, file: IO[bytes], parts: Sequence[str]) -> None:
        """Row group by row group, through Arrow."""
        schema = pq.read_schema(parts[0])
        writer = self.encoding.format.create(file, schema, self.encoding.options)
        for part in parts:
            with pq.ParquetFile(part) as source:
                self.check(schema, source.schema_arrow)
                for records in source.iter_batches(1 << 16):
                    writer.write(records)
        writer.close()

    def check(self, first: pa.Schema, other: pa.Schema) -> None:
        """Raises `SchemaError` where rows of both can't be in one file."""
        if not first.equals(other):
            raise SchemaError(
                f"{self.display}: one file has one schema. It was begun with "
                f"({_columns(first)}), and there are rows with ({_columns(other)}). Write to a "
                "folder, where files may differ, or cast the columns before"
            )


def _columns(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} {field.type}" for field in schema)
