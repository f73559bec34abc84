"""The different values of a group, each with the number of its rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ferris_beam.sql.aggregation.arrays import Integers, list_parts, lists, memory_of
from ferris_beam.sql.aggregation.codes import codes_of, combined
from ferris_beam.sql.aggregation.grouping import Groups, of_codes
from ferris_beam.sql.aggregation.state import Columns, State


@dataclass(frozen=True)
class Counted(State):
    """Lists of (value, rows), in no order, of the rows in which no argument is NULL."""

    @property
    def item(self) -> pa.StructType:
        return pa.struct([("value", self.arguments[0].type), ("rows", pa.int64())])

    @property
    def types(self) -> tuple[pa.DataType, ...]:
        return (pa.large_list(self.item),)

    def partial(self, groups: Groups, arguments: Columns) -> list[pa.Array]:
        groups, (values, *_) = groups.of_valid(*arguments)
        return [counted_lists(groups, values, np.ones(len(values), np.int64), self.item)]

    def merge(self, groups: Groups, columns: Columns) -> list[pa.Array]:
        lengths, items = list_parts(columns[0])
        values, rows = items.flatten()
        groups = Groups(np.repeat(groups.codes, lengths), groups.count)
        return [counted_lists(groups, values, memory_of(rows, np.int64), self.item)]


def counted_lists(
    groups: Groups, values: pa.Array, rows: Integers, item: pa.StructType
) -> pa.LargeListArray:
    """Equal values of a group once, their ``rows`` added up."""
    both = of_codes(combined([(groups.codes, max(1, groups.count)), codes_of(values)]))
    total = np.zeros(both.count, np.int64)
    np.add.at(total, both.codes, rows)
    owners = Groups(groups.codes[both.members], groups.count)
    order = owners.order
    found = pa.StructArray.from_arrays(
        [values.take(pa.array(both.members[order])), pa.array(total[order])], fields=list(item)
    )
    return lists(owners.offsets, found)


def entries(state: pa.LargeListArray) -> tuple[Groups, pa.Array, Integers]:
    """Of each entry its group, its value and its number of rows."""
    lengths, items = list_parts(state)
    values, rows = items.flatten()
    groups = Groups(np.repeat(np.arange(len(state)), lengths), len(state))
    return groups, values, memory_of(rows, np.int64)
