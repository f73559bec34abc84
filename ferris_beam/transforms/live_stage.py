"""The contract of a stage over input that never ends: states that wait for their time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Times = npt.NDArray[np.int64]
"""Microseconds since 1970."""


@dataclass(frozen=True)
class Prepared:
    """A batch on its way to the partitions: the ``state`` of its rows that are on time, and the
    others as they came, with the partition of each. ``times``: when results of it are due."""

    state: pa.RecordBatch
    late: pa.RecordBatch
    late_partitions: npt.NDArray[np.int64]
    times: Sequence[int]


class LiveWork(ABC):
    """What a stage computes. Pickled to the workers, opened there; one thread uses it at a time.

    States are record batches that can be merged. Each row of one belongs to results that are due
    at certain event times, and happened at one.
    """

    lateness: int = 0
    """How many microseconds behind the watermark rows are still taken."""
    keeps_late: bool = False
    """Whether rows that are later go to the dead letters; else they are dropped."""
    key_columns: tuple[str, ...] = ()
    """The columns of a state that decide the partition; none: all rows to partition 0."""

    def open(self) -> None:
        """Called once, before anything else."""

    @abstractmethod
    def prepare(
        self, records: pa.RecordBatch, seed: str, watermark: int, partitions: int
    ) -> Prepared:
        """Rows older than ``watermark`` are late. A `BadRecordError` rejects rows: the batch is
        halved down to them."""

    @abstractmethod
    def times_of(self, late: pa.RecordBatch, seed: str) -> Times:
        """When the last result of each late row is due; of one that is in no result, the end of
        time."""

    @abstractmethod
    def state_of(self, late: pa.RecordBatch, seed: str) -> tuple[pa.RecordBatch, Sequence[int]]:
        """The state of late rows, and when results of it are due."""

    @abstractmethod
    def merge(self, states: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
        """One state of several (or none)."""

    @abstractmethod
    def due(self, state: pa.RecordBatch, after: int, until: int) -> pa.RecordBatch:
        """The results that are due later than ``after`` and not later than ``until``, in an order
        that doesn't depend on that of the input."""

    @abstractmethod
    def rest(self, state: pa.RecordBatch, until: int) -> pa.RecordBatch:
        """What is still needed for results that are due later than ``until``."""

    @abstractmethod
    def span(self, state: pa.RecordBatch) -> tuple[int, int] | None:
        """When the first row and the last row of a state happened; None: it is empty."""

    def description(self) -> str:
        """What it computes, in words that change when its result would."""
        return type(self).__name__
