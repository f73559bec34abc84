"""Aggregates that a source computes itself, in place of the rows that it would be read for."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from ferris_beam.connector import AggregateCall, Reader, Residual


@dataclass(frozen=True)
class Aggregation:
    """``calls`` for each combination of the source's columns ``keys``; see `Reader.aggregated`."""

    keys: tuple[str, ...]
    calls: tuple[AggregateCall, ...]
    schema: pa.Schema

    def reader(self, reader: Reader, residual: Residual) -> Reader | None:
        """What reads the aggregates over all rows that ``reader``, which was told by pushdown what
        to filter, would give; None where that is not possible.

        A reader of which a later run reads only what is new, or that never ends, has no whole
        aggregates.
        """
        grows = reader.incremental or reader.poll_seconds or not reader.bounded or reader.confirms
        if grows or residual.predicate is not None or residual.limit is not None:
            return None
        return reader.aggregated(self.keys, self.calls, self.schema)

    def description(self) -> str:
        """In words that change when its result would."""
        calls = [(call.function, call.column, call.name) for call in self.calls]
        types = [str(kind) for kind in self.schema.types]
        return f"aggregated {self.keys} {calls} {types}"
