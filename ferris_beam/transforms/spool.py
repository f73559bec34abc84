"""Batches that wait for the end of a shuffle, where all workers are threads of one process.

The runner would keep them in memory, whatever their size. Here it gets a reference of a few bytes;
the batch waits in memory up to a limit for each run, and beyond it in a file without a name, which
is gone when the process is, however it ends.
"""

from __future__ import annotations

import os
import tempfile
import threading
from dataclasses import dataclass, field
from typing import IO

import pyarrow as pa

from ferris_beam.batches import from_ipc, to_ipc
from ferris_beam.errors import FatalError
from ferris_beam.transforms.operator import failure_of

_REFERENCE = pa.schema(
    [("spool: in file", pa.bool_()), ("place", pa.int64()), ("length", pa.int64())]
)


@dataclass
class Spool:
    """The waiting batches of one stage. Threads share it."""

    budget: Budget
    _held: dict[int, bytes] = field(default_factory=dict)
    _file: IO[bytes] | None = None
    _end: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    done: set[int] = field(default_factory=set)
    """The partitions that were completed."""

    def put(self, records: pa.RecordBatch) -> pa.RecordBatch:
        """Keeps ``records``; returns the reference by which `get` finds them."""
        data = to_ipc(records)
        if self.budget.take(len(data)):
            with self._lock:
                place = len(self._held)
                self._held[place] = data
            return _reference(False, place, len(data))
        return _reference(True, self._written(data), len(data))

    def get(self, reference: pa.RecordBatch) -> pa.RecordBatch:
        """The rows of `put`; they can be got any number of times."""
        in_file, place, length = (column[0].as_py() for column in reference.columns)
        if not in_file:
            return from_ipc(self._held[place])
        assert self._file is not None
        return from_ipc(os.pread(self._file.fileno(), length, place))

    def close(self) -> None:
        with self._lock:
            self.budget.give_back(sum(map(len, self._held.values())))
            self._held.clear()
            if self._file is not None:
                self._file.close()
                self._file = None

    def _written(self, data: bytes) -> int:
        with self._lock:
            try:
                if self._file is None:
                    self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the spool)
                place, self._end = self._end, self._end + len(data)
                self._write_at(self._file.fileno(), data, place)
            except OSError as error:
                raise FatalError(
                    f"rows that wait for a join or an aggregate don't fit into "
                    f"{tempfile.gettempdir()}: {error.strerror}; set TMPDIR to a folder with more "
                    "room, or --state_memory to more megabytes"
                ) from error
        return place

    @staticmethod
    def _write_at(file: int, data: bytes, place: int) -> None:
        rest = memoryview(data)
        while rest:
            written = os.pwrite(file, rest, place)
            rest, place = rest[written:], place + written


@dataclass
class Budget:
    """The memory that the spools of one run may take together, in bytes."""

    limit: int
    used: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, nbytes: int) -> bool:
        with self.lock:
            if self.used + nbytes > self.limit:
                return False
            self.used += nbytes
            return True

    def give_back(self, nbytes: int) -> None:
        with self.lock:
            self.used -= nbytes


def is_reference(records: pa.RecordBatch) -> bool:
    return bool(records.schema.equals(_REFERENCE))


def _reference(in_file: bool, place: int, length: int) -> pa.RecordBatch:
    return pa.record_batch([[in_file], [place], [length]], schema=_REFERENCE)


_spools: dict[tuple[str, str], Spool] = {}
_budgets: dict[str, Budget] = {}
_lock = threading.Lock()


def spool_of(run: str, stage: str, limit: int) -> Spool:
    """The spool of a stage in this process; made when it is first asked for."""
    with _lock:
        found = _spools.get((run, stage))
        if found is None:
            _drop_failed()
            budget = _budgets.setdefault(run, Budget(limit))
            found = _spools[run, stage] = Spool(budget)
        return found


def partition_done(run: str, stage: str, partition: int, partitions: int) -> None:
    """Notes that a partition was completed; with the last one the spool is gone."""
    with _lock:
        spool = _spools.get((run, stage))
        if spool is None:
            return
        spool.done.add(partition)
        if len(spool.done) == partitions:
            _drop((run, stage))


def _drop_failed() -> None:
    for key in [key for key in _spools if failure_of(key[0]) is not None]:
        _drop(key)


def _drop(key: tuple[str, str]) -> None:
    _spools.pop(key).close()
    if not any(run == key[0] for run, _ in _spools):
        _budgets.pop(key[0], None)
