"""Following files that grow, through their rotation, for ever."""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pyarrow as pa

from ferris_beam.batches import schema_from_ipc, schema_to_ipc
from ferris_beam.connector import ENDED, Backlog, Chunk, Reader, Reject, Split
from ferris_beam.connectors.file.follow import Followed, Mark, mark_of, open_file
from ferris_beam.connectors.file.listing import would_list
from ferris_beam.connectors.file.options import FileSourceOptions
from ferris_beam.connectors.file.rotation import Census, Rotation, Sighting
from ferris_beam.errors import ConfigurationError, FatalError, SourceChangedError
from ferris_beam.formats.base import Format
from ferris_beam.formats.drift import with_names
from ferris_beam.formats.grid import Parsed
from ferris_beam.formats.options import ReadOptions
from ferris_beam.formats.registry import format_named
from ferris_beam.formats.types import schema_of
from ferris_beam.formats.window import Block
from ferris_beam.interval import Interval
from ferris_beam.uri import Uri

CONTENT = 1 << 48
"""Positions of one content of a file: where it is overwritten with the same first lines, and that
is allowed, the next content begins at the next multiple."""

_SETTLE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _Details:
    """What travels with a split: where the file was found, how it is read, and whether its path is
    one of those that rotation gives."""

    path: str
    format: str
    schema: pa.Schema
    rotated: bool = False

    def encode(self) -> bytes:
        schema = b64encode(schema_to_ipc(self.schema)).decode()
        return json.dumps([self.path, self.format, schema, self.rotated]).encode()

    @classmethod
    def decode(cls, text: bytes) -> _Details:
        path, format, schema, rotated = json.loads(text)
        return cls(path, format, schema_from_ipc(b64decode(schema)), rotated)


class TailReader(Reader):
    """Files that grow: all that the path or glob means, each from its beginning.

    Unit: a file, by its inode and a digest of its first lines, so that a renamed file stays what it
    was. Position: a byte, always behind a line end; a last line that isn't whole waits. Delivery:
    replayable as long as the file is there. A file that was rotated away is read to its end, and is
    finished once nothing was added to it for ``settle``. Lines of a file are read in order; several
    files are read side by side.

    The schema is that of the first file with rows, as it is at the start.
    """

    bounded = False
    ordered = True

    def __init__(self, uri: Uri, options: FileSourceOptions) -> None:
        folder = uri.path.endswith("/")
        self._path = os.path.abspath(uri.path) + ("/" if folder else "")
        if options.newlines_in_values is True:
            raise ConfigurationError(
                f"{self._path}: values that hold line ends can't be followed, since every line "
                "must be a row; leave out newlines_in_values, or read the file without tail"
            )
        if options.schema_drift == "union":
            raise ConfigurationError(
                f"{self._path}: schema_drift=union looks at whole files, and these still grow; "
                "declare the columns with schema=, or leave it out"
            )
        self._options = options
        self.poll_seconds = options.poll_interval.total_seconds()
        self._settle = (_SETTLE if options.settle is None else options.settle).total_seconds()
        self._files: Rotation | None = None
        self._census: Census | None = None
        self._waiting: list[Sighting] = []
        self._schema: pa.Schema | None = None
        self._followed: dict[str, Followed] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_files": None, "_census": None, "_followed": {}}

    # ── which files there are ───────────────────────────────────────────────────────────────

    def schema(self) -> pa.Schema:
        for sighting in Rotation(self._path, self._options).sightings():
            schema = self._schema_of(sighting)
            if schema is not None:
                return schema
        raise FatalError(
            f"no file of {self._path} holds whole lines yet, so its columns are not known; declare "
            "them with schema="
        )

    def splits(self, known: Mapping[str, str]) -> Iterable[Split]:
        if self._census is None:
            own = [unit for unit in known if unit.startswith(f"{self._path}#")]
            self._census = Census(self._rotation(), map(self._mark, own))
        self._waiting += self._census.new()
        if self._schema is None:
            self._schema = next(filter(None, map(self._schema_of, self._waiting)), None)
        if self._schema is None:
            return []
        found, self._waiting = self._waiting, []
        format = found[0].format if found else ""
        lost = [Sighting("", mark, format, 0, True, "") for mark in self._census.lost()]
        return [self._split(sighting, self._schema) for sighting in (*found, *lost)]

    def _split(self, sighting: Sighting, schema: pa.Schema) -> Split:
        details = _Details(sighting.path, sighting.format, schema, sighting.rotated).encode()
        mark = sighting.mark
        interval = Interval(f"{self._path}#{mark}", 0, None)
        return Split(interval, mark.digest, details, divisible=False, ordered=True)

    def _mark(self, unit: str) -> Mark:
        return Mark.parse(unit[len(self._path) + 1 :])

    def _rotation(self) -> Rotation:
        if self._files is None:
            self._files = Rotation(self._path, self._options)
        return self._files

    def _schema_of(self, sighting: Sighting) -> pa.Schema | None:
        """None where the lines that are there tell no columns."""
        if self._options.declared_schema is not None:
            return schema_of(self._options.declared_schema)
        source = open_file(sighting.path)
        if source is None:
            return None
        with closing(source):
            format = format_named(sighting.format)
            whole = source.without_last_line()
            return format.discover(whole, self._line_by_line(format)).schema or None

    def _line_by_line(self, format: Format) -> ReadOptions:
        """The options for a format, each line of which is a row."""
        if "newlines_in_values" not in format.read_options:
            return with_names(self._options)
        return with_names(self._options.model_copy(update={"newlines_in_values": False}))

    # ── reading ─────────────────────────────────────────────────────────────────────────────

    def read(self, split: Split) -> Iterator[Chunk]:
        details, position = _Details.decode(split.details), split.interval.start
        followed = self._follow(split, details)
        if followed is None:
            yield self._lost(split, details, "it is gone, or its first lines are others")
            return
        while followed.has_grown() or position == split.interval.start:
            if not followed.is_intact(position % CONTENT):
                chunk = self._overwritten(split, details, followed, position)
                if chunk is None:
                    return
                yield chunk
                if chunk.final:
                    self._forget(split)
                    return
                position = chunk.end
                continue
            before = position
            for chunk in self._rows(followed, details, position):
                yield chunk
                position = chunk.end
            if position == before:
                break
        if followed.is_rotated() and followed.quiet_seconds() >= self._settle:
            self._forget(split)
            yield Chunk(_nothing(details.schema), ENDED, final=True)

    def _rows(self, followed: Followed, details: _Details, position: int) -> Iterator[Chunk]:
        """The whole lines behind ``position``."""
        if followed.parser is None:
            format = format_named(details.format)
            followed.learn(format, details.schema, self._line_by_line(format))
        assert followed.parser is not None
        content = position - position % CONTENT
        offset = max(position % CONTENT, followed.first)
        while text := followed.lines_from(offset):
            block = Block.of(text, offset)
            parsed = followed.parser.parse(block)
            _check(followed, block, parsed)
            rejects = [
                Reject(
                    content + offset,
                    f"byte {offset + line.start:,} of {followed.source.name}",
                    line.reason,
                    line.payload,
                    line.category,
                )
                for line in parsed.bad
            ]
            offset += len(text)
            followed.passed(offset, text)
            yield Chunk(parsed.records, content + offset, rejects, len(text))

    def _follow(self, split: Split, details: _Details) -> Followed | None:
        """The split's file, open. None where it can't be found."""
        unit = split.interval.unit
        if unit not in self._followed:
            mark, format = self._mark(unit), format_named(details.format)
            source = self._rotation().find(details.path, mark, format)
            if source is None:
                return None
            rotated = details.rotated or source.name != details.path
            lines = self._rotation().head_lines(format)
            self._followed[unit] = Followed(source, mark, lines, rotated)
        return self._followed[unit]

    def _overwritten(
        self, split: Split, details: _Details, followed: Followed, position: int
    ) -> Chunk | None:
        """How to go on where a file doesn't hold any more what was read of it. Other first lines
        make it another unit, which is listed by itself; None: it has no first lines yet."""
        if self._options.on_loss == "error":
            self._lost(split, details, "it was shortened or overwritten")
        mark = mark_of(followed.source, followed.lines)
        if mark is None:
            return None
        if mark != followed.mark:
            return Chunk(_nothing(details.schema), ENDED, final=True)
        followed.restart()
        return Chunk(_nothing(details.schema), position - position % CONTENT + CONTENT)

    def _lost(self, split: Split, details: _Details, how: str) -> Chunk:
        """The end of a unit of which rows may be lost. Raises `SourceChangedError` unless that is
        allowed."""
        if self._options.on_loss == "continue":
            return Chunk(_nothing(details.schema), ENDED, final=True)
        byte = split.interval.start % CONTENT
        raise SourceChangedError(
            f"{details.path or self._path} was followed up to byte {byte:,}, and {how}: rows "
            f"behind that may be lost ({split.interval.unit}). Put it back beside "
            "the others, or set rotated= if rotation gives it another name; on_loss=continue goes "
            "on with what is there"
        )

    def _forget(self, split: Split) -> None:
        followed = self._followed.pop(split.interval.unit, None)
        if followed is not None:
            followed.close()

    def backlog(self, split: Split, position: int) -> Backlog | None:
        followed = self._followed.get(split.interval.unit)
        if followed is None:
            return None
        left = max(0, followed.source.size - position % CONTENT)
        return Backlog(left, not left)

    def reads(self, created: str) -> bool:
        scheme, path = created.split("://", 1)
        return scheme == "file" and would_list(self._path, self._options.recursive, path)

    def close(self) -> None:
        while self._followed:
            self._followed.popitem()[1].close()


def _nothing(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema=schema)


def _check(followed: Followed, block: Block, parsed: Parsed) -> None:
    """Refuses a value that holds a line end where the file ended when it was read."""
    if followed.check is None:
        return
    try:
        followed.check(block, parsed)
    except FatalError as error:
        raise FatalError(
            f"{followed.source.name}: a quoted value behind byte {block.offset:,} holds a line "
            "end, or is never closed; files with such values can't be followed while they grow"
        ) from error
