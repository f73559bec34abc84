"""The contract over Kafka's sink, on a real broker, in each format that takes all rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import psutil
import pyarrow as pa
import pytest

from ferris_beam.testing import SinkCase, SinkConformance
from ferris_beam.testing.cases import sample
from tests.conformance.test_file import as_json
from tests.connectors.kafka.conftest import NewTopic, broker, new_topic
from tests.services.kafka import KafkaBroker, Topic

__all__ = ["broker", "new_topic"]

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


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) < 19 else Decimal(text)


def _column(name: str, values: list[Any]) -> pa.Array:
    known = sample().schema
    if name in known.names:
        return pa.array(values, pa.string() if name == "amount" else None).cast(
            known.field(name).type
        )
    return pa.array(values)


@contextmanager
def broker_hangs(broker: KafkaBroker) -> Iterator[None]:
    """The broker answers nothing; afterwards it does what it was asked for."""
    process = psutil.Process(broker.pid)
    process.suspend()
    try:
        yield
    finally:
        process.resume()


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
            interrupted=lambda: broker_hangs(topic.broker),
            failing=_NOBODY,
        )
