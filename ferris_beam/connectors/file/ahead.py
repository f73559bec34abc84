"""Reading ahead: a thread makes the next chunks while the pipeline works on the last one.

A unit that can't be divided is read, parsed, changed and written by one thread of the pipeline.
Decompressing and parsing release Python's lock, and so does writing: on a second core they go on
at the same time.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from threading import Condition, Thread
from typing import Generic, TypeVar

import pyarrow as pa

Item = TypeVar("Item")

AHEAD = 2
"""Chunks that are ready and not yet asked for: some MB of memory."""


def has_cores() -> bool:
    """Whether a second thread may help: there is a core for it, and Arrow may use more than one
    (`pyarrow.set_cpu_count`, OMP_NUM_THREADS)."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (usable or 1) > 1 and pa.cpu_count() > 1


class Ahead(Generic[Item]):
    """An iterator over the items of another one, which a thread of its own runs ahead.

    An error of the other iterator is raised where its next item was due. `close` ends the thread,
    and waits for the item that it is at.
    """

    def __init__(self, items: Iterator[Item]) -> None:
        self._items = items
        self._changed = Condition()
        self._ready: deque[Item] = deque()
        self._ended = self._stopped = False
        self._error: BaseException | None = None
        self._process = os.getpid()
        self._thread = Thread(target=self._run, name="ferris-read-ahead", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        if os.getpid() != self._process:
            raise RuntimeError("this process was forked off one that reads ahead: open it again")
        with self._changed:
            while not self._ready and not self._ended:
                self._changed.wait()
            if self._ready:
                self._changed.notify_all()
                return self._ready.popleft()
        if self._error is not None:
            raise self._error
        raise StopIteration

    def close(self) -> None:
        if os.getpid() != self._process:
            return  # the thread, and maybe the lock that it holds, is another process's
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            while self._is_wanted():
                item = next(self._items)
                with self._changed:
                    self._ready.append(item)
                    self._changed.notify_all()
        except StopIteration:
            pass
        except BaseException as raised:
            error = raised
        with self._changed:
            self._error, self._ended = error, True
            self._changed.notify_all()

    def _is_wanted(self) -> bool:
        """Waits until there is room for another item; False when nobody wants more."""
        with self._changed:
            while len(self._ready) >= AHEAD and not self._stopped:
                self._changed.wait()
            return not self._stopped
