"""What `python -m ferris_beam doctor` looks at in files and folders."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence

from ferris_beam.commitlog.durable import remove_file, write_file
from ferris_beam.connectors.file.failures import explained
from ferris_beam.connectors.file.layout import Layout
from ferris_beam.errors import FerrisError
from ferris_beam.findings import Finding

_LITTLE_SPACE = 1 << 30
_LISTED = 5


# ── sources ─────────────────────────────────────────────────────────────────────────────────────


def diagnose_source(path: str, files: Callable[[], Sequence[str]]) -> Iterator[Finding]:
    """Whether there are files, and all of them can be opened; `files` lists them."""
    try:
        found = files()
    except FerrisError as error:
        yield Finding.of_error("files", error)
        return
    size = sum(map(_size, found))
    count = f"{len(found):,} file{'s'[: len(found) != 1]}"
    yield Finding("files", "ok", f"{count} in {path}, {_in_words(size)}")
    closed = [file for file in found if not os.access(file, os.R_OK)]
    if closed:
        shown = ", ".join(closed[:_LISTED]) + (" and others" if len(closed) > _LISTED else "")
        fix = f"chmod u+r {' '.join(closed[:_LISTED])}; or run as the user who owns them"
        yield Finding("rights", "problem", f"permission denied for {shown}", fix)
    else:
        yield Finding("rights", "ok", "all of them can be read")


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except OSError:  # removed meanwhile
        return 0


# ── sinks ───────────────────────────────────────────────────────────────────────────────────────


def diagnose_sink(layout: Layout) -> Iterator[Finding]:
    """Whether a folder can be written, has room, and takes the hard links of the log."""
    there = _nearest(layout.folder)
    if not os.path.isdir(there):
        fix = "choose another path, or move the file away"
        yield Finding("folder", "problem", f"{there} is a file, not a folder", fix)
        return
    if layout.file and os.path.isdir(layout.target(layout.file)):
        fix = "end the URI with '/' to write files into it"
        yield Finding("file", "problem", f"{layout.display} is a folder", fix)
        return
    if not os.access(there, os.W_OK | os.X_OK):
        fix = f"chmod u+wx {there}; or choose another place"
        yield Finding("folder", "problem", f"permission denied: {there} can't be written", fix)
        return
    new = "" if there == layout.folder else f", below which {layout.folder} is made"
    yield Finding("folder", "ok", f"{there} can be written{new}")
    yield _space(there)
    yield _links(there)


def _nearest(folder: str) -> str:
    """The folder, or what is there of the path to it."""
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    return folder


def _space(folder: str) -> Finding:
    free = shutil.disk_usage(folder).free
    seen = f"{_in_words(free)} are free"
    if free < _LITTLE_SPACE:
        fix = f"free some space on the device of {folder}, or choose another place"
        return Finding("space", "warning", seen, fix)
    return Finding("space", "ok", seen)


def _links(folder: str) -> Finding:
    """The log's entries are linked to their names (link(2)), which not every file system does."""
    probe = os.path.join(folder, f".ferris-doctor-{uuid.uuid4().hex}")
    linked = f"{probe}.link"
    try:
        with explained(folder):
            write_file(probe, b"")
            os.link(probe, linked)
    except FerrisError as error:
        return Finding.of_error("hard links", error)
    finally:
        remove_file(linked)
        remove_file(probe)
    return Finding("hard links", "ok", "the file system has what the log needs")


def _in_words(nbytes: int) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if nbytes < 1000:
            return f"{nbytes} {unit}"
        nbytes //= 1000
    return f"{nbytes:,} TB"
