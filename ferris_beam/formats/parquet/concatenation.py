"""Parquet files behind one another, as one file: row groups are copied as they are.

Source: https://github.com/apache/parquet-format (README, parquet.thrift). A file is ``PAR1``, the
row groups, the footer (`FileMetaData` in Thrift's compact protocol), its length in 4 bytes, and
``PAR1``. Offsets in a footer count from the file's start: they move with the bytes. Page indexes
hold such offsets within the copied bytes, so the footer of the whole does not refer to them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from ferris_beam.formats.parquet.thrift_compact import Field, Reader, Struct, write_struct

MAGIC = b"PAR1"

_BLOCK = 1 << 20
# Fields of parquet.thrift.
_FILE_SCHEMA, _FILE_ROWS, _FILE_GROUPS, _FILE_ENCRYPTION = 2, 3, 4, 8
_GROUP_COLUMNS, _GROUP_ROWS, _GROUP_OFFSET, _GROUP_ORDINAL = 1, 3, 5, 7
_CHUNK_FILE, _CHUNK_OFFSET, _CHUNK_METADATA, _CHUNK_INDEXES = 1, 2, 3, (4, 5, 6, 7)
_METADATA_OFFSETS = (9, 10, 11, 14)


@dataclass(frozen=True)
class Footer:
    """A file's footer, and where it starts."""

    path: str
    metadata: Struct
    start: int

    @classmethod
    def read(cls, path: str) -> Footer:
        """Raises `ValueError` where ``path`` is no plain Parquet file."""
        with open(path, "rb") as file:
            end = os.fstat(file.fileno()).st_size - 8
            file.seek(max(end, 0))
            tail = file.read()
            start = end - int.from_bytes(tail[:4], "little")
            if tail[4:] != MAGIC or start < len(MAGIC):
                raise ValueError(f"{path} is no Parquet file, or an encrypted one")
            file.seek(start)
            return cls(path, Reader(file.read(end - start)).struct(), start)

    @property
    def rows(self) -> int:
        return int(self.metadata[_FILE_ROWS].value)

    @property
    def groups(self) -> list[Struct]:
        groups: list[Struct] = self.metadata[_FILE_GROUPS].value.items
        return groups

    def fits(self, other: Footer) -> bool:
        """Whether the rows of both can be in one file without touching them."""
        return (
            self.metadata[_FILE_SCHEMA] == other.metadata[_FILE_SCHEMA]
            and _FILE_ENCRYPTION not in self.metadata
            and _FILE_ENCRYPTION not in other.metadata
            and not any(_CHUNK_FILE in chunk for chunk in _chunks(other.groups))
        )


def concatenate(target: IO[bytes], footers: Sequence[Footer]) -> None:
    """Writes one file of the row groups of several, in order; what describes the file as a whole
    (its key-value metadata) is the first one's. They must fit (`Footer.fits`)."""
    target.write(MAGIC)
    position = len(MAGIC)
    groups: list[Struct] = []
    for footer in footers:
        for group in footer.groups:
            groups.append(_moved(group, position - len(MAGIC)))
        _copy(footer, target)
        position += footer.start - len(MAGIC)
    whole = dict(footers[0].metadata)
    listed = whole[_FILE_GROUPS].value
    whole[_FILE_GROUPS] = Field(whole[_FILE_GROUPS].type, type(listed)(listed.type, groups))
    whole[_FILE_ROWS] = Field(whole[_FILE_ROWS].type, sum(footer.rows for footer in footers))
    metadata = write_struct(whole)
    target.write(metadata + len(metadata).to_bytes(4, "little") + MAGIC)


def _copy(footer: Footer, target: IO[bytes]) -> None:
    with open(footer.path, "rb") as source:
        source.seek(len(MAGIC))
        left = footer.start - len(MAGIC)
        while left:
            block = source.read(min(_BLOCK, left))
            target.write(block)
            left -= len(block)


def _moved(group: Struct, by: int) -> Struct:
    """A row group ``by`` bytes further back, without its number (it is optional)."""
    columns = group[_GROUP_COLUMNS]
    chunks = type(columns.value)(
        columns.value.type, [_moved_chunk(chunk, by) for chunk in columns.value.items]
    )
    moved = _shifted(group, (_GROUP_OFFSET,), by)
    moved[_GROUP_COLUMNS] = Field(columns.type, chunks)
    moved.pop(_GROUP_ORDINAL, None)
    return moved


def _moved_chunk(chunk: Struct, by: int) -> Struct:
    moved = _shifted(chunk, (_CHUNK_OFFSET,), by)
    metadata = chunk[_CHUNK_METADATA]
    moved[_CHUNK_METADATA] = Field(metadata.type, _shifted(metadata.value, _METADATA_OFFSETS, by))
    for number in _CHUNK_INDEXES:
        moved.pop(number, None)
    return moved


def _shifted(fields: Struct, offsets: Sequence[int], by: int) -> Struct:
    """``fields`` with some offsets moved; 0 stands for none."""
    moved = dict(fields)
    for number in offsets:
        if number in moved and moved[number].value:
            moved[number] = Field(moved[number].type, moved[number].value + by)
    return moved


def _chunks(groups: Sequence[Struct]) -> list[Struct]:
    return [chunk for group in groups for chunk in group[_GROUP_COLUMNS].value.items]
