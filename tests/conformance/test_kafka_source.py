"""The contract over Kafka's sources, on a real broker."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pyarrow as pa
import pytest

from ferris_beam.testing import SourceCase, SourceConformance
from ferris_beam.testing.cases import sample
from tests.connectors.kafka.conftest import NewTopic, broker, new_topic
from tests.services.kafka import Topic

__all__ = ["broker", "new_topic"]

NOBODY = "kafka://127.0.0.1:1/orders?request_timeout=1s"


def documents(table: pa.Table) -> list[bytes]:
    return [json.dumps(row).encode() for row in table.to_pylist()]


def fill(topic: Topic, table: pa.Table, partitions: int) -> None:
    """An equal share of the rows for each partition."""
    share = -(-table.num_rows // partitions)
    for number in range(partitions):
        topic.produce(documents(table.slice(number * share, share)), number)


def rows(numbers: Iterable[int]) -> pa.Table:
    listed = list(numbers)
    return pa.table({"id": listed, "name": [f"name {n}" for n in listed]})


class TestBounded(SourceConformance):
    """Two partitions, up to their ends; one topic is deleted and created again."""

    @pytest.fixture
    def case(self, new_topic: NewTopic) -> SourceCase:
        topic = new_topic(2)
        fill(topic, sample(), 2)

        def change() -> None:
            topic.delete()
            again = Topic.create(topic.broker, 2, topic.name)
            fill(again, sample().slice(1), 2)

        return SourceCase(
            uri=topic.uri(until="now", batch_rows=5),
            expected=sample(),
            change=change,
            failing=NOBODY,
        )


class TestEndless(SourceConformance):
    """One partition that goes on."""

    @pytest.fixture
    def case(self, new_topic: NewTopic) -> SourceCase:
        topic = new_topic()
        topic.produce(documents(rows(range(20))))

        def grow() -> pa.Table:
            more = rows(range(20, 29))
            topic.produce(documents(more))
            return more

        return SourceCase(uri=topic.uri(batch_rows=6), expected=rows(range(20)), grow=grow)


class TestTransactions(SourceConformance):
    """Committed and aborted transactions: markers, and messages that must not be seen."""

    @pytest.fixture
    def case(self, new_topic: NewTopic) -> SourceCase:
        topic = new_topic()
        producer = topic.producer(**{"transactional.id": f"of-{topic.name}"})
        producer.init_transactions(30)
        for first in range(0, 40, 10):
            producer.begin_transaction()
            for value in documents(rows(range(first, first + 10))):
                producer.produce(topic.name, value)
            producer.flush(30)
            if first == 20:
                producer.abort_transaction(30)
            else:
                producer.commit_transaction(30)
        kept = [n for n in range(40) if not 20 <= n < 30]
        return SourceCase(uri=topic.uri(until="now", batch_rows=4), expected=rows(kept))


class TestRejected(SourceConformance):
    """Messages that are no JSON, empty, of the wrong type, and several in one."""

    @pytest.fixture
    def case(self, new_topic: NewTopic) -> SourceCase:
        topic = new_topic()
        values = documents(rows(range(12)))
        for at, bad in ((11, b"{"), (9, b""), (5, b'{"id":"x","name":"y"}'), (2, b'{"id":1}{}')):
            values[at] = bad
        topic.produce(values)
        good = [n for n in range(12) if n not in (2, 5, 9, 11)]
        return SourceCase(
            uri=topic.uri(until="now", batch_rows=5, schema="id:int64,name:string"),
            expected=rows(good),
            rejected=4,
        )
