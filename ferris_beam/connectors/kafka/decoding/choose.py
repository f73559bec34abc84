"""Which decoder options ask for, and its schema."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from pathlib import Path

import pyarrow as pa

from ferris_beam.connectors.kafka.decoding.avro import (
    PlainAvroDecoder,
    RegisteredAvroDecoder,
    announced_schema,
    plain_schema,
)
from ferris_beam.connectors.kafka.decoding.base import ValueDecoder
from ferris_beam.connectors.kafka.decoding.json_schema import columns_of
from ferris_beam.connectors.kafka.decoding.lines import CsvDecoder, JsonDecoder, without_header
from ferris_beam.connectors.kafka.decoding.plain import (
    BytesDecoder,
    FunctionDecoder,
    StringDecoder,
)
from ferris_beam.connectors.kafka.decoding.protobuf import (
    ProtobufDecoder,
    declared_type,
    registered_type,
)
from ferris_beam.connectors.kafka.options import KafkaSourceOptions
from ferris_beam.connectors.kafka.protobuf.messages import MessageType
from ferris_beam.connectors.kafka.registry import (
    HEADER,
    NoSuchSchemaError,
    Registered,
    Registry,
    id_of,
    subjects_of,
)
from ferris_beam.errors import ConfigurationError
from ferris_beam.formats.avro.schema import parse
from ferris_beam.formats.jsonl.inference import infer_schema, merged, settled
from ferris_beam.formats.types import data_type
from ferris_beam.formats.window import Block

Sample = Callable[[], Sequence[bytes]]


def value_schema(
    options: KafkaSourceOptions, topics: Sequence[str], sample: Sample, display: str
) -> pa.Schema | None:
    """The schema that every process must read with, where it must be found out; else None."""
    if options.decoder is not None or options.format in ("string", "bytes"):
        return None
    if options.format == "avro":
        if options.schema_file:
            return None
        return announced_schema(_registered(options, topics, sample, display))
    if options.format == "protobuf":
        return _protobuf_type(options, topics, sample, display).announcement()
    if options.declared_schema is not None:
        return _declared(options.declared_schema)
    if options.format == "csv":
        raise ConfigurationError(
            f"{display}: messages have no header; name the columns with schema=id:int64,name:string"
        )
    return _json(options, topics, sample(), display)


def value_decoder(options: KafkaSourceOptions, schema: pa.Schema | None) -> ValueDecoder:
    """``schema`` as `value_schema` gave it."""
    if options.decoder is not None:
        return FunctionDecoder(options.decoder)
    if options.format == "bytes":
        return BytesDecoder()
    if options.format == "string":
        return StringDecoder()
    if options.format == "avro":
        return _avro(options, schema)
    assert schema is not None
    if options.format == "protobuf":
        return ProtobufDecoder(schema, Registry(options) if options.schema_registry else None)
    if options.format == "csv":
        return CsvDecoder(schema, options.delimiter)
    declared = options.declared_schema is not None
    return JsonDecoder(schema, "ignore" if declared else options.extra_keys)


def _avro(options: KafkaSourceOptions, schema: pa.Schema | None) -> ValueDecoder:
    if schema is not None:
        return RegisteredAvroDecoder(Registry(options), schema)
    path = options.schema_file or ""
    try:
        record = parse(Path(path).read_text(encoding="utf-8"), path)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"schema_file={path} can't be read: {error}") from error
    return PlainAvroDecoder(record, plain_schema(record))


def _registered(
    options: KafkaSourceOptions, topics: Sequence[str], sample: Sample, display: str
) -> list[Registered]:
    """Of the topics' subjects; where a topic has none, the schemas of its first messages."""
    registry = Registry(options)
    try:
        return [registry.latest(subject) for subject in subjects_of(topics)]
    except NoSuchSchemaError:
        ids = sorted({id for value in sample() if (id := id_of(value[:HEADER])) is not None})
    try:
        found = [registry.schema(id) for id in ids]
    except NoSuchSchemaError as error:
        raise ConfigurationError(f"{display}: {error.message}") from error
    if not found:
        instead = (
            "name the columns with schema=" if options.format == "json" else "set schema_file="
        )
        raise ConfigurationError(
            f"{display}: nothing is registered under {', '.join(subjects_of(topics))}, and no "
            f"message tells the id of a schema; register it, or {instead}"
        )
    return found


def _protobuf_type(
    options: KafkaSourceOptions, topics: Sequence[str], sample: Sample, display: str
) -> MessageType:
    declared = declared_type(options)
    if declared is not None:
        return declared
    return registered_type(_registered(options, topics, sample, display), options.message)


def _json(
    options: KafkaSourceOptions, topics: Sequence[str], values: Sequence[bytes], display: str
) -> pa.Schema:
    """By the registered schemas where messages begin with their ids, or there are none yet;
    `types` say better, as they do of a sample."""
    has_header = any(id_of(value[:HEADER]) is not None for value in values)
    if options.schema_registry is None or (values and not has_header):
        return _of_sample(values, options, display)
    found = columns_of(_registered(options, topics, lambda: values, display))
    return _with_types(found, options)


def _declared(types: dict[str, str]) -> pa.Schema:
    return pa.schema([(name, data_type(kind)) for name, kind in types.items()])


def _of_sample(values: Sequence[bytes], options: KafkaSourceOptions, display: str) -> pa.Schema:
    contents = map(without_header, values)
    lines = [value.replace(b"\n", b" ") for value in contents if value.strip()]
    blocks = [Block.of(b"\n".join(lines[at : at + 1000])) for at in range(0, len(lines), 1000)]
    found = settled(reduce(merged, map(infer_schema, blocks), pa.schema([])))
    found = _with_types(found, options)
    if not len(found):
        what = "holds no JSON object" if values else "has no message yet"
        raise ConfigurationError(
            f"{display} {what}, so that its columns can't be told; name them with "
            "schema=id:int64,name:string, or set format="
        )
    return found


def _with_types(found: pa.Schema, options: KafkaSourceOptions) -> pa.Schema:
    for name, kind in options.types.items():
        at = found.get_field_index(name)
        field = pa.field(name, data_type(kind))
        found = found.append(field) if at < 0 else found.set(at, field)
    return found
