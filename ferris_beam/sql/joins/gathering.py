"""Batches on their way: small ones become larger, and those that passed can come again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

from ferris_beam.batches import concatenate

HELD_ROWS = 1 << 18
HELD_BYTES = 64 << 20


class Gathering:
    """Holds batches of one schema back until there are enough rows or bytes of them."""

    def __init__(self, rows: int | None = None, nbytes: int | None = None) -> None:
        self._max_rows = rows or HELD_ROWS
        self._max_bytes = nbytes or HELD_BYTES
        self._held: list[pa.RecordBatch] = []
        self._rows = 0
        self._bytes = 0

    def add(self, records: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        if records.num_rows == 0:
            return
        self._held.append(records)
        self._rows += records.num_rows
        self._bytes += records.nbytes
        if self._rows >= self._max_rows or self._bytes >= self._max_bytes:
            yield from self.flush()

    def flush(self) -> Iterator[pa.RecordBatch]:
        # Emptied first: who takes the batch may add to what is held.
        held, self._held, self._rows, self._bytes = self._held, [], 0, 0
        if held:
            yield concatenate(held)


def gathered_again(
    gathering: Gathering, before: pa.RecordBatch, after: pa.RecordBatch
) -> Iterable[pa.RecordBatch]:
    """What to put out of a batch that became ``after``: nothing where that is so much smaller that
    waiting for more rows, to reduce all again, costs little."""
    return gathering.add(after) if 4 * after.num_rows <= before.num_rows else [after]


def repeatable(batches: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
    """The same, to be gone through several times: what can be gone through once only is held."""
    return list(batches) if isinstance(batches, Iterator) else batches
