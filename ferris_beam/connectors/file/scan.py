"""What names a folder or glob has now, told cheaply: for those who ask again and again.

`list_files` looks at every file; here a folder of files costs one listing of its names (100,000 in
about 50 ms), and whoever asks compares them with what it saw before. Globs mean what they mean
there.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from ferris_beam.connectors.file.listing import expand_braces
from ferris_beam.connectors.file.source import readable
from ferris_beam.errors import FatalError

_MAGIC = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class _Pattern:
    """A folder to begin in, folders below it as globs, and the names wanted in the last one."""

    root: str
    folders: tuple[str, ...]
    name: str

    def wants(self, name: str) -> bool:
        hidden = name[0] in "._" and name[0] != self.name[0]
        return not hidden and fnmatch.fnmatchcase(name, self.name)


class Scan:
    """The names in all folders that an absolute path means. A folder that comes later is found;
    where the pattern begins there must be one, else this is a `FatalError`."""

    def __init__(self, path: str, recursive: bool = False) -> None:
        self._patterns = [
            _pattern(wanted)
            for each in expand_braces(path)
            for wanted in _spelt_out(each, recursive)
        ]
        self._meant: dict[str, list[_Pattern]] = {}
        if not any(os.path.isdir(pattern.root) for pattern in self._patterns):
            root = self._patterns[0].root
            raise FatalError(f"can't watch {path}: there is no folder {root}; make it")

    def names(self) -> dict[str, set[str]]:
        """The names in each folder, those of other things too: see `wants`."""
        self._meant = {}
        for pattern in self._patterns:
            for folder in _folders(pattern.root, pattern.folders):
                self._meant.setdefault(folder, []).append(pattern)
        return {folder: _names_in(folder) for folder in self._meant}

    def wants(self, folder: str, name: str) -> bool:
        """Whether a name that `names` found in ``folder`` is meant."""
        return any(pattern.wants(name) for pattern in self._meant[folder])


def _spelt_out(path: str, recursive: bool) -> list[str]:
    """``path`` as globs of files: a folder stands for what is in it."""
    if os.path.isdir(path) or path.endswith("/"):
        return [os.path.join(path, "**" if recursive else "", "*")]
    return [path, f"{path}/**/*"] if recursive else [path]


def _pattern(path: str) -> _Pattern:
    *folders, name = [segment for segment in path.split("/") if segment]
    if name == "**":  # any number of folders, and all that is in them
        folders, name = [*folders, "**"], "*"
    magic = next((at for at, each in enumerate(folders) if _MAGIC.search(each)), len(folders))
    return _Pattern("/" + "/".join(folders[:magic]), tuple(folders[magic:]), name)


def _names_in(folder: str) -> set[str]:
    with readable(folder), suppress(FileNotFoundError, NotADirectoryError):
        return set(os.listdir(folder))
    return set()


def _folders(root: str, segments: Sequence[str]) -> Iterator[str]:
    """The folders that exist under ``root``; hidden ones only where they are named."""
    if not segments:
        if os.path.isdir(root):
            yield root
        return
    head, rest = segments[0], segments[1:]
    if head == "**":
        yield from _folders(root, rest)
        for name in _folder_names(root, "*"):
            yield from _folders(os.path.join(root, name), segments)
    elif _MAGIC.search(head):
        for name in _folder_names(root, head):
            yield from _folders(os.path.join(root, name), rest)
    else:
        yield from _folders(os.path.join(root, head), rest)


def _folder_names(folder: str, pattern: str) -> list[str]:
    with readable(folder), suppress(FileNotFoundError), os.scandir(folder) as entries:
        return [
            entry.name
            for entry in entries
            if entry.is_dir(follow_symlinks=False)
            and (entry.name[0] not in "._" or entry.name[0] == pattern[0])
            and fnmatch.fnmatchcase(entry.name, pattern)
        ]
    return []
