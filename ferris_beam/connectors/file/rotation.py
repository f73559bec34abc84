"""Which files a followed path stands for: those under its name, and those that were rotated away.

Rotation renames a file (``app.log`` to ``app.log.1``, that one to ``app.log.2``) and begins a new
one. A file may be renamed before anybody saw it under its first name: while nobody followed, or
where it lived shorter than the time between two polls.
"""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from ferris_beam.connectors.file.follow import FollowedSource, Mark, mark_of, open_file
from ferris_beam.connectors.file.options import FileSourceOptions
from ferris_beam.connectors.file.scan import Scan
from ferris_beam.errors import ConfigurationError
from ferris_beam.formats.base import Format
from ferris_beam.formats.registry import format_named
from ferris_beam.formats.unit import detected

_FORMATS = ("csv", "jsonl")


@dataclass(frozen=True, slots=True)
class Sighting:
    """A file with whole first lines, where it is now. ``group``: the name that it had, or may have
    had, before it was rotated."""

    path: str
    mark: Mark
    format: str
    changed: int
    rotated: bool
    group: str


class Rotation:
    """Looks at the files of one path or glob again and again."""

    def __init__(self, path: str, options: FileSourceOptions) -> None:
        self._options = options
        self._scan = Scan(path, options.recursive)
        ending = path.rpartition("/")[2]
        self._wanted = options.rotated or (f"{ending}*" if ending else "*")
        self._looked_at: dict[tuple[str, int, int, int], Sighting | None] = {}

    def sightings(self) -> list[Sighting]:
        """All files that are there now, those under their first names first."""
        looked_at, found = self._looked_at, []
        self._looked_at = {}
        for path, rotated in self._paths():
            with _opened(path) as source:
                if source is None:
                    continue
                status = source.status
                key = (path, status.st_ino, status.st_size, status.st_mtime_ns)
                if rotated and key in looked_at:
                    sighting = looked_at[key]
                else:
                    sighting = self._look(source, rotated)
                self._looked_at[key] = sighting
                if sighting is not None:
                    found.append(sighting)
        return found

    def find(self, path: str, mark: Mark, format: Format) -> FollowedSource | None:
        """The file with this mark, open: at ``path``, or at any other of ours."""
        lines = self.head_lines(format)
        for candidate in (path, *(other for other, _ in self._paths())):
            source = open_file(candidate) if candidate else None
            if source is not None:
                if mark_of(source, lines) == mark:
                    return source
                source.close()
        return None

    def head_lines(self, format: Format) -> int:
        """The lines that tell files apart: for CSV the header is the same in all."""
        options = self._options
        return options.skip_lines + options.header + 1 if format.name == "csv" else 1

    def _paths(self) -> Iterator[tuple[str, bool]]:
        """Paths, and whether they are those that rotation gives; the others first."""
        names = self._scan.names()
        rotated = []
        for folder in sorted(names):
            for name in sorted(names[folder]):
                path = os.path.join(folder, name)
                if self._scan.wants(folder, name):
                    yield path, False
                elif fnmatch.fnmatchcase(name, self._wanted):
                    rotated.append(path)
        yield from ((path, True) for path in rotated)

    def _look(self, source: FollowedSource, rotated: bool) -> Sighting | None:
        if not source.has_line() or (rotated and self._is_packed(source)):
            return None
        format = self._format(source)
        mark = mark_of(source, self.head_lines(format))
        if mark is None:
            return None
        changed = source.status.st_mtime_ns
        group = self._group(source.name) if rotated else source.name
        return Sighting(source.name, mark, format.name, changed, rotated, group)

    def _group(self, path: str) -> str:
        if self._options.rotated is not None:
            return ""
        folder, name = os.path.split(path)
        lengths = range(1, len(name))
        first = next((end for end in lengths if self._scan.wants(folder, name[:end])), len(name))
        return os.path.join(folder, name[:first])

    def _is_packed(self, source: FollowedSource) -> bool:
        """Whether a rotated file was compressed: a copy of what was followed."""
        try:
            return detected(source, self._options).compression != "none"
        except ConfigurationError:
            return True

    def _format(self, source: FollowedSource) -> Format:
        found = detected(source, self._options)
        if found.format not in _FORMATS or found.compression != "none":
            packed = "" if found.compression == "none" else f" in {found.compression}"
            raise ConfigurationError(
                f"{source.name}: {found.format}{packed} can't be followed while it grows; tail "
                "takes plain CSV and JSON Lines. Correct the path, or set format="
            )
        return format_named(found.format)


class Census:
    """Which sightings are files to be followed that were not given out before."""

    def __init__(self, rotation: Rotation, held: Iterable[Mark]) -> None:
        """``held``: what ledgers know."""
        self._rotation = rotation
        self.held = set(held)
        self._given: set[Mark] = set()
        self._digests = {mark.digest for mark in self.held}
        self._old: set[Mark] = set()
        self._first = True

    def new(self) -> list[Sighting]:
        """New files, those that ledgers know first.

        Of rotated files that nobody knows those count which came later than what was followed:
        all that appear from now on, and at the start those that were written to after a known file
        of their group. A copy of a known one (``copytruncate``) does not count.
        """
        found = self._rotation.sightings()
        since = self._followed_since(found) if self._first else None
        self._first = False
        taken = []
        for sighting in sorted(found, key=lambda sighting: sighting.mark not in self.held):
            mark = sighting.mark
            if mark in self._given:
                continue
            if sighting.rotated and mark not in self.held and self._is_old(sighting, since):
                self._old.add(mark)
                continue
            self._given.add(mark)
            self._digests.add(mark.digest)
            taken.append(sighting)
        return taken

    def lost(self) -> set[Mark]:
        """What ledgers know and nobody has seen; told once."""
        lost, self.held = self.held - self._given, set()
        return lost

    def _is_old(self, sighting: Sighting, since: Mapping[str, int] | None) -> bool:
        if sighting.mark in self._old or sighting.mark.digest in self._digests:
            return True
        if since is None:
            return False
        began = since.get(sighting.group)
        return began is None or sighting.changed < began

    def _followed_since(self, found: Iterable[Sighting]) -> dict[str, int]:
        """For each group, when the oldest known file was written to for the last time."""
        since: dict[str, int] = {}
        for sighting in found:
            if sighting.mark in self.held:
                earliest = since.get(sighting.group, sighting.changed)
                since[sighting.group] = min(earliest, sighting.changed)
        return since


@contextmanager
def _opened(path: str) -> Iterator[FollowedSource | None]:
    source = open_file(path)
    try:
        yield source
    finally:
        if source is not None:
            source.close()
