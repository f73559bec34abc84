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
from ferris_beam.formats.compression import codec_of_name
from ferris_beam.formats.registry import format_of_name

_MAGIC = re.compile(r"[*?\[]")
_SHOWN = 8


def list_files(path: str, recursive: bool = False) -> list[str]:
    """The files of an absolute path, sorted. Raises `FatalError` where there are none, or one is
    meant that can't be read."""
    if os.path.isfile(path) and not path.endswith("/"):
        return [_readable(path)]
    if os.path.lexists(path) and not os.path.isdir(path):
        raise _no_file(path)
    found: set[str] = set()
    for pattern in [path] if os.path.isdir(path) else expand_braces(path):
        for match in _matches(pattern):
            if not os.path.isdir(match):
                found.add(_readable(match))
            elif recursive or not _is_magic(pattern) or pattern.endswith("/"):
                found.update(_files_in(match, recursive))
            elif format_of_name(codec_of_name(pattern)[1]) is not None:
                raise FatalError(
                    f"{match} is a folder with the name of a file: to read the files in it, end "
                    "the path with '/' or set recursive=true; else choose a narrower glob"
                )
    if not found:
        raise FatalError(_nothing_found(path, recursive))
    return sorted(found)


def would_list(path: str, recursive: bool, file: str) -> bool:
    """Whether `list_files` of an absolute path would find ``file``, were it there."""
    folder = os.path.realpath(os.path.dirname(file))
    real = os.path.join(folder, os.path.basename(file))
    return any(
        _would_find(pattern, recursive, candidate)
        for pattern in ([path] if os.path.lexists(path) else expand_braces(path))
        for candidate in {file, real}
    )


def _would_find(pattern: str, recursive: bool, file: str) -> bool:
    if not _is_magic(pattern) or os.path.lexists(pattern):
        top = os.path.realpath(pattern)
        if os.path.realpath(file) == top:
            return not pattern.endswith("/")
        return _is_below(top, file, recursive)
    if _fits(pattern.rstrip("/"), file):
        return True
    folders = [file[:at] for at, char in enumerate(file) if char == "/" and at]
    if not (recursive or pattern.endswith("/")):
        return False
    return any(
        _is_below(folder, file, recursive)
        for folder in folders
        if _fits(pattern.rstrip("/"), folder)
    )


def _is_below(folder: str, file: str, recursive: bool) -> bool:
    """Whether a file is in a folder, or with ``recursive`` below, and not hidden there."""
    if not file.startswith(folder.rstrip("/") + "/"):
        return False
    names = file[len(folder.rstrip("/")) + 1 :].split("/")
    return (recursive or len(names) == 1) and not any(name[0] in "._" for name in names)


def _fits(pattern: str, path: str) -> bool:
    """Whether a glob fits a path, name by name."""
    return _names_fit(pattern.split("/")[1:], path.split("/")[1:])


def _names_fit(patterns: Sequence[str], names: Sequence[str]) -> bool:
    if not patterns or not names:
        return not patterns and not names
    head, *rest = patterns
    hidden = names[0][0] in "._" and names[0][0] != head[0]
    if head == "**":
        if not hidden and len(names) > 1 and _names_fit(patterns, names[1:]):
            return True
        return _names_fit(rest or ["*"], names)
    if _is_magic(head) and (hidden or not fnmatch.fnmatchcase(names[0], head)):
        return False
    if not _is_magic(head) and head != names[0]:
        return False
    return _names_fit(rest, names[1:])


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
        if not entry.is_dir():
            yield _readable(entry.path)
        elif recursive and not entry.is_symlink():
            yield from _files_in(entry.path, recursive)


def _readable(path: str) -> str:
    """``path``, if it is a regular file with a name that can be told to others."""
    if not os.path.isfile(path):
        raise _no_file(path)
    if not path.isascii() and any("\ud800" <= char <= "\udfff" for char in path):
        raise FatalError(f"can't read {os.fsencode(path)!r}: its name is not UTF-8; rename it")
    return path


def _no_file(path: str) -> FatalError:
    if os.path.islink(path) and not os.path.exists(path):
        return FatalError(
            f"can't read {path}: it is a link to {os.readlink(path)}, which is not there; restore "
            "that, or remove the link"
        )
    return FatalError(
        f"can't read {path}: it is no regular file; write what it gives into one, or choose files "
        "by a narrower path"
    )


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
