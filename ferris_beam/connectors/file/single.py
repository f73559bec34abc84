"""A single file as a target: one that grows with each commit, or one that the finish puts together.

CSV and JSONL grow: a commit says at which offset its rows belong. Formats with a footer and
compressed files can't grow; their parts wait and are merged in the order of the commits.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from contextlib import closing

from ferris_beam.commitlog import Placement, Removal, SinkState
from ferris_beam.connectors.file.folder import check_present
from ferris_beam.connectors.file.layout import fingerprint
from ferris_beam.connectors.file.merge import Merge
from ferris_beam.connectors.file.source import LocalFile
from ferris_beam.connectors.file.staging import SealedPart
from ferris_beam.connectors.file.target import Start, Target
from ferris_beam.errors import ConfigurationError, FatalError, SchemaError
from ferris_beam.formats.base import read_bytes
from ferris_beam.formats.compression import decompressed

_LONGEST_HEADER = 1 << 20


class SingleFileTarget(Target):
    """What both kinds share: waiting parts become one file at the finish."""

    @property
    def _merge(self) -> Merge:
        return Merge(self.encoding, self.workspace, self.run, self.layout.display)

    @property
    def path(self) -> str:
        return self.layout.target(self.layout.file)

    @property
    def size(self) -> int:
        try:
            return os.path.getsize(self.path)
        except FileNotFoundError:
            return 0

    def start(self, state: SinkState, fresh: bool) -> Start:
        if os.path.isdir(self.path):
            raise ConfigurationError(
                f"{self.path} is a folder: end the URI with '/' to write files into it"
            )
        if not fresh:
            return self._resumed(state)
        size = self.size
        if size and self.if_exists == "error":
            raise self._refuse(state, f"{size:,} bytes")
        if size and self.if_exists == "overwrite":
            return Start(held=True, replaces=True)
        return Start(end=size)

    def _resumed(self, state: SinkState) -> Start:
        return Start(state.held, state.replaces, state.end)

    def finish(self, state: SinkState) -> tuple[tuple[Placement, ...], tuple[Removal, ...]]:
        if not state.waiting:
            old = fingerprint(self.path) if state.replaces else ""
            return (), ((Removal(self.layout.file, old),) if old else ())
        parts = [self.workspace.staged(file.staged) for file in state.waiting]
        for part in parts:
            check_present(part)
        header = state.waiting[0].prefix
        if self._continues(state):
            parts, header = [self.path, *parts], b""
        if len(parts) == 1 and not header:
            return (state.waiting[0],), ()
        name, length = self._merge.write(parts, header)
        return (Placement(name, self.layout.file, length),), ()

    def _continues(self, state: SinkState) -> bool:
        """Whether the file that is there is the beginning of the new one."""
        if state.replaces or not self.size:
            return False
        if state.published or self.if_exists == "append":
            return True
        raise FatalError(
            f"{self.path} appeared while the rows for it were gathered: move it away and start "
            "again (they are kept), or set if_exists=append"
        )

    def _waiting(self, state: SinkState, parts: Sequence[SealedPart]) -> tuple[Placement, ...]:
        """Places that the finish decides; the headers of all must be the same."""
        placed: list[Placement] = []
        for part in parts:
            header = self.encoding.header(part.schema)
            for first in (*state.waiting, *placed)[:1]:
                self._check_header(first.prefix, header)
            placed.append(Placement(part.name, self.layout.file, part.nbytes, prefix=header))
        return tuple(placed)

    def _check_header(self, known: bytes, header: bytes) -> None:
        """``known``: the first bytes of the file."""
        if not header or known.startswith(header):
            return
        there, ours = self._names(known), self._names(header)
        if there != ours:
            raise SchemaError(
                f"{self.path}: its columns are {', '.join(there)}, and the rows have "
                f"{', '.join(ours)}. A single file has one header: write to a folder, or select "
                "the columns before"
            )

    def _names(self, head: bytes) -> list[str]:
        lines = head.decode("utf-8-sig", "replace").splitlines(keepends=True)
        return next(csv.reader(lines, delimiter=self.encoding.options.delimiter or ","), [])


class GrowingTarget(SingleFileTarget):
    """A file that is complete after every commit, so also for input that never ends.

    While a segment is copied into it, readers may see a part of that segment; never a gap, and
    never rows that are not committed.
    """

    def _resumed(self, state: SinkState) -> Start:
        size = self.size
        if state.held or size == state.end:
            return Start(state.held, state.replaces, state.end)
        if size > state.end and self.if_exists == "append":
            return Start(end=size)
        raise self._changed(size, state.end)

    def check(self, size: int, state: SinkState) -> None:
        if size > state.end and not state.held:
            raise self._changed(size, state.end)

    def _changed(self, size: int, end: int) -> FatalError:
        return FatalError(
            f"{self.path} has {size:,} bytes, and {end:,} were committed: something else writes to "
            "it, or shortened it. Give every pipeline its own file; --reset with "
            "if_exists=overwrite starts it from zero"
        )

    def place(self, state: SinkState, parts: Sequence[SealedPart]) -> tuple[Placement, ...]:
        if state.held:
            return self._waiting(state, parts)
        placed: list[Placement] = []
        end = state.end
        for part in parts:
            prefix = self._prefix(state, placed, part, end)
            placed.append(Placement(part.name, self.layout.file, part.nbytes, end, prefix))
            end = placed[-1].end
        return tuple(placed)

    def _prefix(
        self, state: SinkState, placed: Sequence[Placement], part: SealedPart, end: int
    ) -> bytes:
        """What goes ahead of a segment: the header, or the line end that a foreign file lacks."""
        header = self.encoding.header(part.schema)
        if end == 0:
            return header
        if header:
            self._check_header(self._head(state, placed), header)
        return b"\n" if end == self.size and self._last_byte() not in (b"\n", b"\r") else b""

    def _head(self, state: SinkState, placed: Sequence[Placement]) -> bytes:
        """The first bytes of the file, or what they are going to be."""
        for file in (*(file for _, file in state.due), *placed):
            if file.offset == 0:
                return file.prefix
        try:
            with open(self.path, "rb") as target:
                return target.read(_LONGEST_HEADER)
        except FileNotFoundError:
            return b""

    def _last_byte(self) -> bytes:
        with open(self.path, "rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1)


class MergedTarget(SingleFileTarget):
    """A file that appears, whole, when all bounded input is committed."""

    def holds(self, state: SinkState) -> bool:
        return True

    def place(self, state: SinkState, parts: Sequence[SealedPart]) -> tuple[Placement, ...]:
        continued = not state.waiting and not state.replaces and self.size > 0
        if not self.encoding.format.appendable:
            self._check_schemas(state, parts, continued)
        elif continued:
            for part in parts:
                self._check_header(self._head(), self.encoding.header(part.schema))
        return self._waiting(state, parts)

    def _check_schemas(
        self, state: SinkState, parts: Sequence[SealedPart], continued: bool
    ) -> None:
        """Whether the parts can be in one file with what is there, or else with the first one."""
        if not parts:
            return
        staged = [file.staged for file in state.waiting] + [part.name for part in parts]
        first = self.path if continued else self.workspace.staged(staged[0])
        self._merge.check(first, [self.workspace.staged(part.name) for part in parts])

    def _head(self) -> bytes:
        """The first bytes of the compressed text that is there."""
        with closing(decompressed(LocalFile(self.path), self.encoding.compression)) as source:
            return read_bytes(source, 0, _LONGEST_HEADER)
