"""What the faulty connector holds in this process: tables, gates, and what was done."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from ferris_beam.errors import ConfigurationError, FatalError
from ferris_beam.ledger import LedgerState
from ferris_beam.uri import Uri

SCHEMA = pa.schema([("unit", pa.string()), ("x", pa.int64())])
_PATIENCE = 120.0


@dataclass
class Table:
    """What a sink holds, with the ledgers of those who write it, and what went wrong there."""

    batches: list[pa.RecordBatch] = field(default_factory=list)
    ledgers: dict[str, LedgerState] = field(default_factory=dict)
    waiting: dict[str, list[pa.RecordBatch]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock)
    failures: int = 0
    lost: int = 0
    rollbacks: int = 0

    def rows(self) -> list[dict[str, object]]:
        return [row for batch in self.batches for row in batch.to_pylist()]


class Gate:
    """Where reads or commits wait until a test lets them go on: slowness without a clock."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._open = threading.Event()

    def wait_until_reached(self, seconds: float = _PATIENCE) -> None:
        """Returns when somebody waits at the gate; raises `TimeoutError` where nobody comes."""
        if not self._reached.wait(seconds):
            raise TimeoutError("nobody came to the gate")

    def open(self) -> None:
        """Lets everybody pass, also those who come later."""
        self._open.set()

    def pass_through(self) -> None:
        self._reached.set()
        if not self._open.wait(_PATIENCE):
            raise FatalError("the test did not open the gate")


OPENED: list[str] = []
"""The resolved password of each reader and writer that was opened."""

READ: dict[str, list[int]] = defaultdict(list)
"""The cells that were read of each unit, in this order."""

FAILED_READS: dict[str, int] = defaultdict(int)
"""How many reads of each source failed for a while."""

TABLES: dict[str, Table] = defaultdict(Table)
"""What each sink holds, by the name in its URI."""

GATES: dict[str, Gate] = defaultdict(Gate)
"""The gates of ``hold_at``, by the name in the URI of the source or sink."""


def clear() -> None:
    """Forgets everything."""
    for held in (OPENED, READ, FAILED_READS, TABLES, GATES):
        held.clear()


def name_of(uri: Uri) -> str:
    """The name in ``faulty://name``; raises `ConfigurationError` where there is none."""
    if not uri.hosts:
        raise ConfigurationError("a faulty URI has a name, like faulty://numbers")
    return uri.hosts[0].name


def records_of(unit: str, numbers: Sequence[int]) -> pa.RecordBatch:
    return pa.record_batch(
        [pa.array([unit] * len(numbers), pa.string()), pa.array(numbers, pa.int64())],
        schema=SCHEMA,
    )
