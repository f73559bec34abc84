"""An aggregation as a stage: states before the shuffle, results behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from ferris_beam.batches.hashing import partitions_of
from ferris_beam.interval import Origin
from ferris_beam.sql.aggregation.aggregation import Aggregation
from ferris_beam.sql.aggregation.held import HeldRows, HeldStates
from ferris_beam.sql.aggregation.inputs import Evaluation, Inputs
from ferris_beam.transforms.stage import Completion, Preparation

HELD_ROWS = 1 << 20
HELD_BYTES = 64 << 20
MEMORY_LIMIT = 1 << 30
_BEHIND = 1 << 16
"""What is left of a hash behind the bits that have decided the partition."""
_FEW = 0.5
"""Groups are few when there are at most so many for each row."""
_OUTPUT_ROWS = 1 << 16


class AggregatePreparation(Preparation):
    """Batches become states, which are merged until they are put out: at the end of the bundle,
    or when there are more than ``held_rows`` or ``held_bytes`` of them.

    Where a batch has nearly as many groups as rows, the rows themselves go on, which are smaller
    than states: then the partition makes states of all its rows at once.
    """

    def __init__(
        self,
        inputs: Inputs,
        aggregation: Aggregation,
        held_rows: int = HELD_ROWS,
        held_bytes: int = HELD_BYTES,
    ) -> None:
        self.inputs = inputs
        self.aggregation = aggregation
        self.held_rows = held_rows
        self.held_bytes = held_bytes
        self.key_columns = aggregation.key_columns
        self._few = True
        self._held = HeldStates(aggregation)

    def open(self) -> None:
        self._evaluation = Evaluation(self.inputs)

    def add(self, records: pa.RecordBatch, origin: Origin | None) -> Iterable[pa.RecordBatch]:
        if not records.num_rows:
            return ()
        rows = self._evaluation.run(records, self.seed)
        if not self._few:
            return [self.aggregation.with_pane(rows)]
        state = self.aggregation.partial(rows)
        self._few = state.num_rows <= max(1, _FEW * rows.num_rows) or not self.key_columns
        self._held.add(state)
        if self._held.rows > self.held_rows or self._held.nbytes > self.held_bytes:
            return self._held.take()
        return ()

    def flush(self) -> Iterable[pa.RecordBatch]:
        self._few = True
        held, self._held = self._held, HeldStates(self.aggregation)
        return held.take()

    def description(self) -> str:
        computed = self.inputs.computed.description if self.inputs.computed else ""
        return f"aggregate {self.inputs.columns} {computed} {self.aggregation}"


@dataclass(frozen=True)
class AggregateCompletion(Completion):
    """Merges the states of a partition. Without keys and window there is one row, in partition 0,
    also where no row came in.

    More than ``memory_limit`` bytes of states are merged in shares of the keys, one after the
    other, so that what is made of them never takes much more.
    """

    aggregation: Aggregation
    memory_limit: int = MEMORY_LIMIT

    def results(
        self, partition: int, inputs: Sequence[Iterable[pa.RecordBatch]]
    ) -> Iterator[pa.RecordBatch]:
        batches = [batch for batch in inputs[0] if batch.num_rows]
        if not batches and self.aggregation.is_global and partition == 0:
            batches = [self.aggregation.of_no_rows()]
        found = False
        for share in self._shares(batches):
            merged = self._merged(share)
            rows = self.aggregation.sorted(self.aggregation.finish(merged))
            for start in range(0, rows.num_rows, _OUTPUT_ROWS):
                found = True
                yield rows.slice(start, _OUTPUT_ROWS)
        if not found:
            schema = self.aggregation.schema
            yield pa.RecordBatch.from_arrays(
                [pa.array([], each.type) for each in schema], schema=schema
            )

    def _shares(self, batches: list[pa.RecordBatch]) -> Iterator[Iterable[pa.RecordBatch]]:
        keys = self.aggregation.key_columns
        count = 1 + sum(batch.nbytes for batch in batches) // self.memory_limit
        if count == 1 or not keys:
            yield batches
            return
        for number in range(count):
            yield (
                batch.filter(
                    pa.array(partitions_of(batch, keys, 1 << 32) // _BEHIND % count == number)
                )
                for batch in batches
            )

    def _merged(self, batches: Iterable[pa.RecordBatch]) -> pa.RecordBatch:
        states, rows = HeldStates(self.aggregation), HeldRows()
        for batch in batches:
            if self.aggregation.is_state(batch):
                states.add(batch)
            elif (enough := rows.add(batch)) is not None:
                states.add(self.aggregation.partial(enough))
        if (rest := rows.take()) is not None:
            states.add(self.aggregation.partial(rest))
        return states.merged()

    def description(self) -> str:
        return f"aggregate {self.aggregation}"
