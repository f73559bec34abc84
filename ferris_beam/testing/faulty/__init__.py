"""``faulty://name``: numbers by the cell, with faults at will, into tables of this process.

For tests of pipelines, and of the engine itself::

    from ferris_beam import registry
    from ferris_beam.testing import faulty

    registry.register(faulty.CONNECTOR)
    p | fb.read("faulty://in?reject_every=9") | fb.write("faulty://out?transient=2&lost_answers=1")
    faulty.TABLES["out"].rows()

It is no built-in connector: it is there once it is registered.
"""

from ferris_beam.testing.faulty.declaration import CONNECTOR
from ferris_beam.testing.faulty.options import FaultySinkOptions, FaultySourceOptions
from ferris_beam.testing.faulty.reader import FaultyReader
from ferris_beam.testing.faulty.store import (
    GATES,
    OPENED,
    READ,
    SCHEMA,
    TABLES,
    Gate,
    Table,
    clear,
    records_of,
)
from ferris_beam.testing.faulty.writer import FaultyStaged, FaultyWriter

__all__ = [
    "CONNECTOR",
    "GATES",
    "OPENED",
    "READ",
    "SCHEMA",
    "TABLES",
    "FaultyReader",
    "FaultySinkOptions",
    "FaultySourceOptions",
    "FaultyStaged",
    "FaultyWriter",
    "Gate",
    "Table",
    "clear",
    "records_of",
]
