"""A folder for servers' binaries, kept from run to run outside the repository."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path


def folder() -> Path:
    """A folder of ours that every account can read: servers don't run as root, and a home folder
    is closed to others. Its parent is open to all, so it must be ours and no link."""
    made = Path("/var/tmp" if os.path.isdir("/var/tmp") else tempfile.gettempdir())
    made /= f"ferris-beam-services-{os.getuid()}"
    made.mkdir(mode=0o755, exist_ok=True)
    found = made.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise PermissionError(f"{made} is not a folder that only this account writes: remove it")
    return made


def once(name: str, make: Callable[[Path], None]) -> Path:
    """The folder ``name``, filled by ``make`` the first time, by one process at a time."""
    done = folder() / name
    with open(folder() / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            partial = folder() / f"{name}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            make(partial)
            os.replace(partial, done)
    return done
