"""What the file connector declares."""

from __future__ import annotations

from ferris_beam.connector import Connector, SinkFacts, SourceFacts

_PACKAGE = "ferris_beam.connectors.file"

CONNECTOR = Connector(
    name="file",
    schemes=("file",),
    summary="Local files: CSV, JSON, JSON Lines, Parquet, Avro, Arrow.",
    source=SourceFacts(
        options=f"{_PACKAGE}.options:FileSourceOptions",
        reader=f"{_PACKAGE}.choose:file_reader",
        unit="a file; 4 MiB of text or Avro, a row group of Parquet, a record batch of Arrow, in "
        "any order; a compressed file, a stream of Arrow, and CSV whose values hold line "
        "ends, from front to back",
        delivery="replayable: the same file gives the same batches; one that changes is refused",
    ),
    sink=SinkFacts(
        options=f"{_PACKAGE}.options:FileSinkOptions",
        writer=f"{_PACKAGE}.writer:FileWriter",
        unit="a commit; any number in parallel, one after the other",
        delivery="exactly once: data and ledger become visible by one entry in a log",
    ),
    example="file:///data/orders/*.csv",
)
