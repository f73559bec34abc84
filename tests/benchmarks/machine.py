"""The machine that the figures are from, and how much of it there was."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import threading
import time
from typing import Any

_PACKAGES = ("apache-beam", "pyarrow", "duckdb", "polars", "isal", "arro3-io")
_BLOCK = bytes(1 << 20)
_BLOCKS = 256


def description() -> dict[str, Any]:
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "cores": os.cpu_count(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "packages": versions,
        "speedup_of_two_threads": round(speedup_of_two_threads(), 2),
    }


def speedup_of_two_threads() -> float:
    """How much more two threads get done than one, at work that needs only the processor (SHA-256
    without the interpreter's lock): 2 where two cores are free, 1 where somebody else runs on one
    of them. Below about 1.7 the figures for two threads say more of the machine than of us."""
    return 2 * _seconds(1) / _seconds(2)


def _seconds(threads: int) -> float:
    workers = [threading.Thread(target=_hash) for _ in range(threads)]
    began = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return time.perf_counter() - began


def _hash() -> None:
    for _ in range(_BLOCKS):
        hashlib.sha256(_BLOCK).digest()
