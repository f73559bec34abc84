"""From commits to what readers see: renames, segments, removals.

Everything here is decided by entries of the log and may be done again, by anybody, at any time and
several at once: a process that finds a commit half published completes it. What is done can be
told by the staged file, which is removed last.

A segment is written into its file only after the ones before it are. Whoever does that opens first
the target and then the staged file: a process that stood still for long may open a target that has
been replaced meanwhile, but then the staged file is gone.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from typing import IO

from ferris_beam.commitlog import Placement, Removal, SinkState
from ferris_beam.commitlog.durable import make_folder, remove_file, sync_folder
from ferris_beam.connectors.file.layout import Layout, Workspace, fingerprint, folder_name, run_of
from ferris_beam.errors import FatalError

_BLOCK = 1 << 20


class Publisher:
    """Publishes what a sink's log asks for. Remembers what it has seen done."""

    def __init__(self, layout: Layout, workspace: Workspace) -> None:
        self.layout = layout
        self.workspace = workspace
        self._done: set[str] = set()

    def publish(self, state: SinkState, number: int | None = None) -> None:
        """All that is due; of a folder, where order does not matter, only entry ``number``'s."""
        if self.layout.in_order:
            number = None
        for at, file in state.due:
            if file.staged not in self._done and number in (None, at):
                self._place(file)
                self._done.add(file.staged)
        for at, removal in state.removals:
            if number in (None, at):
                self._remove(removal)
        for at, name in state.leftovers:
            if name not in self._done and number in (None, at):
                remove_file(self.workspace.staged(name))
                self._done.add(name)
        self._done.intersection_update(
            [*(file.staged for _, file in state.due), *(name for _, name in state.leftovers)]
        )

    def settle(self, state: SinkState) -> None:
        """Publishes all that is due and makes it durable: then it may be forgotten."""
        self.publish(state)
        targets = [file.target for _, file in state.due if file.offset is None]
        targets += [removal.target for _, removal in state.removals]
        for folder in sorted({os.path.dirname(self.layout.target(name)) for name in targets}):
            with suppress(FileNotFoundError):
                sync_folder(folder)

    def sweep(self, state: SinkState, runs: Iterable[str]) -> None:
        """Removes what these runs staged and no commit names.

        They must be over, or superseded: a later run may be staging files at this moment.
        """
        kept = state.staged_names
        over = {folder_name(run) for run in runs}
        for name in self.workspace.staged_names():
            if name not in kept and run_of(name) in over:
                remove_file(self.workspace.staged(name))

    def _place(self, file: Placement) -> None:
        if not os.path.lexists(self.workspace.staged(file.staged)):
            return  # done already
        if file.offset is None:
            self._rename(file)
        else:
            self._write_segment(file, file.offset)

    def _rename(self, file: Placement) -> None:
        staged, target = self.workspace.staged(file.staged), self.layout.target(file.target)
        try:
            os.rename(staged, target)
        except FileNotFoundError:
            if os.path.lexists(staged):
                make_folder(os.path.dirname(target))
                with suppress(FileNotFoundError):
                    os.rename(staged, target)

    def _remove(self, removal: Removal) -> None:
        path = self.layout.target(removal.target)
        if fingerprint(path) == removal.fingerprint:
            remove_file(path)

    def _write_segment(self, file: Placement, offset: int) -> None:
        path = self.layout.target(file.target)
        flags = os.O_WRONLY | os.O_CLOEXEC | (os.O_CREAT if offset == 0 else 0)
        if offset == 0 and self.layout.many_files:
            make_folder(os.path.dirname(path))
        try:
            target = os.open(path, flags, 0o666)
        except FileNotFoundError:
            raise self._shortened(path, 0, offset) from None
        try:
            with open(self.workspace.staged(file.staged), "rb") as staged:
                size = os.fstat(target).st_size
                if size < offset:
                    raise self._shortened(path, size, offset)
                _copy(target, offset, file.prefix, staged)
                os.fsync(target)
        except FileNotFoundError:
            return  # done by somebody else
        finally:
            os.close(target)
        if offset == 0:
            sync_folder(os.path.dirname(path))
        remove_file(self.workspace.staged(file.staged))

    @staticmethod
    def _shortened(path: str, size: int, offset: int) -> FatalError:
        return FatalError(
            f"{path} has {size:,} bytes, but {offset:,} were committed: somebody removed or "
            "shortened it. Put it back, or start from zero with --reset and if_exists=overwrite"
        )


def _copy(target: int, offset: int, prefix: bytes, staged: IO[bytes]) -> None:
    offset += _write_at(target, offset, prefix)
    while block := staged.read(_BLOCK):
        offset += _write_at(target, offset, block)


def _write_at(target: int, offset: int, data: bytes) -> int:
    view = memoryview(data)
    while view:
        written = os.pwrite(target, view, offset)
        view, offset = view[written:], offset + written
    return len(data)
