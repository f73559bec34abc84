"""Beam's in-process workers print and log each failure's traceback, sometimes several times.

While a pipeline runs in this process these are held back: the first failure itself is raised by
the launcher, and shown once. A bundle of another thread may fail a moment later: the end of a
failed run waits a moment for those that are at work. Whoever sets a level for the logger
``apache_beam`` gets all logs, as does ``--verbose``.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from types import FrameType
from typing import Any, TextIO

_TRACEBACK = "Traceback (most recent call last):"
_WORKER = "apache_beam/runners/worker/"
_JOB_SERVER = "portable_runner.py"
_MOMENT = 1.0
"""Seconds that bundles have to fail in, once a run has failed."""


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
            try:
                yield
            except Exception:
                _wait_for_bundles(_MOMENT)
                raise
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


def _wait_for_bundles(seconds: float) -> None:
    """Until no thread of this process is at work for Beam, or so many seconds are over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and any(map(_is_at_work, sys._current_frames().values())):
        time.sleep(0.01)


def _is_at_work(frame: FrameType | None) -> bool:
    """Whether an instruction of Beam's runner is being executed: what fails there is printed."""
    while frame is not None:
        if frame.f_code.co_name == "_execute" and _WORKER in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False


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
