"""Errors of the operating system in the words of a person, with what to do."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from ferris_beam.errors import FatalError, FerrisError, SchemaError, TransientError

_ADVICE = {
    errno.ENOSPC: "no space is left on the device; free some, then start again: it goes on where "
    "it stopped",
    errno.EDQUOT: "the disk quota is used up; free some space, then start again: it goes on where "
    "it stopped",
    errno.EFBIG: "the file would be larger than the file system or `ulimit -f` allows; raise the "
    "limit, or write to a folder",
    errno.EACCES: "permission denied; let this user write there, or choose another place",
    errno.EPERM: "the file system does not permit it (the log needs hard links); choose another "
    "place",
    errno.ENOTSUP: "the file system can't do it (the log needs hard links); choose another place",
    errno.EROFS: "the file system is read-only; choose another place",
    errno.ENOTDIR: "a part of the path is a file, not a folder; choose another path or move it "
    "away",
    errno.EISDIR: "it is a folder; end the URI with '/' to write files into it",
    errno.EEXIST: "something is in the way; choose another path or move it away",
    errno.ENAMETOOLONG: "the name is too long for the file system; choose a shorter one",
    errno.EMFILE: "too many open files; raise `ulimit -n`",
    errno.ENFILE: "the system has too many open files; raise fs.file-max",
    errno.EXDEV: "the ledger's folder is on another device than the data; mount them as one",
}
_PASSING = {errno.EAGAIN, errno.EINTR, errno.ETIMEDOUT, errno.ESTALE, errno.EBUSY}


@contextmanager
def explained(place: str) -> Iterator[None]:
    """Raises `OSError` as `TransientError` where it may pass, else as `FatalError`; and what Arrow
    can't encode as `SchemaError`."""
    try:
        yield
    except FerrisError:
        raise
    except OSError as error:
        raise _explained(place, error) from error
    except pa.ArrowException as error:
        raise SchemaError(
            f"can't write {place}: the format can't hold these rows ({error}); cast or drop the "
            "column before"
        ) from error


def _explained(place: str, error: OSError) -> FatalError | TransientError:
    where = error.filename if isinstance(error.filename, str) else place
    said = error.strerror or str(error)
    if error.errno in _PASSING:
        return TransientError(f"can't write {where}: {said}")
    advice = _ADVICE.get(error.errno or 0, f"{said}; correct that, then start again")
    note = "" if where.startswith(place) else f" (for {place})"
    return FatalError(f"can't write {where}{note}: {advice}")
