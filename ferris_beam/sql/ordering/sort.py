"""ORDER BY, with LIMIT or without."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
from sqlglot import exp

from ferris_beam.interval import Origin
from ferris_beam.sql import nodes
from ferris_beam.sql.joins.expressions import Expressions, is_column
from ferris_beam.sql.joins.gathering import Gathering, gathered_again
from ferris_beam.sql.joins.sides import unused_name
from ferris_beam.sql.kernel import Kernel, fragment
from ferris_beam.sql.ordering.first_rows import FirstRows, FirstRowsCompletion
from ferris_beam.sql.ordering.streaming import streamed
from ferris_beam.sql.ordering.ties import with_ties
from ferris_beam.sql.text import SqlText
from ferris_beam.transforms.stage import Completion, Preparation

SORTED_BYTES = 512 << 20
"""What a sort holds in memory; beyond it goes to files."""


def plan_sort(
    node: nodes.Sort, text: SqlText | None = None, *, memory_limit: int = SORTED_BYTES
) -> tuple[Preparation, Completion]:
    """The stage that sorts, or keeps the first rows. Raises `SqlError` for what can't be sorted."""
    if not node.order:
        return FirstRows(node), FirstRowsCompletion(node)
    order = SortOrder.of(node, text)
    return SortPreparation(order), SortCompletion(order, node.schema, memory_limit)


@dataclass(frozen=True)
class SortOrder:
    """By which columns to sort; those that had to be computed were added to the input's."""

    computed: Expressions
    names: tuple[str, ...]
    schema: pa.Schema
    """The input's columns, then those ``names`` that were computed."""
    items: tuple[exp.Ordered, ...]
    limit: int | None
    offset: int

    @classmethod
    def of(cls, node: nodes.Sort, text: SqlText | None) -> SortOrder:
        given, added, items = node.input.schema, list[exp.Expression](), list[nodes.Ordering]()
        names: list[str] = []
        for number, item in enumerate(node.order):
            if not is_column(item.expression):
                added.append(item.expression)
                names.append(unused_name(f"order {number}", given.names))
                item = replace(item, expression=nodes.column(names[-1]))
            items.append(item)
        computed = Expressions(added, given, text)
        fields = [pa.field(*each) for each in zip(names, computed.types, strict=True)]
        ordered = tuple(with_ties(items, given))
        schema = pa.schema([*given, *fields])
        return cls(computed, tuple(names), schema, ordered, node.limit, node.offset)

    def extended(self, records: pa.RecordBatch) -> pa.RecordBatch:
        columns = [*records.columns, *self.computed.values(records)]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def query(self, limit: int | None, offset: int = 0) -> exp.Select:
        """``SELECT all columns FROM input_0 ORDER BY …``."""
        query = exp.select(*map(nodes.column, self.schema.names)).from_("input_0")
        query = query.order_by(*self.items)
        if limit is not None:
            query = query.limit(limit)
        return query.offset(offset) if offset else query


class SortPreparation(Preparation):
    """All rows; where there is a limit, of those of a bundle only the first."""

    def __init__(self, order: SortOrder) -> None:
        self._order = order
        self._top: Kernel | None = None
        if order.limit is not None:
            self._top = Kernel(fragment(order.query(order.offset + order.limit), [order.schema]))

    def open(self) -> None:
        self._gathering = Gathering()

    def add(self, records: pa.RecordBatch, origin: Origin | None) -> Iterable[pa.RecordBatch]:
        if records.num_rows == 0:
            return
        for gathered in self._gathering.add(self._first(self._order.extended(records))):
            yield from gathered_again(self._gathering, gathered, self._first(gathered))

    def flush(self) -> Iterable[pa.RecordBatch]:
        return map(self._first, self._gathering.flush())

    def _first(self, records: pa.RecordBatch) -> pa.RecordBatch:
        return records if self._top is None else self._top.run([records])

    def description(self) -> str:
        return f"sort by {self._order.query(None).sql()}"


class SortCompletion(Completion):
    """All rows in order, from partition 0, in parts."""

    def __init__(self, order: SortOrder, schema: pa.Schema, memory_limit: int) -> None:
        self._order = order
        self._schema = schema
        self._memory_limit = memory_limit
        self._query = fragment(order.query(order.limit, order.offset), [order.schema])

    def results(
        self, partition: int, inputs: Sequence[Iterable[pa.RecordBatch]]
    ) -> Iterator[pa.RecordBatch]:
        for batch in streamed(self._query, inputs[0], self._memory_limit, "ORDER BY"):
            yield batch.select(self._schema.names).cast(self._schema)

    def description(self) -> str:
        return self._query.sql
