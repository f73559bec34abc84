"""Stopping a run of this process, and pausing in it.

A stop advances no watermark: that would emit half windows, which ledgers then protect. Instead it
ends the runner with a `StoppedError`, as soon as sinks have committed what they hold:

* A source that never ends defers what is left, so that the bundle under way ends; the next one is
  refused.
* One that ends can't defer (FnApiRunner with several threads forgets deferred work, and would take
  the input for finished): it gives one more batch, at which sinks commit all they hold.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

from ferris_beam.errors import FerrisError

_requests: OrderedDict[str, threading.Event] = OrderedDict()
_due: OrderedDict[tuple[str, str], float] = OrderedDict()
_lock = threading.Lock()
_KEPT_RUNS = 64
_KEPT_PAUSES = 4096


class StoppedError(FerrisError):
    """The run was asked to stop, and its sinks have committed what they held."""


def request_stop(run: str) -> None:
    """Asks the sources of ``run`` in this process to stop."""
    _request_of(run).set()


def is_stopping(run: str) -> bool:
    return _request_of(run).is_set()


def refuse_if_stopping(run: str) -> None:
    """Called where a bundle starts: what bundles before it held is committed."""
    if is_stopping(run):
        raise StoppedError(f"run {run} was asked to stop; what is committed stays")


def rest(run: str, what: str, seconds: float) -> None:
    """``what`` has nothing to do for ``seconds``."""
    with _lock:
        _due[run, what] = time.monotonic() + seconds
        _due.move_to_end((run, what))
        while len(_due) > _KEPT_PAUSES:
            _due.popitem(last=False)


def wait_for_rest(run: str, what: str) -> None:
    """Waits until the rest of ``what`` is over, or the run is stopped.

    A runner that keeps to the delay with which work was deferred comes when it is over. FnApiRunner
    comes at once, and would spin.
    """
    with _lock:
        due = _due.pop((run, what), 0.0)
    left = due - time.monotonic()
    if left > 0:
        _request_of(run).wait(left)


def _request_of(run: str) -> threading.Event:
    with _lock:
        found = _requests.get(run)
        if found is None:
            while len(_requests) >= _KEPT_RUNS:
                _requests.popitem(last=False)
            found = _requests[run] = threading.Event()
        return found
