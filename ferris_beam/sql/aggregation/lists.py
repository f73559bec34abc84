"""array_agg, string_agg, json_group_array and json_object_agg.

Values stand in the order of ORDER BY, and where that leaves a choice (or there is none) by value,
NULL last: so the result depends on the rows only, and not on which came first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.sql.aggregation.arrays import lists, take
from ferris_beam.sql.aggregation.collected import Collected, exploded
from ferris_beam.sql.aggregation.extremes import sort_ranks
from ferris_beam.sql.aggregation.grouping import Groups
from ferris_beam.sql.aggregation.json_text import json_texts
from ferris_beam.sql.aggregation.state import Columns, Function, State


@dataclass(frozen=True)
class Listed(Function):
    """``values`` holds ``width`` arguments, then the items of ORDER BY."""

    values: Collected
    type: pa.DataType
    descending: tuple[bool, ...] = ()
    nulls_first: tuple[bool, ...] = ()
    width: int = 1

    @property
    def states(self) -> tuple[State, ...]:
        return (self.values,)

    def finish(self, *states: Columns) -> pa.Array:
        groups, columns = exploded(states[0][0])
        arguments, order = columns[: self.width], columns[self.width :]
        ranks = [
            sort_ranks(column, *how)
            for column, *how in zip(order, self.descending, self.nulls_first, strict=True)
        ]
        ranks += [sort_ranks(argument, False, False) for argument in arguments]
        rows = np.lexsort([*ranks[::-1], groups.codes])
        made = self.joined(groups, [take(argument, rows) for argument in arguments])
        empty = groups.sizes == 0
        if empty.any():
            made = pc.if_else(pa.array(empty), pa.scalar(None, made.type), made)
        return made if made.type.equals(self.type) else made.cast(self.type)

    def joined(self, groups: Groups, arguments: list[pa.Array]) -> pa.Array:
        """One value for each group, of the arguments in their order."""
        return lists(groups.offsets, arguments[0])


@dataclass(frozen=True)
class Joined(Listed):
    """Texts with ``separator`` between them."""

    separator: str = ","

    def joined(self, groups: Groups, arguments: list[pa.Array]) -> pa.Array:
        texts = arguments[0].cast(pa.large_string())
        together = pa.ListArray.from_arrays(pa.array(groups.offsets, pa.int32()), texts)
        return pc.binary_join(together, pa.scalar(self.separator, pa.large_string()))


@dataclass(frozen=True)
class JsonArray(Joined):
    """A JSON array, as text."""

    separator: str = ","

    def joined(self, groups: Groups, arguments: list[pa.Array]) -> pa.Array:
        texts = super().joined(groups, [json_texts(arguments[0])])
        return _around("[", texts, "]")


@dataclass(frozen=True)
class JsonObject(Joined):
    """A JSON object, as text: names and values."""

    def joined(self, groups: Groups, arguments: list[pa.Array]) -> pa.Array:
        names, values = arguments
        colon = pa.scalar(":", pa.large_string())
        pairs = pc.binary_join_element_wise(
            json_texts(names.cast(pa.string())), json_texts(values), colon
        )
        texts = super().joined(groups, [pairs])
        return _around("{", texts, "}")


def _around(before: str, texts: pa.Array, behind: str) -> pa.Array:
    parts = [pa.scalar(part, texts.type) for part in (before, behind, "")]
    return pc.binary_join_element_wise(parts[0], texts, parts[1], parts[2])
