"""Which encoder options ask for."""

from __future__ import annotations

from collections.abc import Callable

from ferris_beam.connectors.kafka.options import KafkaSinkOptions
from ferris_beam.connectors.kafka.registry import Registry
from ferris_beam.connectors.kafka.writing.avro import RegisteredAvroEncoder, record_name
from ferris_beam.connectors.kafka.writing.encoding import JsonEncoder, PlainEncoder, ValueEncoder
from ferris_beam.connectors.kafka.writing.json_schema import RegisteredJsonEncoder
from ferris_beam.connectors.kafka.writing.protobuf import RegisteredProtobufEncoder


def value_encoder(options: KafkaSinkOptions, topic: str) -> ValueEncoder:
    name, subject = record_name(topic), _subject(options, topic)
    if options.format == "avro":
        return RegisteredAvroEncoder(Registry(options), name, subject)
    if options.format == "protobuf":
        return RegisteredProtobufEncoder(Registry(options), name, subject)
    if options.format != "json":
        return PlainEncoder(options.format)
    plain = JsonEncoder(options.non_finite)
    if options.subject is None and options.subject_strategy is None:
        return plain
    return RegisteredJsonEncoder(plain, Registry(options), name, subject)


def _subject(options: KafkaSinkOptions, topic: str) -> Callable[[str], str]:
    """Makes the subject of a record's name."""

    def subject(record: str) -> str:
        if options.subject is not None:
            return options.subject
        subjects = {"record": record, "topic_record": f"{topic}-{record}"}
        return subjects.get(options.subject_strategy or "topic", f"{topic}-value")

    return subject
