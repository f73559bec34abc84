"""Live progress on standard error while a pipeline runs in this process.

On a terminal a bar and the counts; elsewhere one plain line every few seconds. The figures are
those that the engine counts in this process; it never waits for them, and what goes wrong while
they are shown never reaches the run.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TextIO

from ferris_beam.monitoring.figures import human_count, human_number, human_seconds, human_size

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.1
PLAIN_SECONDS = 5.0
"""How often a line is written where there is no terminal."""

_RATE_SECONDS = 5.0


class Progress:
    """Shows how far the run ``run`` is, from ``with`` to the end of the block::

        with Progress(run):
            pipeline.run().wait_until_finish()

    ``quiet`` shows nothing. ``stream`` is standard error unless given.
    """

    def __init__(self, run: str, *, quiet: bool = False, stream: TextIO | None = None) -> None:
        self._run = run
        self._quiet = quiet
        self._stream = stream
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Progress:
        if not self._quiet:
            self._thread = threading.Thread(target=self._watch, name="progress", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        try:
            view = view_for(self._stream or sys.stderr)
            try:
                self._poll(view)
            finally:
                view.stop()
        except Exception:
            logger.debug("progress can't be shown any longer", exc_info=True)

    def _poll(self, view: View) -> None:
        from ferris_beam.transforms.meter import tally

        rate = RecentRate()
        began = time.monotonic()
        while True:
            ended = self._ended.wait(POLL_SECONDS)
            now = time.monotonic()
            counted = tally(self._run)
            view.show(Snapshot.of(counted, now - began, rate.at(now, counted["data.rows_read"])))
            if ended:
                return


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The figures of one moment. ``bytes_expected`` is 0 where nobody can tell."""

    rows_read: int = 0
    rows_written: int = 0
    rows_rejected: int = 0
    bytes_read: int = 0
    bytes_expected: int = 0
    seconds: float = 0.0
    rows_per_second: float = 0.0

    @classmethod
    def of(cls, counted: Mapping[str, int], seconds: float, rows_per_second: float) -> Snapshot:
        """From what `ferris_beam.transforms.meter.tally` counted."""
        return cls(
            counted.get("data.rows_read", 0),
            counted.get("data.rows_written", 0),
            counted.get("data.rows_rejected", 0),
            counted.get("data.bytes_read", 0),
            counted.get("data.bytes_expected", 0),
            seconds,
            rows_per_second,
        )

    @property
    def share(self) -> float | None:
        """How much was read, from 0 to 1; None where nobody can tell."""
        if not self.bytes_expected:
            return None
        return min(self.bytes_read / self.bytes_expected, 1.0)

    def rows_line(self) -> str:
        """``122,880 rows read · 98,304 written · 12 rejected · 2.40 M rows/s``."""
        parts = [f"{human_count(self.rows_read)} rows read"]
        parts.append(f"{human_count(self.rows_written)} written")
        if self.rows_rejected:
            parts.append(f"{human_count(self.rows_rejected)} rejected")
        parts.append(f"{human_number(self.rows_per_second)} rows/s")
        return " · ".join(parts)

    def bytes_line(self) -> str:
        """``61 % of 27.1 MB``; what was read where the whole isn't known."""
        if self.share is None:
            return human_size(self.bytes_read)
        return f"{int(self.share * 100)} % of {human_size(self.bytes_expected)}"


class RecentRate:
    """Rows per second over the last few seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def at(self, now: float, rows: int) -> float:
        """The rate, now that ``rows`` were counted in all."""
        self._seen.append((now, rows))
        while self._seen[0][0] < now - _RATE_SECONDS:
            self._seen.popleft()
        since, before = self._seen[0]
        return (rows - before) / (now - since) if now > since else 0.0


class View(ABC):
    """A way to show snapshots."""

    @abstractmethod
    def show(self, snapshot: Snapshot) -> None:
        """Shows the latest snapshot; called about ten times a second."""

    @abstractmethod
    def stop(self) -> None:
        """Leaves the stream as others expect it."""


def view_for(stream: TextIO) -> View:
    """A bar on a terminal that can move its cursor, plain lines elsewhere."""
    if not stream.isatty() or os.environ.get("TERM") in ("dumb", "unknown"):
        return PlainView(stream)
    from ferris_beam.monitoring.progress_bar import TerminalView

    return TerminalView(stream)


class PlainView(View):
    """One line every `PLAIN_SECONDS`; a run that is shorter shows none."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._due = PLAIN_SECONDS

    def show(self, snapshot: Snapshot) -> None:
        if snapshot.seconds < self._due:
            return
        self._due = snapshot.seconds + PLAIN_SECONDS
        line = f"{snapshot.rows_line()} · {snapshot.bytes_line()}"
        print(f"{line} · {human_seconds(snapshot.seconds)}", file=self._stream, flush=True)

    def stop(self) -> None:
        """Nothing to tidy up."""
