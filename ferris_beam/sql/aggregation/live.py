"""GROUP BY a window over input that never ends: states wait until the watermark passes them.

The states are those of bounded input. HOP keeps panes, and merges them into a window when it is
due; a pane stays until its last window is. A session is due at the next whole second behind its
end, so that the ticks of a busy stream are few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ferris_beam.batches.hashing import partitions_of
from ferris_beam.sql.aggregation.aggregation import LAST, PANE, Aggregation
from ferris_beam.sql.aggregation.arrays import Integers, memory_of
from ferris_beam.sql.aggregation.inputs import Evaluation, Inputs
from ferris_beam.sql.aggregation.windows import CalendarWindows, Sessions
from ferris_beam.transforms.event_time import LATEST
from ferris_beam.transforms.live_stage import LiveWork, Prepared

SESSION_GRID = 1_000_000
"""Sessions go out at multiples of so many microseconds."""


@dataclass
class LiveAggregation(LiveWork):
    """``lateness`` in microseconds; ``keeps_late``: late rows go to the dead letters."""

    inputs: Inputs
    aggregation: Aggregation
    lateness: int = 0
    keeps_late: bool = False

    def __post_init__(self) -> None:
        assert self.aggregation.window is not None
        assert self.aggregation.time is not None
        window = self.aggregation.window
        if isinstance(window, CalendarWindows) and window.size != window.slide:
            self.key_columns = tuple(key.name for key in self.aggregation.keys)
        else:
            self.key_columns = self.aggregation.key_columns

    def open(self) -> None:
        self._evaluation = Evaluation(self.inputs)

    def prepare(
        self, records: pa.RecordBatch, seed: str, watermark: int, partitions: int
    ) -> Prepared:
        if not records.num_rows:
            return self._prepared(self._nothing, records, records, partitions)
        rows = self._evaluation.run(records, seed)
        in_time = self.aggregation.times(rows) >= watermark
        if in_time.all():
            return self._prepared(
                self.aggregation.partial(rows), records.slice(0, 0), rows.slice(0, 0), partitions
            )
        behind = pa.array(~in_time)
        state = self.aggregation.partial(rows.filter(pa.array(in_time)))
        return self._prepared(state, records.filter(behind), rows.filter(behind), partitions)

    def _prepared(
        self, state: pa.RecordBatch, late: pa.RecordBatch, rows: pa.RecordBatch, partitions: int
    ) -> Prepared:
        """``rows`` are what was computed of the ``late`` ones."""
        where = np.zeros(0, np.int64)
        if late.num_rows:
            if PANE in self.key_columns:
                rows = self.aggregation.with_pane(rows)
            where = partitions_of(rows, self.key_columns, partitions)
        return Prepared(state, late, where, self._times(state))

    def times_of(self, late: pa.RecordBatch, seed: str) -> Integers:
        rows = self._evaluation.run(late, seed)
        times = self.aggregation.times(rows)
        window = self.aggregation.window
        if isinstance(window, Sessions):
            return self._session_times(times)
        assert window is not None
        places, numbers = window.assign(times)
        ends = self._last_ends(window.starts(numbers))
        if places is None:
            return ends
        found = np.full(len(times), np.iinfo(np.int64).min)
        np.maximum.at(found, places, ends)
        found[found == np.iinfo(np.int64).min] = LATEST
        return found

    def state_of(self, late: pa.RecordBatch, seed: str) -> tuple[pa.RecordBatch, Sequence[int]]:
        state = self.aggregation.partial(self._evaluation.run(late, seed))
        return state, self._times(state)

    def merge(self, states: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
        filled = [state for state in states if state.num_rows]
        return self.aggregation.merge(filled) if filled else self._nothing

    def due(self, state: pa.RecordBatch, after: int, until: int) -> pa.RecordBatch:
        places, starts, ends = self._windows(state)
        chosen = np.flatnonzero((ends > after) & (ends <= until))
        found = state.take(pa.array(places[chosen]))
        if not isinstance(self.aggregation.window, Sessions):
            at = found.schema.get_field_index(PANE)
            found = self.aggregation.merge(
                [found.set_column(at, found.schema.field(at), pa.array(starts[chosen]))]
            )
        return self.aggregation.sorted(self.aggregation.finish_windows(found))

    def rest(self, state: pa.RecordBatch, until: int) -> pa.RecordBatch:
        if not state.num_rows:
            return state
        places, _, ends = self._windows(state)
        last = np.full(state.num_rows, np.iinfo(np.int64).min)
        np.maximum.at(last, places, ends)
        kept = last > until
        return state if kept.all() else state.filter(pa.array(kept))

    def span(self, state: pa.RecordBatch) -> tuple[int, int] | None:
        if not state.num_rows:
            return None
        last = LAST if isinstance(self.aggregation.window, Sessions) else PANE
        first = int(memory_of(state[PANE], np.int64).min())
        return first, int(memory_of(state[last], np.int64).max())

    def description(self) -> str:
        computed = self.inputs.computed.description if self.inputs.computed else ""
        late = f"{self.lateness} {self.keeps_late}"
        return f"windows {self.inputs.columns} {computed} {self.aggregation} {late}"

    @property
    def _nothing(self) -> pa.RecordBatch:
        schema = self.aggregation.state_schema
        return pa.RecordBatch.from_arrays(
            [pa.array([], each.type) for each in schema], schema=schema
        )

    def _times(self, state: pa.RecordBatch) -> list[int]:
        """When results of a state are due."""
        return [int(time) for time in np.unique(self._windows(state)[2])]

    def _windows(self, state: pa.RecordBatch) -> tuple[Integers, Integers, Integers]:
        """For each window: the place of a row of it, the window's start, and when it is due."""
        window = self.aggregation.window
        first = memory_of(state[PANE], np.int64)
        every = np.arange(state.num_rows)
        if isinstance(window, Sessions):
            return every, first, self._session_times(memory_of(state[LAST], np.int64))
        assert window is not None
        if not len(first):
            return every, first, first
        places, starts = window.windows(first)
        return every if places is None else places, starts, window.ends(starts)

    def _last_ends(self, panes: Integers) -> Integers:
        window = self.aggregation.window
        assert window is not None
        assert not isinstance(window, Sessions)
        places, starts = window.windows(panes)
        ends = window.ends(starts)
        if places is None:
            return ends
        last = np.full(len(panes), np.iinfo(np.int64).min)
        np.maximum.at(last, places, ends)
        return last

    def _session_times(self, last: Integers) -> Integers:
        assert isinstance(self.aggregation.window, Sessions)
        return -(-(last + self.aggregation.window.gap) // SESSION_GRID) * SESSION_GRID
