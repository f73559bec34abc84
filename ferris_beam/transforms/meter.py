"""Counting: Beam metrics for every runner, and the same figures in this process for live display.

Metrics live in the namespace ``ferris.<connector>`` and bear these names:

=====================  ==========================================================
rows_read, bytes_read  what sources delivered; bytes as they lie in the store
batches_read           chunks, one for each interval
rows_written,          what commits made visible
bytes_written
commits                commits to a sink
rows_rejected          rows that went to the dead letters (or stopped the job)
rows_dropped           rows that a schema check was told to drop
rows_late              rows that came too late for all of their windows
positions_lost         what a store had deleted before it was read, where that is allowed
masked_intervals       intervals that a sink held already
retries                attempts repeated after a transient error
read_micros,           time spent inside the reader and the writer, microseconds
write_micros
backlog_bytes,         gauges: what was left of an endless unit when it was last asked, and how
backlog_seconds        long ago it happened
rows_in, rows_out,     what a step of SQL took and gave, and its time; the role is its label
bytes_out, micros
=====================  ==========================================================
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

from apache_beam.metrics import Metrics

NAMESPACE = "ferris."

_tallies: dict[str, Counter[str]] = {}
_lock = threading.Lock()


class Meter:
    """The counters of one endpoint in one step. ``role`` tells dead letters from data."""

    def __init__(self, run: str, connector: str, role: str = "data") -> None:
        self._run = run
        self._prefix = f"{role}."
        self._namespace = f"{NAMESPACE}{connector}"
        self._counters: dict[str, Any] = {}

    def count(self, name: str, amount: int = 1) -> None:
        """Adds ``amount`` to the counter ``name``."""
        if not amount:
            return
        counter = self._counters.get(name)
        if counter is None:
            counter = Metrics.counter(self._namespace, self._prefix + name)
            self._counters[name] = counter
        counter.inc(amount)
        with _lock:
            _tallies.setdefault(self._run, Counter())[self._prefix + name] += amount

    def gauge(self, name: str, value: int) -> None:
        """Sets the gauge ``name``."""
        Metrics.gauge(self._namespace, self._prefix + name).set(value)

    def expect(self, nbytes: int) -> None:
        """Announces bytes that will be read, for a progress bar."""
        with _lock:
            _tallies.setdefault(self._run, Counter())[self._prefix + "bytes_expected"] += nbytes

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_counters": {}}


def tally(run: str) -> Counter[str]:
    """What this process counted for ``run`` so far, by ``role.name``."""
    with _lock:
        return Counter(_tallies.get(run, {}))


def forget(run: str) -> None:
    with _lock:
        _tallies.pop(run, None)
