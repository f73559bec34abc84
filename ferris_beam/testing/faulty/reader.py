"""Reading ``faulty://name``: numbers by the cell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import pyarrow as pa

from ferris_beam.connector import Backlog, Chunk, Reader, Reject, Split
from ferris_beam.errors import FatalError, SourceChangedError, TransientError
from ferris_beam.interval import Interval
from ferris_beam.testing.faulty.options import FaultySourceOptions
from ferris_beam.testing.faulty.store import (
    FAILED_READS,
    GATES,
    OPENED,
    READ,
    SCHEMA,
    name_of,
    records_of,
)
from ferris_beam.uri import Uri

_NUMBER_BYTES = 8


class FaultyReader(Reader):
    """Unit: ``unit-0``, ``unit-1``, … Position: a cell, in which the numbers go on from those of
    the cell before. Delivery: replayable."""

    def __init__(self, uri: Uri, options: FaultySourceOptions) -> None:
        self.name = name_of(uri)
        self.options = options
        if not options.replayable:
            self.replayable = False

    def schema(self) -> pa.Schema:
        return SCHEMA

    def splits(self, known: Mapping[str, str]) -> Iterable[Split]:
        cells, rows = self.options.cells, self.options.rows
        for number in range(self.options.units):
            yield Split(
                Interval(f"unit-{number}", 0, cells),
                identity=self.options.version,
                size=cells * rows * _NUMBER_BYTES,
            )

    def open(self) -> None:
        OPENED.append(self.options.password.resolve() if self.options.password else "")

    def read(self, split: Split) -> Iterator[Chunk]:
        if split.identity != self.options.version:
            raise SourceChangedError(f"{split.interval.unit} has another version by now")
        for cell in range(split.interval.start, split.interval.closed_end):
            self._fail(cell)
            READ[split.interval.unit].append(cell)
            yield self._chunk(split.interval.unit, cell)

    def backlog(self, split: Split, position: int) -> Backlog:
        left = self.options.cells - position
        return Backlog(left * self.options.rows * _NUMBER_BYTES, not left)

    def _fail(self, cell: int) -> None:
        if cell == self.options.hold_at:
            GATES[self.name].pass_through()
        if FAILED_READS[self.name] < self.options.transient:
            FAILED_READS[self.name] += 1
            raise TransientError(f"faulty://{self.name} is busy")
        if cell == self.options.fatal_at:
            raise FatalError(f"faulty://{self.name} is broken at the cell {cell}; raise fatal_at")

    def _chunk(self, unit: str, cell: int) -> Chunk:
        numbers = range(cell * self.options.rows, (cell + 1) * self.options.rows)
        every = self.options.reject_every
        bad = [number for number in numbers if every and number % every == 0]
        good = [number for number in numbers if number not in bad]
        rejects = [
            Reject(cell, f"number {number} of {unit}", "not wanted", str(number).encode())
            for number in bad
        ]
        return Chunk(records_of(unit, good), cell + 1, rejects, _NUMBER_BYTES * len(numbers))
