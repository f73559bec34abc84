"""Which encoder options ask for."""

from __future__ import annotations

from ferris_beam.connectors.kafka.options import KafkaSinkOptions
from ferris_beam.connectors.kafka.registry import Registry
from ferris_beam.connectors.kafka.writing.avro import RegisteredAvroEncoder, record_name
from ferris_beam.connectors.kafka.writing.encoding import JsonEncoder, PlainEncoder, ValueEncoder


def value_encoder(options: KafkaSinkOptions, topic: str) -> ValueEncoder:
    if options.format == "json":
        return JsonEncoder(options.non_finite)
    if options.format != "avro":
        return PlainEncoder(options.format)

    def subject(record: str) -> str:
        if options.subject is not None:
            return options.subject
        subjects = {"record": record, "topic_record": f"{topic}-{record}"}
        return subjects.get(options.subject_strategy, f"{topic}-value")

    return RegisteredAvroEncoder(Registry(options), record_name(topic), subject)
