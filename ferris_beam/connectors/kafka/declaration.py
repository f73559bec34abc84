"""What the Kafka connector declares."""

from __future__ import annotations

from ferris_beam.connector import Connector, SinkFacts, SourceFacts

_PACKAGE = "ferris_beam.connectors.kafka"

CONNECTOR = Connector(
    name="kafka",
    schemes=("kafka",),
    summary="Kafka 2.5 and later: topics to read and to write, in transactions.",
    source=SourceFacts(
        options=f"{_PACKAGE}.options:KafkaSourceOptions",
        reader=f"{_PACKAGE}.reading.reader:KafkaReader",
        unit="a partition of a topic, in the order of its offsets",
        delivery="exactly once: a partition's offsets are read again from where the sinks stand",
    ),
    sink=SinkFacts(
        options=f"{_PACKAGE}.options:KafkaSinkOptions",
        writer=f"{_PACKAGE}.writing.writer:KafkaWriter",
        unit="a transaction; any number in parallel, decided one after the other",
        delivery="exactly once for consumers that read committed messages: rows and ledger are "
        "written in one transaction",
    ),
    extra="kafka",
    example="kafka://localhost:9092/orders?format=json",
)
