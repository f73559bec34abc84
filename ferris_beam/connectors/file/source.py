"""One local file as a byte source, and what fails when files are read."""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from ferris_beam.errors import FatalError, SourceChangedError, TransientError

_PASSING = {errno.EAGAIN, errno.EINTR, errno.ETIMEDOUT, errno.ESTALE, errno.EBUSY}
_ADVICE = {
    errno.ENOENT: "it is not there (any more); restore it, or correct the path",
    errno.EACCES: "permission denied; let this user read it",
    errno.EPERM: "permission denied; let this user read it",
    errno.EISDIR: "it is a folder where a file was expected",
    errno.ENOTDIR: "a part of its path is a file, not a folder; correct the path",
    errno.ELOOP: "its symbolic links go round in circles; correct them",
    errno.ENAMETOOLONG: "the path is too long; correct it",
    errno.EMFILE: "too many open files; raise `ulimit -n`",
    errno.ENFILE: "the system has too many open files; raise fs.file-max",
    errno.EIO: "the device failed to read it; check the disk",
}


@contextmanager
def readable(path: str) -> Iterator[None]:
    """Raises `OSError` as `TransientError` where it may pass, else as `FatalError`."""
    try:
        yield
    except OSError as error:
        said = error.strerror or str(error)
        if error.errno in _PASSING:
            raise TransientError(f"can't read {path}: {said}") from error
        advice = _ADVICE.get(error.errno or 0, said)
        raise FatalError(f"can't read {path}: {advice}") from error


def identity_of(status: os.stat_result) -> str:
    """What tells a file from another one, or from itself before a change."""
    return f"{status.st_ino:x}-{status.st_size:x}-{status.st_mtime_ns:x}"


class LocalFile:
    """A regular file, open for reading. ``expected`` is the identity that it must have."""

    def __init__(self, path: str, expected: str | None = None) -> None:
        self._name = path
        with readable(path):
            self._file = io.FileIO(path)
            status = os.fstat(self._file.fileno())
        if not stat.S_ISREG(status.st_mode):
            self.close()
            raise FatalError(f"can't read {path}: it is no regular file")
        self.identity = identity_of(status)
        self._size = status.st_size
        self._expected = expected
        self._delivered = 0
        self.check()

    @property
    def name(self) -> str:
        return self._name

    @property
    def size(self) -> int:
        return self._size

    @property
    def size_limit(self) -> int:
        return self._size

    def read_into(self, offset: int, target: memoryview) -> int:
        filled = 0
        with readable(self._name):
            self._file.seek(offset)
            while filled < len(target):
                count = self._file.readinto(target[filled:])
                if not count:
                    break
                filled += count
        self._delivered += filled
        return filled

    def take_count(self) -> int:
        """The bytes that were read since this was asked before."""
        count, self._delivered = self._delivered, 0
        return count

    def check(self) -> None:
        """Raises `SourceChangedError` where the file is not, or no longer, the expected one."""
        with readable(self._name):
            found = identity_of(os.fstat(self._file.fileno()))
        if self._expected is not None and found != self._expected:
            raise SourceChangedError(
                f"{self._name} changed since this run began to read it: what was read and what is "
                "there now don't belong together. Start again when the file is complete, with "
                "--reset if parts of it were written already"
            )

    def close(self) -> None:
        self._file.close()
