"""Batches on their way: small ones become larger, and those that passed can come again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

from ferris_beam.batches import concatenate

HELD_ROWS = 1 << 18
HELD_BYTES = 64 << 20


class Gathering:
    """Holds batches of one schema back until there are enough rows or bytes of them."""

    def __init__(self, rows: int = HELD_ROWS, nbytes: int = HELD_BYTES) -> None:
        self._max_rows = rows
        self._max_bytes = nbytes
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
        if self._held:
            yield concatenate(self._held)
        self._held, self._rows, self._bytes = [], 0, 0


def repeatable(batches: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
    """The same, to be gone through several times: what can be gone through once only is held."""
    return list(batches) if isinstance(batches, Iterator) else batches
