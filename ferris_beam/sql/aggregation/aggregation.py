"""GROUP BY over Arrow batches: rows become partial states, states merge, and at last finish.

A state is a plain record batch: the window it belongs to (``pane``, and ``last`` for sessions,
microseconds), the keys, and the columns of each `State`. Nothing here knows of Beam.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from ferris_beam.sql.aggregation.arrays import Integers, concatenated, is_null, memory_of, take
from ferris_beam.sql.aggregation.codes import Coded, codes_of, codes_of_numbers, combined
from ferris_beam.sql.aggregation.grouping import Groups, group
from ferris_beam.sql.aggregation.ranking import ranks_of
from ferris_beam.sql.aggregation.state import Function, State
from ferris_beam.sql.aggregation.windows import (
    Sessions,
    Windows,
    instants,
    micros_of,
)

PANE = "pane"
LAST = "last"


@dataclass(frozen=True)
class Aggregation:
    """``keys``: columns of the rows taken (`partial`); ``time``: the one that windows go by;
    ``schema``: of the rows put out: the window's start and end, the keys, the functions."""

    keys: tuple[pa.Field, ...]
    functions: tuple[Function, ...]
    schema: pa.Schema
    window: Windows | None = None
    time: pa.Field | None = None

    @cached_property
    def states(self) -> tuple[State, ...]:
        """What all functions need, each once."""
        return tuple(dict.fromkeys(state for each in self.functions for state in each.states))

    @cached_property
    def key_columns(self) -> tuple[str, ...]:
        """The columns of a state that decide where it is merged."""
        names = tuple(field.name for field in self.keys)
        if self.window is None or isinstance(self.window, Sessions):
            return names
        return (PANE, *names) if self.window.panes_are_windows else names

    @cached_property
    def state_schema(self) -> pa.Schema:
        columns = [pa.field(name, pa.int64()) for name in self._window_columns]
        for place, state in enumerate(self.states):
            columns += [pa.field(f"s{place}_{n}", kind) for n, kind in enumerate(state.types)]
        at = len(self._window_columns)
        keys = [pa.field(key.name, key.type) for key in self.keys]
        return pa.schema([*columns[:at], *keys, *columns[at:]])

    @property
    def _window_columns(self) -> tuple[str, ...]:
        if self.window is None:
            return ()
        return (PANE, LAST) if isinstance(self.window, Sessions) else (PANE,)

    @property
    def is_global(self) -> bool:
        """Whether there is one row for everything, also for nothing."""
        return not self.keys and self.window is None

    def is_state(self, batch: pa.RecordBatch) -> bool:
        """Whether a batch holds states; else it holds rows."""
        return batch.schema.names == self.state_schema.names

    def with_pane(self, records: pa.RecordBatch) -> pa.RecordBatch:
        """Rows on their way to a partition: with all of `key_columns`. Raises `BadRecordError`
        for those without a time."""
        if self.window is None:
            return records
        times = self.times(records)
        if PANE not in self.key_columns:
            return records
        assert not isinstance(self.window, Sessions)
        rows, numbers = self.window.assign(times)
        if rows is not None:
            records = records.take(pa.array(rows))
        return records.append_column(PANE, pa.array(self.window.starts(numbers)))

    def partial(self, records: pa.RecordBatch) -> pa.RecordBatch:
        """The states of the groups in a batch of rows."""
        window: Sequence[Integers] = ()
        if self.window is None:
            groups = group(self._keys_of(records), records.num_rows)
        else:
            times = self.times(records)
            if isinstance(self.window, Sessions):
                keys = group(self._keys_of(records), records.num_rows)
                groups, *window = self.window.split(keys, times, times)
            else:
                rows, numbers = self.window.assign(times)
                if rows is not None:
                    records = records.take(pa.array(rows))
                groups = self._grouped(numbers, records)
                window = [self.window.starts(numbers[groups.members])]
        columns = [column for state in self.states for column in state.of_rows(groups, records)]
        return self._state(groups, window, self._keys_of(records), columns)

    def merge(self, batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
        """One state for each group of several."""
        whole = concatenated(batches, self.state_schema)
        if isinstance(self.window, Sessions):
            first, last = (memory_of(whole[name], np.int64) for name in (PANE, LAST))
            keys = group(self._keys_of(whole), whole.num_rows)
            groups, *window = self.window.split(keys, first, last)
            return self._merged(whole, groups, window)
        if self.window is None:
            return self._merged(whole, group(self._keys_of(whole), whole.num_rows), ())
        panes = memory_of(whole[PANE], np.int64)
        groups = self._grouped(self.window.numbers(panes), whole)
        return self._merged(whole, groups, [panes[groups.members]])

    def _grouped(self, panes: Integers, records: pa.RecordBatch) -> Groups:
        """By the numbers of panes, and by keys."""
        coded = codes_of_numbers(panes)
        if coded[1] > 2 * len(panes):
            coded = codes_of(pa.array(panes).dictionary_encode())
        return group(self._keys_of(records), records.num_rows, coded)

    def _merged(
        self, whole: pa.RecordBatch, groups: Groups, window: Sequence[Integers]
    ) -> pa.RecordBatch:
        if groups.count == whole.num_rows and not isinstance(self.window, Sessions):
            return whole
        columns = [
            column
            for state, parts in zip(self.states, self._parts(whole), strict=True)
            for column in state.merge(groups, parts)
        ]
        return self._state(groups, window, self._keys_of(whole), columns)

    def finish(self, merged: pa.RecordBatch) -> pa.RecordBatch:
        """The result's rows, of a state in which each group is there once."""
        return self.finish_windows(self._in_windows(merged))

    def finish_windows(self, merged: pa.RecordBatch) -> pa.RecordBatch:
        """`finish` of a state whose panes are windows."""
        window: list[pa.Array] = []
        if self.window is not None:
            start = memory_of(merged[PANE], np.int64)
            ends = (
                memory_of(merged[LAST], np.int64) + self.window.gap
                if isinstance(self.window, Sessions)
                else self.window.ends(start)
            )
            window = [
                instants(values, self.schema.field(place).type)
                for place, values in enumerate((start, ends))
            ]
        parts = dict(zip(self.states, self._parts(merged), strict=True))
        results = [each.finish(*(parts[state] for state in each.states)) for each in self.functions]
        columns = [*window, *self._keys_of(merged), *results]
        columns = [
            column if column.type.equals(field.type) else column.cast(field.type)
            for column, field in zip(columns, self.schema, strict=True)
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def of_no_rows(self) -> pa.RecordBatch:
        """The state of a group without rows."""
        nothing = Groups(np.zeros(0, np.int64), 1)
        columns = []
        for state in self.states:
            arguments = [pa.array([], argument.type) for argument in state.arguments]
            columns += state.partial(nothing, arguments)
        return self._state(nothing, (), [], columns)

    def sorted(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Rows of the result by window and keys."""
        count = len(self.keys) + (1 if self.window is not None else 0)
        if not count or rows.num_rows < 2:
            return rows
        places = [0, *range(2, count + 1)] if self.window is not None else range(count)
        coded = [_rising(rows.column(place)) for place in places]
        order = np.argsort(combined(coded)[0])  # no two rows are equal
        columns = [take(column, order) for column in rows.columns]
        return pa.RecordBatch.from_arrays(columns, schema=rows.schema)

    def times(self, records: pa.RecordBatch) -> Integers:
        """The event times of rows; `BadRecordError` for those without one."""
        assert self.time is not None
        return micros_of(records[self.time.name], _sql_of(self.time))

    def _in_windows(self, merged: pa.RecordBatch) -> pa.RecordBatch:
        """Panes become windows."""
        if self.window is None or isinstance(self.window, Sessions):
            return merged
        places, starts = self.window.windows(memory_of(merged[PANE], np.int64))
        if places is None:
            return merged
        spread = merged.take(pa.array(places))
        at = spread.schema.get_field_index(PANE)
        return self.merge([spread.set_column(at, PANE, pa.array(starts))])

    def _keys_of(self, records: pa.RecordBatch) -> list[pa.Array]:
        return [records[key.name] for key in self.keys]

    def _parts(self, states: pa.RecordBatch) -> list[list[pa.Array]]:
        at = len(self._window_columns) + len(self.keys)
        parts = []
        for state in self.states:
            parts.append(states.columns[at : at + len(state.types)])
            at += len(state.types)
        return parts

    def _state(
        self,
        groups: Groups,
        window: Sequence[Integers],
        keys: Sequence[pa.Array],
        columns: Sequence[pa.Array],
    ) -> pa.RecordBatch:
        members = groups.members if keys else np.zeros(0, np.int64)
        arrays = [*map(pa.array, window), *(take(key, members) for key in keys), *columns]
        schema = self.state_schema
        arrays = [  # what came as a dictionary is decoded here, where there are fewer rows
            array if array.type.equals(field.type) else array.cast(field.type)
            for array, field in zip(arrays, schema, strict=True)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _sql_of(field: pa.Field) -> str:
    return field.metadata[b"sql"].decode() if field.metadata else field.name


def _rising(values: pa.Array) -> Coded:
    """Codes in the order of the values, NULL last."""
    return codes_of_numbers(ranks_of(values), is_null(values) if values.null_count else None)
