"""A folder as a target: each commit adds files, one for each partition and schema."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ferris_beam.commitlog import Placement, Removal, SinkState
from ferris_beam.connectors.file.layout import data_files, fingerprint, is_part_of, part_name
from ferris_beam.connectors.file.staging import SealedPart
from ferris_beam.connectors.file.target import Start, Target
from ferris_beam.errors import FatalError


class FolderTarget(Target):
    """Overwriting waits for the finish, which publishes all new files and then removes the old."""

    def start(self, state: SinkState, fresh: bool) -> Start:
        if not fresh:
            return Start(state.held, state.replaces)
        found = next(data_files(self.layout), None)
        if found is None and state.gathered and not state.held:
            found = f"{len(state.gathered):,} committed parts of files to come"
        if found is None or self.if_exists == "append":
            return Start()
        if self.if_exists == "error":
            raise self._refuse(state, found)
        return Start(held=True, replaces=True)

    def place(self, state: SinkState, parts: Sequence[SealedPart]) -> tuple[Placement, ...]:
        placed = []
        for index, part in enumerate(parts):
            name = part_name(state.origin, state.next, index, self.encoding.extension)
            placed.append(Placement(part.name, os.path.join(part.folder, name), part.nbytes))
        return tuple(placed)

    def finish(self, state: SinkState) -> tuple[tuple[Placement, ...], tuple[Removal, ...]]:
        files = tuple(state.waiting)
        for file in files:
            check_present(self.workspace.staged(file.staged))
        if not state.replaces:
            return files, ()
        old = [
            Removal(path, fingerprint(self.layout.target(path)))
            for path in data_files(self.layout)
            if not is_part_of(state.origin, path)
        ]
        return files, tuple(old)


def check_present(path: str) -> None:
    """Raises `FatalError` where a committed file was removed before it was published."""
    if not os.path.exists(path):
        raise FatalError(
            f"{path} was committed and is gone: somebody removed files of the sink's ledger. "
            "Start from zero with --reset"
        )
