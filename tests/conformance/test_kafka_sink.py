"""The contract over Kafka's sink, on a real broker, in each format that takes all rows."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from typing import Any

import fastavro
import pyarrow as pa
import pytest

from ferris_beam.testing import SinkCase, SinkConformance
from ferris_beam.testing.cases import sample
from tests.conformance.test_file import as_json, as_records
from tests.connectors.kafka.conftest import NewTopic, broker, new_topic, registry
from tests.services.kafka import Topic
from tests.services.schema_registry import SchemaRegistry

__all__ = ["broker", "new_topic", "registry"]

_NOBODY = "kafka://127.0.0.1:1/orders?request_timeout=1s"


def shown(topic: Topic) -> pa.Table:
    """What consumers of committed messages see."""
    values = [value for value in topic.values() if value is not None]
    documents = [json.loads(value, parse_float=str, parse_int=_integer) for value in values]
    if not documents:
        return pa.table({})
    return pa.table(
        {name: _column(name, [each[name] for each in documents]) for name in documents[0]}
    )


def shown_avro(topic: Topic, registry: SchemaRegistry) -> pa.Table:
    """What consumers see that know nothing of us: fastavro and the registry."""
    schemas: dict[bytes, Any] = {}
    rows = []
    for value in topic.values():
        assert value is not None
        header = value[:5]
        if header not in schemas:
            found = registry.call("GET", f"/schemas/ids/{int.from_bytes(header[1:], 'big')}")
            schemas[header] = fastavro.parse_schema(json.loads(found["schema"]))
        rows.append(fastavro.schemaless_reader(io.BytesIO(value[5:]), schemas[header], None))
    return pa.Table.from_pylist(rows)


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) < 19 else Decimal(text)


def _column(name: str, values: list[Any]) -> pa.Array:
    known = sample().schema
    if name in known.names:
        return pa.array(values, pa.string() if name == "amount" else None).cast(
            known.field(name).type
        )
    return pa.array(values)


class TestJson(SinkConformance):
    @pytest.fixture
    def case(self, new_topic: NewTopic) -> SinkCase:
        topic = new_topic(2, max_message_bytes=2000)
        table = sample()
        refused = pa.table(
            {"id": [100, 101], "name": ["x" * 5000, "y" * 2000], "amount": [1.0, 2.0]}
        )
        return SinkCase(
            uri=topic.uri(key="id", request_timeout="2s"),
            read=lambda: shown(topic),
            table=table,
            as_stored=as_json,
            refused=refused,
            interrupted=topic.broker.hanging,
            failing=_NOBODY,
        )


class TestAvro(SinkConformance):
    """With a registry."""

    @pytest.fixture
    def case(self, new_topic: NewTopic, registry: SchemaRegistry) -> SinkCase:
        topic = new_topic(2)
        return SinkCase(
            uri=topic.uri(format="avro", schema_registry=registry.url),
            read=lambda: shown_avro(topic, registry),
            as_stored=as_records,
        )
