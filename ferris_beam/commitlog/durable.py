"""Files that are still there after a power failure.

A file's content is durable after `fsync` of the file, its name after `fsync` of the folder
(POSIX.1-2017, fsync; https://lwn.net/Articles/457667/).
"""

from __future__ import annotations

import os
from contextlib import suppress


def write_file(path: str, data: bytes) -> None:
    """Creates ``path`` with ``data``; the name becomes durable with its folder."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_file(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: str) -> None:
    """Makes the names in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(path: str) -> None:
    """Creates a folder with all above it, durably; it may exist."""
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path) or "."
    if parent != path:
        make_folder(parent)
    try:
        os.mkdir(path)
    except FileExistsError:
        if not os.path.isdir(path):
            raise NotADirectoryError(20, "a file is in the way", path) from None
    sync_folder(parent)


def remove_file(path: str) -> None:
    """Removes a file; it may be gone already."""
    with suppress(FileNotFoundError):
        os.unlink(path)
