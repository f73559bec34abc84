"""States that wait for more of them, and rows that wait to become states."""

from __future__ import annotations

import pyarrow as pa

from ferris_beam.sql.aggregation.aggregation import Aggregation
from ferris_beam.sql.aggregation.arrays import concatenated

_TRIED = 4
"""After so many states one tries whether merging them saves anything."""
_SAVES = 0.75
"""It does if what is merged has at most this share of the bytes."""
_MERGED_ROWS = 1 << 17
"""States are merged when there are so many rows of them, and then each time they have doubled."""
_ROWS_AT_ONCE = 1 << 20


class HeldStates:
    """States of one schema, merged from time to time where that makes them fewer."""

    def __init__(self, aggregation: Aggregation) -> None:
        self._aggregation = aggregation
        self._states: list[pa.RecordBatch] = []
        self._merge_at = _MERGED_ROWS
        self._pays = True
        self.rows = 0
        self.nbytes = 0

    def add(self, state: pa.RecordBatch) -> None:
        self._states.append(state)
        self.rows += state.num_rows
        self.nbytes += state.nbytes
        tried = len(self._states) == _TRIED and self._merge_at == _MERGED_ROWS
        if self._pays and (tried or self.rows >= self._merge_at):
            self._merge()

    def take(self) -> list[pa.RecordBatch]:
        """All of them, as one batch (merged, if that pays); nothing is held any more."""
        if len(self._states) > 1:
            if self._pays:
                self._merge()
            else:
                self._states = [concatenated(self._states, self._aggregation.state_schema)]
        found = self._states
        self._states, self.rows, self.nbytes = [], 0, 0
        return found

    def merged(self) -> pa.RecordBatch:
        """One state for each group."""
        found = self._aggregation.merge(self._states)
        self._states = [found]
        return found

    def _merge(self) -> None:
        merged = self._aggregation.merge(self._states)
        self._pays = merged.nbytes <= _SAVES * self.nbytes or self.rows >= 2 * _MERGED_ROWS
        self._states, self.rows, self.nbytes = [merged], merged.num_rows, merged.nbytes
        self._merge_at = max(_MERGED_ROWS + 1, 2 * self.rows)


class HeldRows:
    """Rows of one schema, until there are enough of them."""

    def __init__(self, limit: int = _ROWS_AT_ONCE) -> None:
        self._batches: list[pa.RecordBatch] = []
        self._limit = limit
        self._rows = 0

    def add(self, rows: pa.RecordBatch) -> pa.RecordBatch | None:
        """All rows held, once they reach the limit."""
        self._batches.append(rows)
        self._rows += rows.num_rows
        return self.take() if self._rows >= self._limit else None

    def take(self) -> pa.RecordBatch | None:
        """All rows held; None if there is none."""
        if not self._batches:
            return None
        batches, self._batches, self._rows = self._batches, [], 0
        return concatenated(batches, batches[0].schema)
