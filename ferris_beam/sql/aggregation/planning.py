"""From the plan's node to a stage."""

from __future__ import annotations

from dataclasses import dataclass

from ferris_beam.sql.aggregation.aggregation import Aggregation
from ferris_beam.sql.aggregation.calls import call_of
from ferris_beam.sql.aggregation.catalog import function_of
from ferris_beam.sql.aggregation.inputs import Collector
from ferris_beam.sql.aggregation.stage import (
    MEMORY_LIMIT,
    AggregateCompletion,
    AggregatePreparation,
)
from ferris_beam.sql.aggregation.windows import windows_of
from ferris_beam.sql.nodes import Aggregate
from ferris_beam.sql.text import SqlText


@dataclass(frozen=True)
class GroupBy:
    """A GROUP BY as a stage: `preparation` of its input, `completion` of each hash partition."""

    preparation: AggregatePreparation
    completion: AggregateCompletion


def plan_aggregate(
    node: Aggregate, text: SqlText | None = None, *, memory_limit: int = MEMORY_LIMIT
) -> GroupBy:
    """``memory_limit``: how many bytes of states a partition merges at a time.

    Raises `SqlError` for a call that can't be computed.
    """
    collector = Collector(node.input.schema, text)
    keys = tuple(
        collector.column(key.expression, f"k{place}") for place, key in enumerate(node.keys)
    )
    before = (2 if node.window else 0) + len(keys)
    kinds = node.schema.types[before:]
    event_time = node.window.time if node.window else None
    functions = tuple(
        function_of(call_of(call.expression, kind, text), collector, event_time)
        for call, kind in zip(node.calls, kinds, strict=True)
    )
    time = collector.column(event_time) if event_time is not None else None
    window = windows_of(node.window, text) if node.window else None
    aggregation = Aggregation(keys, functions, node.schema, window, time)
    return GroupBy(
        AggregatePreparation(collector.inputs(), aggregation),
        AggregateCompletion(aggregation, memory_limit),
    )
