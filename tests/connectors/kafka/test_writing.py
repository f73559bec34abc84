"""What of a row becomes which part of a message, topics that are created, rows that are refused."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pyarrow as pa
import pytest
from confluent_kafka import TIMESTAMP_CREATE_TIME
from confluent_kafka.admin import ConfigResource

from ferris_beam.errors import BadRecordError, ConfigurationError, SchemaError
from ferris_beam.testing.cases import sample
from tests.connectors.kafka.conftest import NewTopic
from tests.connectors.kafka.endpoints import read, writer_of
from tests.connectors.kafka.test_formats import write
from tests.services.kafka import KafkaBroker, Topic


def keys(topic: Topic) -> list[bytes | None]:
    return [message.key() for message in topic.messages()]


# ── parts of messages ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("column", "wanted"),
    [
        (pa.array([1, None, 3], pa.int64()), [b"1", None, b"3"]),
        (pa.array(["a", "ü", None]), [b"a", "ü".encode(), None]),
        (pa.array([b"\xff", b"", None]), [b"\xff", b"", None]),
        (pa.array([dt.date(2024, 1, 2), None, None]), [b"2024-01-02", None, None]),
    ],
)
def test_a_key_is_the_text_or_the_bytes_of_its_column(
    topic: Topic, column: pa.Array, wanted: list[bytes | None]
) -> None:
    write(topic.uri(key="k"), pa.table({"k": column}))
    assert keys(topic) == wanted


def test_a_key_of_several_columns_is_a_json_object(topic: Topic) -> None:
    table = pa.table({"a": [1, 2], "b": ["x", None], "c": [1.5, 2.5]})
    write(topic.uri(key="a,b"), table)
    assert keys(topic) == [b'{"a":1,"b":"x"}', b'{"a":2,"b":null}']


def test_equal_keys_go_to_one_partition(new_topic: NewTopic) -> None:
    topic = new_topic(4)
    write(topic.uri(key="k"), pa.table({"k": [n % 10 for n in range(400)], "n": range(400)}))
    places: dict[Any, set[Any]] = {}
    for message in topic.messages():
        places.setdefault(message.key(), set()).add(message.partition())
    assert len(places) == 10
    assert all(len(found) == 1 for found in places.values())
    assert len(set.union(*places.values())) > 1


def test_a_column_may_say_the_partition(new_topic: NewTopic) -> None:
    topic = new_topic(3)
    write(topic.uri(partition="p"), pa.table({"p": [2, 0, 1, 2]}))
    assert [json.loads(m.value() or b"")["p"] for m in topic.messages()] == [0, 1, 2, 2]
    assert [message.partition() for message in topic.messages()] == [0, 1, 2, 2]
    with pytest.raises(BadRecordError, match="there is no partition 3; there are 3"):
        write(topic.uri(partition="p"), pa.table({"p": [3]}))


def test_headers_and_timestamps_come_from_columns_too(topic: Topic) -> None:
    at = dt.datetime(2024, 1, 2, 3, 4, 5, 678000, dt.timezone.utc)
    headers = pa.array([[("a", "x"), ("b", None)], None], pa.map_(pa.string(), pa.string()))
    table = pa.table({"id": [1, 2], "h": headers, "at": pa.array([at, None])})
    write(topic.uri(headers="h", timestamp="at"), table)
    first, second = topic.messages()
    assert first.headers() == [("a", b"x"), ("b", None)]
    assert first.timestamp() == (TIMESTAMP_CREATE_TIME, round(at.timestamp() * 1000))
    assert second.headers() is None
    assert second.timestamp()[1] > round(at.timestamp() * 1000)


def test_a_topic_is_copied_with_keys_headers_and_timestamps(new_topic: NewTopic) -> None:
    first, second = new_topic(), new_topic()
    first.produce([b'{"id":1}', b'{"id":2}'], key="k", headers=[("h", b"v")], timestamp=1000)
    table = read(first.uri(metadata="key,headers,timestamp,partition,offset,topic"))
    write(second.uri(), table)
    for one, other in zip(first.messages(), second.messages(), strict=True):
        assert (one.key(), one.value(), one.headers(), one.timestamp()) == (
            other.key(),
            other.value(),
            other.headers(),
            other.timestamp(),
        )


def test_rows_of_nulls_are_tombstones_where_that_is_asked_for(topic: Topic) -> None:
    table = pa.table({"id": [1, 2], "name": pa.array(["a", None], pa.string())})
    write(topic.uri(key="id", tombstones="true"), table)
    assert [(m.key(), m.value()) for m in topic.messages()] == [
        (b"1", b'{"id":1,"name":"a"}'),
        (b"2", None),
    ]


@pytest.mark.parametrize("codec", ["none", "lz4", "zstd", "snappy", "gzip"])
def test_every_compression_can_be_read(topic: Topic, codec: str) -> None:
    write(topic.uri(compression=codec), sample())
    assert len(topic.values()) == 24


def test_more_messages_than_the_clients_queue_holds_are_sent(topic: Topic) -> None:
    rows = 1_100_000
    table = pa.table({"value": pa.array([b"x"] * rows)})
    write(topic.uri(format="bytes"), table)
    assert len(topic.messages()) == rows


# ── what is refused ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("options", "table", "error"),
    [
        ({"key": "nowhere"}, {"id": [1]}, "no column 'nowhere'"),
        ({"key": "id"}, {"id": [1.5]}, "a double is no key"),
        ({"partition": "id"}, {"id": ["a"]}, "not an integer"),
        ({"timestamp": "id"}, {"id": [1]}, "not a timestamp"),
        ({"headers": "id"}, {"id": [1]}, "not a map"),
        ({"format": "string"}, {"a": ["x"], "b": ["y"]}, "writes one column, not 2"),
        ({"format": "bytes"}, {"a": [1]}, "is int64, not binary"),
    ],
)
def test_columns_that_do_not_fit_the_options_are_named(
    topic: Topic, options: dict[str, str], table: dict[str, Any], error: str
) -> None:
    with pytest.raises(SchemaError, match=error):
        write(topic.uri(**options), pa.table(table))


def test_a_message_that_is_too_large_is_found_before_anything_is_sent(
    new_topic: NewTopic,
) -> None:
    topic = new_topic(max_message_bytes=3000)
    table = pa.table({"id": [1, 2], "text": ["x" * 10, "y" * 3000]})
    with pytest.raises(BadRecordError, match=r"max\.message\.bytes is 3,000") as found:
        write(topic.uri(), table.slice(1))
    assert found.value.reason == "message too large"
    assert topic.values(committed=False) == []


# ── topics ──────────────────────────────────────────────────────────────────────────────────────


def test_a_topic_is_created_as_it_is_asked_for(broker: KafkaBroker, topic: Topic) -> None:
    made = Topic(broker, f"{topic.name}-made")
    uri = made.uri(create_topic="true", topic_partitions=3, topic_replication=1)
    uri += "&topic_config=retention.ms=-1&topic_config=cleanup.policy=compact"
    write(f"{uri}&key=id", sample())
    with pytest.raises(ConfigurationError, match="takes only messages with a key: set key="):
        write(uri, sample(), ledger_topic=f"{topic.name}-other")
    assert len(made.values()) == 24
    resource = ConfigResource(ConfigResource.Type.TOPIC, made.name)
    settings = broker.admin.describe_configs([resource])[resource].result(30)
    assert settings["cleanup.policy"].value == "compact"
    assert len(broker.admin.list_topics(made.name).topics[made.name].partitions) == 3


def test_looking_at_a_sink_creates_nothing(broker: KafkaBroker, topic: Topic) -> None:
    made = Topic(broker, f"{topic.name}-made")
    findings = list(writer_of(made.uri(create_topic="true")).diagnose())
    assert [finding.state for finding in findings] == ["ok"]
    assert not [name for name in broker.admin.list_topics().topics if made.name in name]


def test_a_topic_that_is_not_there_is_named_with_what_to_do(broker: KafkaBroker) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere.*Unknown topic.*\n.*create_topic=true"):
        write(f"kafka://{broker.address}/nowhere", sample())


def test_a_topic_is_named_like_its_stream_where_the_uri_names_none(topic: Topic) -> None:
    writer = writer_of(f"kafka://{topic.broker.address}")
    writer.stream = topic.name
    assert writer.place == f"kafka://{topic.broker.address}/{topic.name}"
    with pytest.raises(ConfigurationError, match="which topic"):
        write(f"kafka://{topic.broker.address}", sample())


def test_what_the_ledger_holds_can_be_asked_and_forgotten(topic: Topic) -> None:
    write(topic.uri(), sample())
    writer = writer_of(topic.uri())
    (name,) = writer.holdings()
    assert (name, writer.holdings()[name].ledger.rows) == ("conformance", 24)
    from ferris_beam.ledger import Identity

    writer.open(Identity(name, "look", "plan"))
    try:
        writer.forget()
    finally:
        writer.close()
    assert not writer.holdings()
    assert len(topic.values()) == 24, "rows stay"
