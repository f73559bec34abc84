"""Batches of another size: cutting large ones, gathering small ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

MAX_ROWS = 65_536
"""Rows a batch aims at: below 8k Beam's cost per element shows, above 256k caches suffer."""


def pieces(records: pa.RecordBatch, max_rows: int = MAX_ROWS) -> Iterator[pa.RecordBatch]:
    """Slices of at most ``max_rows``, without a copy; an empty batch is one empty piece."""
    yield records.slice(0, max_rows)
    for start in range(max_rows, records.num_rows, max_rows):
        yield records.slice(start, max_rows)


def concatenate(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """One batch of all rows; the schemas must be equal."""
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)


class Rebatcher:
    """Gathers batches and gives them out again in pieces of about ``max_rows``.

    A change of schema gives out what was gathered before it.
    """

    def __init__(self, max_rows: int = MAX_ROWS) -> None:
        self._max_rows = max_rows
        self._held: list[pa.RecordBatch] = []
        self._rows = 0

    def add(self, records: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Takes ``records`` and yields every full piece."""
        if self._held and self._held[0].schema != records.schema:
            yield from self.flush()
        self._held.append(records)
        self._rows += records.num_rows
        if self._rows >= self._max_rows:
            whole = concatenate(self._held)
            self._held, self._rows = [], 0
            for piece in pieces(whole, self._max_rows):
                if piece.num_rows == self._max_rows:
                    yield piece
                else:
                    self._held, self._rows = [piece], piece.num_rows

    def flush(self) -> Iterator[pa.RecordBatch]:
        """Yields the rest, if there is any."""
        if self._rows:
            yield concatenate(self._held)
        self._held, self._rows = [], 0
