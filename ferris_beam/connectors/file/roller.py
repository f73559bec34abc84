"""Makes files of gathered parts, and commits them."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from ferris_beam.commitlog import Gathered, Placement, Roll, SinkLog, SinkState
from ferris_beam.commitlog.durable import remove_file
from ferris_beam.connectors.file.encoding import Encoding
from ferris_beam.connectors.file.folder import check_present
from ferris_beam.connectors.file.layout import Layout, Workspace, part_name
from ferris_beam.connectors.file.merge import Merge
from ferris_beam.connectors.file.rolling import Rolling, due, fingerprint_of
from ferris_beam.connectors.file.staging import SealedPart
from ferris_beam.errors import FerrisError

_FILES_OF_ENTRY = 16
"""Files of one entry of the log: their parts are removed before the next ones are made."""


_MOST_REMEMBERED = 50_000


@dataclass(frozen=True, slots=True)
class _Made:
    """A staged file, the parts in it, and where it goes."""

    staged: str
    nbytes: int
    folder: str
    extension: str
    taken: tuple[str, ...]


@dataclass(eq=False)
class Process:
    """What the writers of one sink in this process share: the staged files that they committed,
    and a lock, so that one of them rolls at a time."""

    committed: set[str] = field(default_factory=set)
    rolling: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, workspace: Workspace) -> Process:
        """The one of a sink and an identity."""
        with _lock:
            return _processes.setdefault(workspace.folder, cls())


_processes: WeakValueDictionary[str, Process] = WeakValueDictionary()
_lock = threading.Lock()


@dataclass
class Roller:
    """Gathers parts for one opened writer, and makes files of them when it is time."""

    layout: Layout
    workspace: Workspace
    encoding: Encoding
    run: str
    log: SinkLog
    rolling: Rolling | None
    process: Process

    def gather(self, parts: Sequence[SealedPart]) -> tuple[Gathered, ...]:
        """What a commit says of parts that are to wait."""
        now = time.time()
        if len(self.process.committed) > _MOST_REMEMBERED:
            self.process.committed.clear()  # they are left to their grace, no more
        self.process.committed.update(part.name for part in parts)
        return tuple(
            Gathered(
                part.name,
                part.folder,
                self.encoding.extension,
                fingerprint_of(part.schema),
                part.nbytes,
                part.rows,
                now,
                self.encoding.header(part.schema),
            )
            for part in parts
        )

    def roll(
        self, check: Callable[[SinkState], None], publish: Callable[[], None], everything: bool
    ) -> None:
        """Makes files of what is due, some at a time. ``check`` may refuse the state that an entry
        would follow; ``publish`` is called after each entry."""
        if not self._due(everything) or not self.process.rolling.acquire(blocking=everything):
            return
        try:
            while chunks := self._due(everything):
                self._roll(chunks[:_FILES_OF_ENTRY], check)
                publish()
        finally:
            self.process.rolling.release()

    def _due(self, everything: bool) -> list[list[Gathered]]:
        gathered, mine = self.log.state.gathered, self.process.committed
        return due(gathered, self.rolling, time.time(), mine, everything) if gathered else []

    def _roll(
        self, chunks: Sequence[Sequence[Gathered]], check: Callable[[SinkState], None]
    ) -> None:
        made: list[_Made] = []
        identifier = uuid.uuid4().hex

        def build(state: SinkState) -> Roll | None:
            check(state)
            return self._entry(identifier, state, made)

        try:
            for parts in chunks:
                made.append(self._make(parts))
            self.log.append(identifier, build)
        except Exception:
            self._discard(made)
            if not self._taken(chunks):
                raise  # else somebody was faster, or the entry was created after all
        except BaseException:
            self._discard(made)
            raise
        else:
            if identifier not in self.log.state.recent:
                self._discard(made)
            self.process.committed.difference_update(
                part.staged for parts in chunks for part in parts
            )

    def _make(self, parts: Sequence[Gathered]) -> _Made:
        """One staged file of the rows of ``parts``, in their order, durable."""
        first, taken = parts[0], tuple(part.staged for part in parts)
        paths = [self.workspace.staged(name) for name in taken]
        for path in paths:
            check_present(path)
        name, nbytes = first.staged, first.nbytes
        if len(parts) > 1 or first.header:
            encoding = self.encoding.of_extension(first.extension)
            merge = Merge(encoding, self.workspace, self.run, self.layout.display)
            name, nbytes = merge.write(paths, first.header)
        return _Made(name, nbytes, first.folder, first.extension, taken)

    def _entry(self, identifier: str, state: SinkState, made: Sequence[_Made]) -> Roll | None:
        """None: somebody else took some of the parts."""
        taken = tuple(name for file in made for name in file.taken)
        if not {part.staged for part in state.gathered}.issuperset(taken):
            return None
        files = []
        for index, file in enumerate(made):
            name = part_name(state.origin, state.next, index, file.extension)
            files.append(Placement(file.staged, os.path.join(file.folder, name), file.nbytes))
        return Roll(identifier, state.ledger.epoch, tuple(files), taken)

    def _taken(self, chunks: Sequence[Sequence[Gathered]]) -> bool:
        """Whether any of these parts is in a file by now."""
        waiting = {part.staged for part in self.log.refresh().gathered}
        return any(part.staged not in waiting for parts in chunks for part in parts)

    def _discard(self, made: Sequence[_Made]) -> None:
        """Removes staged files, but those that the log needs; all stay where it can't be read."""
        with suppress(FerrisError, OSError):
            needed = self.log.refresh().staged_names
            for file in made:
                if file.staged not in needed:
                    remove_file(self.workspace.staged(file.staged))
