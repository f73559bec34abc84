"""The contract over the memory connector."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

from ferris_beam.connectors import memory
from ferris_beam.testing import SinkCase, SinkConformance, SourceCase, SourceConformance
from ferris_beam.testing.cases import sample


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    memory.clear()
    yield
    memory.clear()


def in_batches(table: pa.Table, rows: int = 5) -> pa.Table:
    return pa.Table.from_batches(table.combine_chunks().to_batches(rows))


class TestBatches(SourceConformance):
    @pytest.fixture
    def case(self) -> SourceCase:
        table = in_batches(sample())
        memory.put("orders", table)
        return SourceCase(
            uri="memory://orders",
            expected=table,
            failing="memory://nobody-put-anything-here",
            change=lambda: memory.put("orders", table.slice(1)),
        )


class TestStream(SourceConformance):
    @pytest.fixture
    def case(self) -> SourceCase:
        table = in_batches(sample())
        live = memory.stream("clicks")
        for number, batch in enumerate(table.to_batches()):
            live.push(batch, timestamp=1_000_000 * number)
            live.advance_watermark(1_000_000 * number)

        def grow() -> pa.Table:
            live.push(table.slice(0, 3), timestamp=10_000_000)
            return table.slice(0, 3)

        return SourceCase(uri="memory://clicks?unbounded=true", expected=table, grow=grow)


class TestSink(SinkConformance):
    @pytest.fixture
    def case(self) -> SinkCase:
        return SinkCase(uri="memory://out", read=lambda: memory.take("out"))
