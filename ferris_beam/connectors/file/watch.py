"""Watching a folder or glob: new files are taken as they arrive, for ever."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any

import pyarrow as pa

from ferris_beam.connector import Split
from ferris_beam.connectors.file.options import FileSourceOptions
from ferris_beam.connectors.file.reader import FileReader
from ferris_beam.connectors.file.scan import Scan
from ferris_beam.connectors.file.source import identity_of, readable
from ferris_beam.errors import SourceChangedError
from ferris_beam.uri import Uri

_SETTLE = timedelta(seconds=2)

_CHECKED_AT_A_TIME = 1000
"""Files that were taken before and are looked at in one poll, to see whether they changed: a round
through all of them takes as many polls as that needs."""


@dataclass(slots=True)
class _Candidate:
    """A file that is not taken yet: what it was when it was last seen to change, and when."""

    identity: str
    since: float


class WatchReader(FileReader):
    """A folder or glob to which files are added.

    Unit, identity and positions are those of `FileReader`. A file is taken once it was left alone
    for ``settle`` and isn't empty; if it changes afterwards, that is a `SourceChangedError`. The
    schema is that of the first files that were taken, known ones before new ones.

    Memory: the names in the watched folders, about 0.1 kB each, besides what ledgers keep.
    """

    bounded = False

    def __init__(self, uri: Uri, options: FileSourceOptions) -> None:
        super().__init__(uri, options)
        self.poll_seconds = options.poll_interval.total_seconds()
        self._settle = (_SETTLE if options.settle is None else options.settle).total_seconds()
        self._scan: Scan | None = None
        self._seen: dict[str, set[str]] = {}
        self._candidates: dict[str, _Candidate] = {}
        self._taken_now: list[str] = []
        self._fixed: pa.Schema | None = None
        self._to_check: Iterator[str] = iter(())

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_scan": None, "_seen": {}, "_to_check": iter(())}

    def splits(self, known: Mapping[str, str]) -> Iterable[Split]:
        self._note_new()
        self._check_some(known)
        self._taken_now = self._settled(known)
        if not self._taken_now:
            return []
        self._taken_now.sort(key=lambda path: (path not in known, path))
        return super().splits(known)

    def _files(self) -> list[str]:
        """What is taken in this poll; for those who ask for the schema, what is there now."""
        return self._taken_now or super()._files()

    def _discover(self, files: Iterable[str]) -> pa.Schema:
        if self._fixed is None:
            self._fixed = super()._discover(files)
        return self._fixed

    # ── what is there ───────────────────────────────────────────────────────────────────────

    def _note_new(self) -> None:
        """Makes candidates of the names that were not there before."""
        if self._scan is None:
            self._scan = Scan(self._path, self._options.recursive)
        now, names = time.monotonic(), self._scan.names()
        for folder, found in names.items():
            for name in found.difference(self._seen.get(folder, ())):
                if self._scan.wants(folder, name):
                    self._candidates[os.path.join(folder, name)] = _Candidate("", now)
        self._seen = names

    def _settled(self, known: Mapping[str, str]) -> list[str]:
        """Takes the candidates that are complete, as far as can be told."""
        now, taken = time.monotonic(), []
        for path, candidate in list(self._candidates.items()):
            status = _status(path)
            if status is None or not stat.S_ISREG(status.st_mode):
                del self._candidates[path]
                continue
            identity = identity_of(status)
            if identity != candidate.identity:
                candidate.identity, candidate.since = identity, now
            untouched = now - candidate.since >= self._settle or known.get(path) == identity
            if untouched and status.st_size:
                del self._candidates[path]
                taken.append(path)
        return taken

    def _check_some(self, known: Mapping[str, str]) -> None:
        """Looks whether files that were taken are still what they were, some in each poll."""
        paths = list(islice(self._to_check, _CHECKED_AT_A_TIME))
        if len(paths) < _CHECKED_AT_A_TIME:
            self._to_check = iter(
                [
                    os.path.join(folder, name)
                    for folder, names in self._seen.items()
                    for name in names
                ]
            )
        for path in paths:
            status, expected = _status(path), known.get(path)
            if status is None or expected is None or path in self._candidates:
                continue
            if identity_of(status) != expected:
                raise SourceChangedError(
                    f"{path} changed after it was taken: what was read of it and what is there now "
                    "don't belong together. Give new data a new name, or move complete files into "
                    "the folder by a rename; a longer settle= waits longer for slow writers"
                )


def _status(path: str) -> os.stat_result | None:
    """None where it is gone."""
    with readable(path), suppress(FileNotFoundError, NotADirectoryError):
        return os.stat(path)
    return None
