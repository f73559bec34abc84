"""What the faulty connector declares."""

from __future__ import annotations

from ferris_beam.connector import Connector, SinkFacts, SourceFacts

_PACKAGE = "ferris_beam.testing.faulty"

CONNECTOR = Connector(
    name="faulty",
    schemes=("faulty",),
    summary="Numbers with faults at will, for tests.",
    source=SourceFacts(
        options=f"{_PACKAGE}.options:FaultySourceOptions",
        reader=f"{_PACKAGE}.reader:FaultyReader",
        unit="a unit of cells, in any order",
        delivery="exactly once within the process: a cell is the same whenever it is read",
    ),
    sink=SinkFacts(
        options=f"{_PACKAGE}.options:FaultySinkOptions",
        writer=f"{_PACKAGE}.writer:FaultyWriter",
        unit="a commit; any number in parallel, one after the other",
        delivery="exactly once within the process: rows and ledger change under one lock",
    ),
    example="faulty://numbers?units=2",
)
