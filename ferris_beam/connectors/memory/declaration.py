"""What the memory connector declares."""

from __future__ import annotations

from ferris_beam.connector import Connector, SinkFacts, SourceFacts

_PACKAGE = "ferris_beam.connectors.memory"

CONNECTOR = Connector(
    name="memory",
    schemes=("memory",),
    summary="Batches that stay in the process: tests, notebooks, examples.",
    source=SourceFacts(
        options=f"{_PACKAGE}.options:MemorySourceOptions",
        reader=f"{_PACKAGE}.reader:MemoryReader",
        unit="a batch; an unbounded stream is one unit, read in order",
        delivery="exactly once within the process: batches are replayed by their index",
    ),
    sink=SinkFacts(
        options=f"{_PACKAGE}.options:MemorySinkOptions",
        writer=f"{_PACKAGE}.writer:MemoryWriter",
        unit="a commit; any number in parallel, one after the other",
        delivery="exactly once within the process: rows and ledger change under one lock",
    ),
    example="memory://orders",
)
