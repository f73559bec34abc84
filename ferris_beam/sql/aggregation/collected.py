"""Values kept as they are: for what can be computed only when all of them are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ferris_beam.sql.aggregation.arrays import Integers, list_parts, lists
from ferris_beam.sql.aggregation.codes import begin_runs, codes_of, combined
from ferris_beam.sql.aggregation.grouping import Groups
from ferris_beam.sql.aggregation.state import Columns, State


@dataclass(frozen=True)
class Collected(State):
    """The rows of a group as a list of structs, in no order. ``distinct``: equal ones once;
    ``skip_nulls``: without rows in which one of the first ``needed`` arguments is NULL."""

    distinct: bool = False
    needed: int = 0

    @property
    def item(self) -> pa.StructType:
        return pa.struct(
            [pa.field(str(place), each.type) for place, each in enumerate(self.arguments)]
        )

    @property
    def types(self) -> tuple[pa.DataType, ...]:
        return (pa.large_list(self.item),)

    def partial(self, groups: Groups, arguments: Columns) -> list[pa.Array]:
        if self.needed and any(column.null_count for column in arguments[: self.needed]):
            arguments = list(arguments)
            for place in range(self.needed):
                valid = arguments[place].is_valid()
                groups = groups.where(np.asarray(valid.to_numpy(zero_copy_only=False), np.bool_))
                arguments = [column.filter(valid) for column in arguments]
        items = pa.StructArray.from_arrays(list(arguments), fields=list(self.item))
        return [self._lists(groups, items)]

    def merge(self, groups: Groups, columns: Columns) -> list[pa.Array]:
        lengths, items = list_parts(columns[0])
        return [self._lists(Groups(np.repeat(groups.codes, lengths), groups.count), items)]

    def _lists(self, groups: Groups, items: pa.StructArray) -> pa.Array:
        rows = groups.order
        if self.distinct:
            rows = distinct_rows(groups, items.flatten())
            groups = Groups(groups.codes[rows], groups.count)
        made = lists(groups.offsets, items.take(pa.array(rows)))
        return made if made.type.equals(self.types[0]) else made.cast(self.types[0])


def distinct_rows(groups: Groups, columns: Columns) -> Integers:
    """One row of each that are equal in group and ``columns``; by group."""
    codes, _ = combined([(groups.codes, max(1, groups.count)), *map(codes_of, columns)])
    order = np.argsort(codes)
    return order[begin_runs(codes[order])] if len(order) else order


def exploded(state: pa.LargeListArray) -> tuple[Groups, list[pa.Array]]:
    """The rows that were collected: the group of each, and its arguments."""
    lengths, items = list_parts(state)
    return Groups(np.repeat(np.arange(len(state)), lengths), len(state)), items.flatten()
