"""Which files a path stands for: one file, a folder, or a glob.

In globs ``*``, ``?``, ``[ab]`` and ``[!ab]`` stay within a folder's name, ``**`` is any number of
folders, ``{a,b}`` is either. Names that start with ``.`` or ``_`` are no data (hidden files,
``_SUCCESS``, ledgers) unless the path names them.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator, Sequence

from ferris_beam.connectors.file.source import readable
from ferris_beam.errors import FatalError

_MAGIC = re.compile(r"[*?\[]")
_SHOWN = 8


def list_files(path: str, recursive: bool = False) -> list[str]:
    """The files of an absolute path, sorted. Raises `FatalError` where there are none."""
    if os.path.isfile(path) and not path.endswith("/"):
        return [path]
    if os.path.exists(path) and not os.path.isdir(path):
        raise FatalError(f"can't read {path}: it is no regular file")
    found: set[str] = set()
    for pattern in [path] if os.path.isdir(path) else expand_braces(path):
        for match in _matches(pattern):
            if os.path.isfile(match):
                found.add(match)
            elif recursive or not _is_magic(pattern) or pattern.endswith("/"):
                found.update(_files_in(match, recursive))
    if not found:
        raise FatalError(_nothing_found(path, recursive))
    return sorted(found)


def expand_braces(pattern: str) -> list[str]:
    """``a{b,c{d,e}}`` is ``ab``, ``acd``, ``ace``; braces without a comma stay."""
    for start in (at for at, char in enumerate(pattern) if char == "{"):
        parts, stop = _alternatives(pattern, start)
        if len(parts) > 1:
            head = pattern[:start]
            tails = expand_braces(pattern[stop:])
            return [
                head + middle + tail
                for part in parts
                for middle in expand_braces(part)
                for tail in tails
            ]
    return [pattern]


def _alternatives(pattern: str, start: int) -> tuple[list[str], int]:
    """What stands between the braces that open at ``start``, and where they end."""
    depth, part_start, parts = 0, start + 1, []
    for at in range(start, len(pattern)):
        char = pattern[at]
        depth += (char == "{") - (char == "}")
        if depth == 0 or (depth == 1 and char == "," and at > start):
            parts.append(pattern[part_start:at])
            part_start = at + 1
        if depth == 0:
            return parts, at + 1
    return [], start


def _matches(pattern: str) -> Iterator[str]:
    """The existing paths that fit a glob."""
    if not _is_magic(pattern) or os.path.lexists(pattern):
        if os.path.lexists(pattern):
            yield pattern
        return
    yield from _walk("/", [segment for segment in pattern.split("/") if segment])


def _walk(folder: str, segments: Sequence[str]) -> Iterator[str]:
    if not segments:
        yield folder
        return
    head, rest = segments[0], segments[1:]
    if head == "**":
        yield from _walk(folder, rest or ["*"])
        for entry in _entries(folder, head):
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(entry.path, segments)
    elif _is_magic(head):
        fits = re.compile(fnmatch.translate(head)).match
        for entry in _entries(folder, head):
            if fits(entry.name) and (not rest or entry.is_dir()):
                yield from _walk(entry.path, rest)
    elif os.path.lexists(os.path.join(folder, head)):
        yield from _walk(os.path.join(folder, head), rest)


def _entries(folder: str, pattern: str) -> Iterator[os.DirEntry[str]]:
    """What is in a folder; of hidden entries only what the pattern starts like."""
    with readable(folder), os.scandir(folder) as entries:
        yield from [e for e in entries if e.name[0] not in "._" or e.name[0] == pattern[0]]


def _files_in(folder: str, recursive: bool) -> Iterator[str]:
    for entry in _entries(folder, "*"):
        if entry.is_file():
            yield entry.path
        elif recursive and entry.is_dir(follow_symlinks=False):
            yield from _files_in(entry.path, recursive)


def _is_magic(pattern: str) -> bool:
    return _MAGIC.search(pattern) is not None


def _nothing_found(path: str, recursive: bool) -> str:
    folder = path.rstrip("/") or "/"
    if os.path.isdir(folder):
        content = _content(folder)
        hint = " (folders below are read with recursive=true)"
        return f"there is no data in {path}, which holds {content}" + (
            hint if content != "nothing" and not recursive else ""
        )
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    found = "no file matches" if _MAGIC.search(path) or "{" in path else "there is no"
    return f"{found} {path}; {folder} holds {_content(folder)}"


def _content(folder: str) -> str:
    names = sorted(entry.name for entry in _entries(folder, "*"))
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (", ".join(names[:_SHOWN]) or "nothing") + more
