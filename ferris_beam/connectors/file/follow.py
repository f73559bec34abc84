"""One growing file that is followed by its inode, wherever it is renamed to."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ferris_beam.connectors.file.source import readable
from ferris_beam.errors import FatalError
from ferris_beam.formats import grid
from ferris_beam.formats.base import Format
from ferris_beam.formats.grid import Check, GridReader, Parser
from ferris_beam.formats.options import ReadOptions
from ferris_beam.formats.window import MAX_ROW

if TYPE_CHECKING:
    import pyarrow as pa

HEAD = 4096
"""Bytes of a file's beginning that are looked at, at most, to know it again."""

_BEHIND = 64


@dataclass(frozen=True, slots=True)
class Mark:
    """What a file is known by: its inode, and a digest of its first lines.

    Neither changes while a file grows or is renamed. An inode alone is not enough: file systems
    give that of a removed file to the next one. A device's number changes when it is mounted anew.
    """

    inode: int
    digest: str

    def __str__(self) -> str:
        return f"{self.inode:x}-{self.digest}"

    @classmethod
    def parse(cls, text: str) -> Mark:
        inode, _, digest = text.partition("-")
        return cls(int(inode, 16), digest)


class FollowedSource:
    """A byte source of what a file holds at this moment."""

    def __init__(self, path: str, file: io.FileIO) -> None:
        self.name = path
        self.file = file
        self.refresh()

    def refresh(self) -> os.stat_result:
        with readable(self.name):
            self.status = os.fstat(self.file.fileno())
        self.size = self.status.st_size
        return self.status

    @property
    def size_limit(self) -> int:
        return self.size

    def without_last_line(self) -> FollowedSource:
        """The same without a line that is still being written: for looking at it once."""
        start = max(0, self.size - grid.CELL)
        end = start + self.read(start, grid.CELL).rfind(b"\n") + 1
        self.size = end
        return self

    def read_into(self, offset: int, target: memoryview) -> int:
        with readable(self.name):
            return os.preadv(self.file.fileno(), [target[: max(0, self.size - offset)]], offset)

    def has_line(self) -> bool:
        """Whether the first line is whole, or long enough."""
        head = self.read(0, HEAD)
        return b"\n" in head or len(head) == HEAD

    def read(self, offset: int, length: int) -> bytes:
        with readable(self.name):
            return os.pread(self.file.fileno(), length, offset)

    def close(self) -> None:
        self.file.close()


def open_file(path: str) -> FollowedSource | None:
    """None where there is no regular file."""
    try:
        with readable(path):
            if not stat.S_ISREG(os.stat(path).st_mode):
                return None
            return FollowedSource(path, io.FileIO(path))
    except FatalError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise


def mark_of(source: FollowedSource, lines: int) -> Mark | None:
    """What tells a file from others: its inode and its first ``lines``; None before these are
    whole."""
    head = source.read(0, HEAD)
    end = 0
    for _ in range(lines):
        end = head.find(b"\n", end) + 1
        if not end:
            break
    if not end and len(head) < HEAD:
        return None
    digest = hashlib.blake2b(head[: end or HEAD], digest_size=8).hexdigest()
    return Mark(source.status.st_ino, digest)


@dataclass(eq=False)
class Followed:
    """A followed file, open; how its rows are parsed is known once it has some."""

    source: FollowedSource
    mark: Mark
    lines: int
    rotated: bool
    parser: Parser | None = None
    check: Check | None = None
    first: int = 0
    behind: bytes = b""
    behind_offset: int = 0
    seen: tuple[int, int] = (-1, -1)
    quiet_since: float = field(default_factory=time.monotonic)

    def learn(self, format: Format, schema: pa.Schema, options: ReadOptions) -> None:
        """Gets the parser, and where rows begin."""
        reader = format.open(self.source, schema, options)
        if not isinstance(reader, GridReader) or reader.borders.window.source is not self.source:
            raise FatalError(
                f"{self.source.name}: only CSV and JSON Lines in UTF-8, or in an encoding of one "
                "byte for each character, can be followed; read it without tail"
            )
        self.parser, self.check, self.first = reader.parser, reader.check, reader.borders.first

    def has_grown(self) -> bool:
        """Whether anything changed since this was asked before."""
        status = self.source.refresh()
        now = (status.st_size, status.st_mtime_ns)
        if now == self.seen:
            return False
        self.seen, self.quiet_since = now, time.monotonic()
        return True

    def is_intact(self, offset: int) -> bool:
        """Whether the file still holds what was read up to ``offset``, as far as can be told."""
        if self.source.size < offset:
            return False
        if self.behind and self.behind_offset == offset:
            start = offset - len(self.behind)
            if self.source.read(start, len(self.behind)) != self.behind:
                return False
        return mark_of(self.source, self.lines) == self.mark

    def lines_from(self, offset: int) -> bytes:
        """The whole lines behind ``offset``: at most a cell, or one line that is longer."""
        size = grid.CELL
        while True:
            text = self.source.read(offset, min(size, self.source.size - offset))
            end = text.rfind(b"\n") + 1
            if end or len(text) < size:
                return text[:end]
            if size > MAX_ROW:
                raise FatalError(
                    f"{self.source.name}: no line end within {MAX_ROW >> 20} MiB behind byte "
                    f"{offset:,}; is it the right format, and is it compressed?"
                )
            size *= 2

    def passed(self, offset: int, text: bytes) -> None:
        """Remembers the last bytes in front of ``offset``."""
        self.behind, self.behind_offset = text[-_BEHIND:], offset

    def restart(self) -> None:
        """The file begins anew."""
        self.parser, self.behind, self.first = None, b"", 0
        self.seen = (-1, -1)

    def is_rotated(self) -> bool:
        """Whether it was rotated away: its path belongs to another file now, or to none."""
        if self.rotated:
            return True
        try:
            with readable(self.source.name):
                return os.stat(self.source.name).st_ino != self.mark.inode
        except FatalError as error:
            if isinstance(error.__cause__, (FileNotFoundError, NotADirectoryError)):
                return True
            raise

    def quiet_seconds(self) -> float:
        return time.monotonic() - self.quiet_since

    def close(self) -> None:
        self.source.close()
