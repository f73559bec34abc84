"""Processes that die at a chosen change of the file system, and disks that lose their power."""

from __future__ import annotations

import builtins
import os
import random
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

CHANGES = ("open", "rename", "link", "unlink", "fsync", "mkdir", "pwrite", "write")
_REAL = {name: getattr(os, name) for name in CHANGES}
_REAL_OPEN = builtins.open


class Killed(BaseException):
    """What a process that is no more would not see."""


class Mortal:
    """Counts changes of the file system and dies before the one of number ``last``.

    From then on nothing can be changed any more, so that ``finally`` blocks, which a killed process
    does not run, have no effect either. Of a write that it dies in, half is done. Calls of `fsync`
    are only counted: a killed process loses nothing of what the kernel has.
    """

    def __init__(self, last: int | None = None) -> None:
        self.count = 0
        self.last = last

    @property
    def dead(self) -> bool:
        return self.last is not None and self.count > self.last

    @contextmanager
    def living(self) -> Iterator[None]:
        """Within, changes are counted; returns normally also when it died."""
        for name in CHANGES:
            setattr(os, name, getattr(self, name))
        builtins.open = self.open_file
        try:
            with suppress(Killed):
                yield
        finally:
            builtins.open = _REAL_OPEN
            for name, real in _REAL.items():
                setattr(os, name, real)

    def step(self) -> None:
        if not self.dead:
            self.count += 1
        if self.dead:
            raise Killed

    def open(self, path: str, flags: int, *arguments: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            self.step()
        return int(_REAL["open"](path, flags, *arguments))

    def open_file(self, path: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        if set(mode) & set("wxa+"):
            self.step()
        return _REAL_OPEN(path, mode, *arguments, **options)

    def rename(self, source: str, target: str) -> None:
        self.step()
        _REAL["rename"](source, target)

    def link(self, source: str, target: str) -> None:
        self.step()
        _REAL["link"](source, target)

    def unlink(self, path: str) -> None:
        self.step()
        _REAL["unlink"](path)

    def mkdir(self, path: str) -> None:
        self.step()
        _REAL["mkdir"](path)

    def fsync(self, descriptor: int) -> None:
        self.step()

    def write(self, descriptor: int, data: Any) -> int:
        return int(self._write("write", descriptor, data))

    def pwrite(self, descriptor: int, data: Any, offset: int) -> int:
        return int(self._write("pwrite", descriptor, data, offset))

    def _write(self, name: str, descriptor: int, data: Any, *place: int) -> Any:
        was_dead = self.dead
        try:
            self.step()
        except Killed:
            if not was_dead:
                _REAL[name](descriptor, bytes(data)[: len(data) // 2], *place)
            raise
        return _REAL[name](descriptor, data, *place)


@dataclass
class Change:
    """A change of names in a folder, or of a file's content, that is not durable yet."""

    place: str
    undo: Callable[[], None]


@dataclass
class Disk(Mortal):
    """Dies like `Mortal`; `cut` then also takes what was not made durable.

    Of the changes of each folder and each file since its last `fsync`, some of the latest are
    undone. A rename is durable with its target's folder, as nothing more is promised by POSIX.
    """

    graveyard: str
    last: int | None = None
    count: int = 0
    changes: list[Change] = field(default_factory=list)
    kept_open: list[int] = field(default_factory=list)

    def cut(self, chance: random.Random) -> None:
        lost: dict[str, int] = {}
        for place in {change.place for change in self.changes}:
            pending = sum(change.place == place for change in self.changes)
            lost[place] = chance.randint(0, pending)
        for change in reversed(self.changes):
            if lost[change.place]:
                lost[change.place] -= 1
                change.undo()
        while self.kept_open:
            os.close(self.kept_open.pop())

    # ── what is changed, and how it would be undone ─────────────────────────────────────────

    def open(self, path: str, flags: int, *arguments: Any) -> int:
        new = bool(flags & os.O_CREAT) and not os.path.lexists(path)
        descriptor = super().open(path, flags, *arguments)
        if new:
            self._created(path)
        return descriptor

    def open_file(self, path: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        file = super().open_file(path, mode, *arguments, **options)
        if "x" in mode:
            self._created(path)
            self._emptied(path)
        return file

    def rename(self, source: str, target: str) -> None:
        replaced = self._buried(target)
        super().rename(source, target)

        def undo() -> None:
            _REAL["rename"](target, source)
            if replaced:
                _REAL["link"](replaced, target)

        self._changed(os.path.dirname(target), undo)

    def link(self, source: str, target: str) -> None:
        super().link(source, target)
        self._changed(os.path.dirname(target), lambda: _REAL["unlink"](target))

    def unlink(self, path: str) -> None:
        buried = self._buried(path)
        super().unlink(path)
        if buried:
            self._changed(os.path.dirname(path), lambda: _REAL["link"](buried, path))

    def mkdir(self, path: str) -> None:
        super().mkdir(path)
        self._changed(os.path.dirname(path), lambda: shutil.rmtree(path))

    def write(self, descriptor: int, data: Any) -> int:
        self._emptied(_path_of(descriptor))
        return super().write(descriptor, data)

    def pwrite(self, descriptor: int, data: Any, offset: int) -> int:
        path, size = _path_of(descriptor), os.fstat(descriptor).st_size
        with _REAL_OPEN(path, "rb") as file:
            file.seek(offset)
            before = file.read(len(data))

        def undo() -> None:
            with _REAL_OPEN(path, "r+b") as file:
                file.seek(offset)
                file.write(before)
                file.truncate(size)

        self._changed(_file(descriptor), undo)
        return super().pwrite(descriptor, data, offset)

    def fsync(self, descriptor: int) -> None:
        super().fsync(descriptor)
        folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        place = _path_of(descriptor) if folder else _file(descriptor)
        self.changes = [change for change in self.changes if change.place != place]

    def _created(self, path: str) -> None:
        def undo() -> None:
            with suppress(FileNotFoundError):  # renamed since, durably
                _REAL["unlink"](path)

        self._changed(os.path.dirname(path), undo)

    def _emptied(self, path: str) -> None:
        """The content of a new file is lost, under whatever name it has by then."""
        descriptor = _REAL["open"](path, os.O_RDWR)
        self.kept_open.append(descriptor)
        self._changed(_file(descriptor), lambda: os.ftruncate(descriptor, 0))

    def _buried(self, path: str) -> str:
        """Another name that keeps a file which is about to lose its own."""
        if not os.path.lexists(path):
            return ""
        buried = os.path.join(self.graveyard, f"{self.count}-{len(os.listdir(self.graveyard))}")
        _REAL["link"](path, buried)
        return buried

    def _changed(self, place: str, undo: Callable[[], None]) -> None:
        self.changes.append(Change(place, undo))


def _path_of(descriptor: int) -> str:
    return os.readlink(f"/proc/self/fd/{descriptor}")


def _file(descriptor: int) -> str:
    return f"inode {os.fstat(descriptor).st_ino}"
