"""Where a file sink keeps what: data, ledger, staged files.

::

    out/                                    a folder (the URI ends with '/')
    ├── country=DE/part-3f9c…-00000007-0.parquet
    └── _ferris/<name>/                     one for each identity that writes here
        ├── log/00000007.entry              the commits
        └── staged/<run>.<unique>.staged    rows on their way

    reports/
    ├── out.csv                             a single file
    └── _ferris/out.csv/<name>/…

Staged files have no extension of a data format: DuckDB's ``**`` also reads hidden folders.
"""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from ferris_beam.connectors.file.source import identity_of
from ferris_beam.errors import ConfigurationError
from ferris_beam.formats.registry import detect
from ferris_beam.uri import Uri

LEDGERS = "_ferris"

_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Layout:
    """The folder of a sink's data and, where it is a single file, that file's name in it."""

    folder: str
    file: str = ""

    @classmethod
    def of(cls, uri: Uri) -> Layout:
        """Raises `ConfigurationError` where the path can't be a sink's."""
        path = uri.path
        template = re.search(r"\$\{[^}]*\}", path)
        if template or not path:
            raise ConfigurationError(
                f"{uri}: a file sink needs the path of a file or, ending with '/', of a folder"
                + (f"; {template[0]} in it has no value" if template else "")
            )
        absolute = os.path.abspath(path)
        if path.endswith("/"):
            return cls(absolute)
        return cls(os.path.dirname(absolute), os.path.basename(absolute))

    @property
    def display(self) -> str:
        return self.target(self.file) if self.file else os.path.join(self.folder, "")

    def target(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def workspace(self, identity: str) -> Workspace:
        parts = [self.file, folder_name(identity)] if self.file else [folder_name(identity)]
        return Workspace(os.path.join(self.folder, LEDGERS, *parts))


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folder of one identity's ledger and staged files."""

    folder: str

    @property
    def log(self) -> str:
        return os.path.join(self.folder, "log")

    @property
    def staging(self) -> str:
        return os.path.join(self.folder, "staged")

    def staged(self, name: str) -> str:
        return os.path.join(self.staging, name)

    def new_staged_name(self, run: str) -> str:
        return f"{folder_name(run)}.{uuid.uuid4().hex}.staged"

    def staged_names(self) -> list[str]:
        try:
            return os.listdir(self.staging)
        except FileNotFoundError:
            return []


def run_of(staged_name: str) -> str:
    """The `folder_name` of the run that staged a file."""
    return staged_name.rsplit(".", 2)[0]


def folder_name(text: str) -> str:
    """``text`` as a file name that is its own; short names stay readable."""
    name = quote(text, safe=" +,=@")
    if name.startswith("."):
        name = "%2E" + name[1:]
    if len(name) > _LONGEST_NAME:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        name = f"{name[:_LONGEST_NAME]}~{digest[:16]}"
    return name


def part_name(origin: str, number: int, index: int, extension: str) -> str:
    """The name of a data file: unique, and in the order of the commits.

    ``origin`` is the claim that started the generation, ``number`` the commit's in the log.
    """
    return f"part-{origin[:12]}-{number:08d}-{index}{extension}"


def is_part_of(origin: str, path: str) -> bool:
    """Whether a data file was written since the claim ``origin``."""
    return os.path.basename(path).startswith(f"part-{origin[:12]}-")


def data_files(folder: str) -> Iterator[str]:
    """The data in a sink's folder: files of a known format in it and in its hive folders.

    Paths are relative to ``folder``. Hidden files and folders (``_…``, ``.…``) are no data, and
    other sub-folders are datasets of their own.
    """
    yield from _data_files(folder, "")


def _data_files(folder: str, below: str) -> Iterator[str]:
    try:
        found = sorted(os.scandir(os.path.join(folder, below)), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    for entry in found:
        path = os.path.join(below, entry.name)
        if entry.name.startswith(("_", ".")):
            continue
        if entry.is_dir(follow_symlinks=False):
            if "=" in entry.name:
                yield from _data_files(folder, path)
        elif _is_data(entry.name):
            yield path


def _is_data(name: str) -> bool:
    try:
        detect(name)
    except ConfigurationError:
        return False
    return True


def fingerprint(path: str) -> str:
    """What tells a file from a later one of the same name; empty where there is none."""
    try:
        return identity_of(os.stat(path))
    except FileNotFoundError:
        return ""
