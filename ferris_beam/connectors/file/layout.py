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

    orders/                                 a template: orders/${year}/${month}.jsonl
    ├── 2026/11.jsonl
    └── _ferris/%24%7Byear%7D%2F…/<name>/…

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
from ferris_beam.connectors.file.template import check_template, patterns
from ferris_beam.errors import ConfigurationError
from ferris_beam.formats.registry import detect
from ferris_beam.uri import Uri

LEDGERS = "_ferris"

_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Layout:
    """The folder of a sink's data and, where it is a single file, that file's name in it; or the
    template that names folders (it ends with '/') or files below."""

    folder: str
    file: str = ""
    template: str = ""

    @classmethod
    def of(cls, uri: Uri) -> Layout:
        """Raises `ConfigurationError` where the path can't be a sink's."""
        path = uri.path
        if not path:
            raise ConfigurationError(
                f"{uri}: a file sink needs the path of a file or, ending with '/', of a folder"
            )
        absolute = os.path.abspath(path)
        if "${" in absolute:
            return cls._templated(absolute, "/" if path.endswith("/") else "")
        if path.endswith("/"):
            return cls(absolute)
        return cls(os.path.dirname(absolute), os.path.basename(absolute))

    @classmethod
    def _templated(cls, path: str, end: str) -> Layout:
        levels = path.split("/")
        first = next(at for at, level in enumerate(levels) if "${" in level)
        template = "/".join(levels[first:]) + end
        check_template(template)
        return cls("/".join(levels[:first]) or "/", "", template)

    @property
    def many_files(self) -> bool:
        """Whether a template names files, each of which grows, or appears, on its own."""
        return bool(self.template) and not self.template.endswith("/")

    @property
    def in_order(self) -> bool:
        """Whether commits add to the same file, so that they are published in their order."""
        return bool(self.file) or self.many_files

    @property
    def display(self) -> str:
        named = self.file or self.template
        return self.target(named) if named else os.path.join(self.folder, "")

    def target(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def workspace(self, identity: str) -> Workspace:
        return Workspace(os.path.join(self.ledgers, folder_name(identity)))

    @property
    def ledgers(self) -> str:
        """The folder of the workspaces of all identities."""
        below = folder_name(self.template) if self.template else self.file
        return os.path.join(self.folder, LEDGERS, below)


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


def data_files(layout: Layout) -> Iterator[str]:
    """The data in a sink's folder: files of a known format in it and in its hive folders; of a
    template, in the folders, or the files, that it can name.

    Paths are relative to the layout's folder. Hidden files and folders (``_…``, ``.…``) are no
    data, and other sub-folders are datasets of their own.
    """
    if not layout.template:
        yield from _data_files(layout.folder, "")
        return
    for path in _matching(layout.folder, "", patterns(layout.template), not layout.many_files):
        if layout.many_files:
            yield path
        else:
            yield from _data_files(layout.folder, path)


def _matching(
    folder: str, below: str, levels: list[re.Pattern[str]], folders: bool
) -> Iterator[str]:
    """The paths that a template can give, of folders or of files."""
    for entry in _entries(os.path.join(folder, below)):
        if not levels[0].fullmatch(entry.name):
            continue
        path = os.path.join(below, entry.name)
        if len(levels) > 1 and entry.is_dir():
            yield from _matching(folder, path, levels[1:], folders)
        elif len(levels) == 1 and entry.is_dir() == folders:
            yield path


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        return sorted(os.scandir(folder), key=lambda entry: entry.name)
    except FileNotFoundError:
        return []


def _data_files(folder: str, below: str) -> Iterator[str]:
    for entry in _entries(os.path.join(folder, below)):
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
