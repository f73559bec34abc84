"""What happens before and behind a shuffle: the contract of stages that keep state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa

from ferris_beam.interval import Origin


class Preparation(ABC):
    """One input of a stage, on its way to the partitions. Pickled to the workers, opened there;
    one thread uses it at a time. What it holds back is bounded by its own limit."""

    key_columns: tuple[str, ...] = ()
    """The columns of what it puts out that decide the partition; none: all rows to partition 0."""

    seed: str = ""
    """That of the batch at hand (`ferris_beam.transforms.seeds`); set before each `add`."""

    def open(self) -> None:
        """Called once, before anything else."""

    @abstractmethod
    def add(self, records: pa.RecordBatch, origin: Origin | None) -> Iterable[pa.RecordBatch]:
        """Takes a batch; returns what can go on already (a state grown to the limit, or nothing).

        A `BadRecordError` rejects rows: the batch is halved down to them; nothing of a batch that
        raised may be kept.
        """

    def flush(self) -> Iterable[pa.RecordBatch]:
        """The end of a bundle: all that is held back."""
        return ()

    def description(self) -> str:
        """What it computes, in words that change when its result would."""
        return type(self).__name__


class Completion(ABC):
    """The results of one partition. Pickled to the workers, opened there."""

    def open(self) -> None:
        """Called once, before anything else."""

    @abstractmethod
    def results(
        self, partition: int, inputs: Sequence[Iterable[pa.RecordBatch]]
    ) -> Iterator[pa.RecordBatch]:
        """The rows of ``partition``, from what each `Preparation` put out for it, in any order.

        The result must depend on the rows only, not on their order or on the borders of batches.
        Called for each partition once, also where nothing came: a global aggregate puts out its
        one row in partition 0.
        """

    def description(self) -> str:
        """What it computes, in words that change when its result would."""
        return type(self).__name__
