"""Beam's in-process workers print and log each failure's traceback, sometimes several times.

While a pipeline runs in this process these are held back: the first failure itself is raised by
the launcher, and shown once. Whoever sets a level for the logger ``apache_beam`` gets all logs, as
does ``--verbose``.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from typing import Any, TextIO

_TRACEBACK = "Traceback (most recent call last):"
_WORKER = "apache_beam/runners/worker/"
_JOB_SERVER = "portable_runner.py"


@contextmanager
def worker_tracebacks_held_back() -> Iterator[None]:
    """Keeps the tracebacks of Beam's workers off standard error, and its error logs too."""
    logger = logging.getLogger("apache_beam")
    level = logger.level
    if level != logging.NOTSET:
        yield
        return
    logger.setLevel(logging.CRITICAL)
    root = logging.getLogger()
    handlers = list(root.handlers)
    root.addFilter(_is_of_no_job_server)
    hook = threading.excepthook
    threading.excepthook = _without_lost_connections(hook)
    try:
        with redirect_stderr(_WithoutTracebacks(sys.stderr)):
            yield
    finally:
        logger.setLevel(level)
        root.removeFilter(_is_of_no_job_server)
        threading.excepthook = hook
        root.handlers[:] = handlers  # the first message of a job server gives it one


@contextmanager
def all_logs_shown() -> Iterator[None]:
    """What Beam and its job servers log is on standard error, from INFO on."""
    logger = logging.getLogger("apache_beam")
    level, handler = logger.level, logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def _without_lost_connections(hook: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Threads of workers fail when their job server ends, which is no news."""

    def told(failure: Any) -> None:
        if not type(failure.exc_value).__module__.startswith("grpc."):
            hook(failure)

    return told


def _is_of_no_job_server(record: logging.LogRecord) -> bool:
    """Beam logs what job servers say with the root logger, whole tracebacks among it."""
    return record.filename != _JOB_SERVER


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
