"""Batches in the order of a column, cut where its value changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ferris_beam.connector import Chunk, Reject, Split
from ferris_beam.connectors.postgresql.reading.keys import Key
from ferris_beam.connectors.postgresql.reading.rejected import without_bad
from ferris_beam.connectors.postgresql.reading.selection import Selection
from ferris_beam.errors import FatalError

MOST_BYTES = 512 << 20
"""How many bytes the rows of one value may take, since they are one batch."""

Numbers = npt.NDArray[np.int64]


class Runs:
    """Takes batches as they are read, and gives chunks that hold all rows of each value.

    Chunks are also cut at the split's borders. The rows of the last value wait for the next batch.
    """

    def __init__(self, key: Key, selection: Selection, split: Split) -> None:
        self._key = key
        self._selection = selection
        self._unit = split.interval.unit
        self._end = split.interval.closed_end
        self._borders = [border for border in split.borders if border < self._end]
        self._waiting: list[pa.RecordBatch] = []
        self._value: int | None = None
        self._rejects: list[Reject] = []
        self._rows = 0

    def add(self, records: pa.RecordBatch, bad: Mapping[int, str]) -> Iterator[Chunk]:
        """The chunks that are complete now."""
        numbers = self._numbers(records)
        last = int(numbers[-1])
        good, rejects = without_bad(records, bad, self._unit, self._rows, 0)
        self._rejects += [
            replace(reject, position=int(numbers[row]))
            for reject, row in zip(rejects, sorted(bad), strict=True)
        ]
        self._rows += len(records)
        cut = int(np.searchsorted(self._numbers(good), last, "left"))
        if (self._value is not None and self._value != last) or cut:
            yield from self._chunks([*self._waiting, good[:cut]], last)
            self._waiting = []
        self._value = last
        self._waiting.append(good[cut:])
        if sum(each.nbytes for each in self._waiting) > MOST_BYTES:
            raise FatalError(
                f"{self._unit}: more than {MOST_BYTES >> 20} MiB of rows have the same value of "
                f"{self._key.name}, and a batch holds all rows of a value: choose a cursor that "
                "tells rows apart"
            )

    def rest(self) -> Iterator[Chunk]:
        """What is left, up to the end of the interval."""
        yield from self._chunks(self._waiting, self._end)

    def _numbers(self, records: pa.RecordBatch) -> Numbers:
        return np.asarray(self._key.numbers(records[self._key.name]))

    def _chunks(self, batches: Sequence[pa.RecordBatch], end: int) -> Iterator[Chunk]:
        """All rows below ``end``, cut at the borders."""
        empty = pa.RecordBatch.from_pylist([], pa.schema([c.field for c in self._selection.sent]))
        records = pa.concat_batches(batches or [empty])
        numbers = self._numbers(records)
        start = 0
        for border in [*(border for border in self._borders if border < end), end]:
            stop = int(np.searchsorted(numbers, border, "left")) if border < end else len(records)
            part = records[start:stop]
            yield Chunk(self._selection.finished(part), border, self._taken(border), part.nbytes)
            start = stop
        self._borders = [border for border in self._borders if border > end]

    def _taken(self, end: int) -> list[Reject]:
        """The rejected rows below a position."""
        taken = [reject for reject in self._rejects if reject.position < end]
        self._rejects = [reject for reject in self._rejects if reject.position >= end]
        return taken
