"""Beam's in-process workers print and log each failure's traceback, sometimes several times.

While a pipeline runs in this process these are held back: the first failure itself is raised by
the launcher, and shown once. Whoever sets a level for the logger ``apache_beam`` gets all logs.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import Any, TextIO

_TRACEBACK = "Traceback (most recent call last):"
_WORKER = "apache_beam/runners/worker/sdk_worker.py"


@contextmanager
def worker_tracebacks_held_back() -> Iterator[None]:
    """Keeps the tracebacks of Beam's workers off standard error, and its error logs too."""
    logger = logging.getLogger("apache_beam")
    level = logger.level
    if level != logging.NOTSET:
        yield
        return
    logger.setLevel(logging.CRITICAL)
    try:
        with redirect_stderr(_WithoutTracebacks(sys.stderr)):
            yield
    finally:
        logger.setLevel(level)


class _WithoutTracebacks:
    """A stream that drops the tracebacks of Beam's workers, and the line end printed after one."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._dropped = False

    def write(self, text: str) -> int:
        dropped, self._dropped = self._dropped, False
        if text.startswith(_TRACEBACK) and _WORKER in text:
            self._dropped = True
            return len(text)
        if dropped and text == "\n":
            return 1
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
