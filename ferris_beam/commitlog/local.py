"""The documents of a log as files in a folder of the local file system."""

from __future__ import annotations

import os
import uuid

from ferris_beam.commitlog.durable import make_folder, remove_file, sync_folder, write_file


class LocalLogStore:
    """Documents are written to a temporary file of the same folder, and then linked to their name.

    `link(2)` fails where the name exists, and shows the whole file or none of it: an exclusive
    creation that a killed process leaves either undone or complete. `rename(2)` would replace, and
    `O_EXCL` alone would show half a file. Works on local file systems and NFS.

    The names are read in one system call as long as the folder holds fewer than about 800 of them
    (one buffer of 32 KiB of `getdents64`, under the folder's lock), which makes `names` a snapshot.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        try:
            return [name for name in os.listdir(self.folder) if not name.startswith(".")]
        except FileNotFoundError:
            return []

    def read(self, name: str) -> bytes | None:
        try:
            with open(self._path(name), "rb") as document:
                return document.read()
        except FileNotFoundError:
            return None

    def create_exclusive(self, name: str, data: bytes) -> bool:
        while True:
            make_folder(self.folder)
            try:
                return self._link(name, data)
            except FileNotFoundError:
                continue  # another process swept the temporary file: a new claim does

    def _link(self, name: str, data: bytes) -> bool:
        path = self._path(name)
        if os.path.lexists(path):
            return False
        temporary = self._path(f".{uuid.uuid4().hex}.tmp")
        try:
            write_file(temporary, data)
            os.link(temporary, path)
        except FileExistsError:
            return False
        finally:
            remove_file(temporary)
        sync_folder(self.folder)
        return True

    def delete(self, name: str) -> None:
        remove_file(self._path(name))

    def sweep(self) -> None:
        """Removes what killed processes left; what others are writing now, they write again."""
        try:
            names = os.listdir(self.folder)
        except FileNotFoundError:
            return
        for name in names:
            if name.startswith(".") and name.endswith(".tmp"):
                remove_file(self._path(name))

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, name)
