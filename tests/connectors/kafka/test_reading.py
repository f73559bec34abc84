"""Where reading begins and ends, what is lost, what comes later, what messages have besides."""

from __future__ import annotations

import datetime as dt
import json
import logging
import time
from dataclasses import replace

import pyarrow as pa
import pytest
from confluent_kafka import Consumer, TopicPartition

from ferris_beam.connector import Chunk, Split
from ferris_beam.connectors.kafka.reading.rows import Watermark
from ferris_beam.errors import ConfigurationError, FatalError, SourceChangedError
from ferris_beam.testing.reading import part
from tests.connectors.kafka.conftest import NewTopic
from tests.connectors.kafka.endpoints import chunks_of, read, read_all, reader_of, reading
from tests.services.kafka import Topic


def numbered(*numbers: int) -> list[bytes]:
    return [json.dumps({"id": number}).encode() for number in numbers]


def ids(chunks: list[Chunk]) -> list[int]:
    return [number for chunk in chunks for number in chunk.records["id"].to_pylist()]


# ── beginning and end ───────────────────────────────────────────────────────────────────────────


def test_a_bounded_read_ends_where_the_topic_ended_when_it_started(topic: Topic) -> None:
    topic.produce(numbered(0, 1, 2))
    with reading(topic.uri(until="now")) as reader:
        splits = list(reader.splits({}))
        topic.produce(numbered(3))
        assert ids([chunk for split in splits for chunk in reader.read(split)]) == [0, 1, 2]


def test_a_time_is_where_it_begins_or_ends(topic: Topic) -> None:
    base = 1_700_000_000_000
    for number in range(6):
        topic.produce(numbered(number), timestamp=base + number * 1000)
    at = "2023-11-14T22:13:23Z"  # base + 3 s
    assert read(topic.uri(start=at))["id"].to_pylist() == [3, 4, 5]
    assert read(topic.uri(until=at))["id"].to_pylist() == [0, 1, 2]


def test_offsets_say_where_partitions_begin(new_topic: NewTopic) -> None:
    topic = new_topic(3)
    for partition in range(3):
        topic.produce(numbered(*range(partition * 10, partition * 10 + 4)), partition)
    found = read(topic.uri(start="0:2,2:3"))["id"].to_pylist()
    assert sorted(found) == [2, 3, 10, 11, 12, 13, 23]


def test_only_some_partitions_are_read(new_topic: NewTopic) -> None:
    topic = new_topic(3)
    for partition in range(3):
        topic.produce(numbered(partition), partition)
    assert sorted(read(topic.uri(partitions="0,2"))["id"].to_pylist()) == [0, 2]
    with pytest.raises(ConfigurationError, match="has no partition 7; it has 3"):
        read(topic.uri(partitions="7"))


def test_latest_is_remembered_by_the_ledger_and_not_found_out_again(topic: Topic) -> None:
    """A restart goes on where the first run began, although nothing had come by then."""
    topic.produce(numbered(0, 1, 2))
    with reading(topic.uri(start="latest")) as reader:
        (split,) = reader.splits({})
        (first,) = reader.read(split)
        assert (split.interval.start, first.end, first.records.num_rows) == (2, 3, 0)
    topic.produce(numbered(3, 4))
    with reading(topic.uri(start="latest")) as reader:
        (again,) = reader.splits({split.interval.unit: split.identity})
        assert (again.interval, again.identity) == (split.interval, split.identity)
        assert ids(list(reader.read(again))) == [3, 4]


def test_a_group_says_where_to_begin_and_is_told_how_far_sinks_are(topic: Topic) -> None:
    topic.produce(numbered(*range(10)))
    uri = topic.uri(start="group", group_id=f"of-{topic.name}")
    with reading(uri) as reader:
        (split,) = reader.splits({})
        assert ids(list(reader.read(split))) == list(range(10))
        assert reader.confirms
        reader.acknowledge(split, 6)
        _wait_until(lambda: _committed(topic) == 6)
    with reading(uri) as reader:
        assert ids([chunk for _, chunk in chunks_of(reader)]) == [6, 7, 8, 9]


def _committed(topic: Topic) -> int:
    settings = {"bootstrap.servers": topic.broker.address, "group.id": f"of-{topic.name}"}
    consumer = Consumer(settings)
    try:
        (found,) = consumer.committed([TopicPartition(topic.name, 0)], 30)
        return int(found.offset)
    finally:
        consumer.close()


def _wait_until(condition: object, seconds: float = 30) -> None:
    assert callable(condition)
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen"


# ── what comes later, and what is gone ──────────────────────────────────────────────────────────


def test_partitions_and_topics_that_come_later_are_listed_and_read_from_their_start(
    new_topic: NewTopic,
) -> None:
    first = new_topic()
    prefix = first.name
    first.produce(numbered(0))
    uri = f"kafka://{first.broker.address}?pattern={prefix}.*&start=latest&schema=id:int64"
    with reading(uri) as reader:
        known = {split.interval.unit: split.identity for split in reader.splits({})}
        assert list(known) == [f"{prefix}/0"]
        first.grow(2)
        second = new_topic(name=f"{prefix}-more")
        first.produce(numbered(1), partition=1)
        second.produce(numbered(2))
        _wait_until(lambda: len(list(reader.splits(known))) == 3)
        later = [split for split in reader.splits(known) if split.interval.unit not in known]
        assert ids([chunk for split in later for chunk in reader.read(split)]) == [1, 2]


def test_retention_that_overtook_the_reader_is_an_error_that_says_what_to_do(topic: Topic) -> None:
    topic.produce(numbered(*range(20)))
    with reading(topic.uri(until="now", batch_rows=5)) as reader:
        (split,) = reader.splits({})
        next(iter(reader.read(split)))
    topic.delete_up_to(12)
    left = _from(split, 5)
    with (
        reading(topic.uri(until="now")) as reader,
        pytest.raises(FatalError, match=r"messages 5 to 11 were deleted.*\n.*on_data_loss="),
    ):
        list(reader.read(left))


def test_with_on_data_loss_reading_goes_on_and_says_so(
    topic: Topic, caplog: pytest.LogCaptureFixture
) -> None:
    topic.produce(numbered(*range(20)))
    uri = topic.uri(until="now", on_data_loss="earliest", schema="id:int64")
    with reading(uri) as reader:
        (split,) = reader.splits({})
    topic.delete_up_to(12)
    with caplog.at_level(logging.WARNING), reading(uri) as reader:
        chunks = list(reader.read(_from(split, 5)))
    assert (ids(chunks), chunks[-1].end) == (list(range(12, 20)), 20)
    assert sum(chunk.lost for chunk in chunks) == 7
    assert "messages 5 to 11 were deleted before they were read" in caplog.text


def test_what_is_lost_is_counted_within_each_chunk_that_covers_it(topic: Topic) -> None:
    topic.produce(numbered(*range(20)))
    uri = topic.uri(until="now", on_data_loss="earliest", schema="id:int64")
    with reading(uri) as reader:
        (split,) = reader.splits({})
    topic.delete_up_to(12)
    with reading(uri) as reader:
        left = replace(_from(split, 5), borders=(8, 15))
        found = [(chunk.end, chunk.lost, ids([chunk])) for chunk in reader.read(left)]
    assert found == [(8, 3, []), (15, 4, [12, 13, 14]), (20, 0, [15, 16, 17, 18, 19])]


def test_what_was_deleted_before_the_first_run_is_no_loss(topic: Topic) -> None:
    topic.produce(numbered(*range(20)))
    topic.delete_up_to(12)
    assert read(topic.uri())["id"].to_pylist() == list(range(12, 20))


def test_a_topic_that_was_created_again_is_refused(topic: Topic) -> None:
    topic.produce(numbered(1))
    with reading(topic.uri(until="now")) as reader:
        (split,) = reader.splits({})
    topic.delete()
    Topic.create(topic.broker, 1, topic.name).produce(numbered(2))
    with (
        reading(topic.uri(until="now")) as reader,
        pytest.raises(SourceChangedError, match="was deleted and created again"),
    ):
        list(reader.read(split))


def _from(split: Split, start: int) -> Split:
    return part(split, start, split.interval.end)


# ── transactions ────────────────────────────────────────────────────────────────────────────────


def test_an_open_transaction_is_waited_for_and_an_aborted_one_is_never_seen(topic: Topic) -> None:
    producer = topic.producer(**{"transactional.id": f"of-{topic.name}"})
    producer.init_transactions(30)
    with reading(topic.uri(schema="id:int64")) as reader:
        (split,) = reader.splits({})
        producer.begin_transaction()
        producer.produce(topic.name, numbered(1)[0])
        producer.flush(30)
        assert not list(reader.read(split)), "it is not committed yet"
        producer.commit_transaction(30)
        producer.begin_transaction()
        producer.produce(topic.name, numbered(2)[0])
        producer.flush(30)
        producer.abort_transaction(30)
        found: list[Chunk] = []
        end = 0

        def all_there() -> bool:
            nonlocal end
            for chunk in reader.read(_from(split, end)):
                found.append(chunk)
                end = chunk.end
            return end == 4  # two messages and their markers

        _wait_until(all_there)
    assert ids(found) == [1]
    uncommitted = topic.uri(isolation="read_uncommitted", schema="id:int64")
    assert read(uncommitted)["id"].to_pylist() == [1, 2]


# ── what messages have besides ──────────────────────────────────────────────────────────────────


def test_keys_headers_timestamps_and_places_are_columns_where_they_are_asked_for(
    topic: Topic,
) -> None:
    headers = [("trace", b"\x01"), ("trace", b"\x02")]
    topic.produce(numbered(7), key="k", headers=headers, timestamp=1_700_000_000_123)
    columns = "key,headers,timestamp,partition,offset,topic"
    table = read(topic.uri(metadata=columns))
    assert table.to_pylist() == [
        {
            "id": 7,
            "_key": b"k",
            "_headers": headers,
            "_timestamp": dt.datetime(2023, 11, 14, 22, 13, 20, 123000, dt.timezone.utc),
            "_partition": 0,
            "_offset": 0,
            "_topic": topic.name,
        }
    ]


def test_a_key_that_should_be_text_and_is_not_rejects_its_message(topic: Topic) -> None:
    topic.produce(numbered(1), key="one")
    topic.produce(numbered(2), key=b"\xff")
    topic.produce(numbered(3))
    table, rejects = read_all(topic.uri(metadata="key", key_format="string"))
    assert table.to_pylist() == [{"id": 1, "_key": "one"}, {"id": 3, "_key": None}]
    assert [(each.position, each.reason) for each in rejects] == [
        (1, "its key is not UTF-8; set key_format=bytes")
    ]


@pytest.mark.parametrize(("kept", "wanted"), [("null", [1, None, 2, None]), ("skip", [1, 2])])
def test_tombstones_are_rows_of_nulls_or_none(
    topic: Topic, kept: str, wanted: list[int | None]
) -> None:
    topic.produce([*numbered(1), None, *numbered(2), None], key="k")
    table = read(topic.uri(tombstones=kept, metadata="offset"))
    assert table["id"].to_pylist() == wanted
    offsets = [0, 1, 2, 3] if kept == "null" else [0, 2]
    assert table["_offset"].to_pylist() == offsets


def test_a_pushed_down_projection_decodes_only_what_is_asked_for(topic: Topic) -> None:
    topic.produce([b'{"id":1,"name":"a","x":[1,2]}'])
    reader, residual = reader_of(topic.uri(metadata="offset,key", until="now")).pushdown(
        ["_offset", "id"]
    )
    assert residual.columns is None
    reader.open()
    try:
        assert reader.schema() == pa.schema([("_offset", pa.int64()), ("id", pa.int64())])
        assert [c.records.to_pylist() for _, c in chunks_of(reader)] == [[{"_offset": 0, "id": 1}]]
    finally:
        reader.close()


# ── watermarks ──────────────────────────────────────────────────────────────────────────────────


def test_the_watermark_follows_the_highest_time_and_stays_behind_by_the_disorder(
    topic: Topic,
) -> None:
    for second in (10, 30, 20):
        topic.produce(numbered(second), timestamp=1_700_000_000_000 + second * 1000)
    with reading(topic.uri(batch_rows=1, out_of_orderness="5s")) as reader:
        chunks = [chunk for _, chunk in chunks_of(reader)]
    base = 1_700_000_000_000_000
    assert [chunk.watermark for chunk in chunks] == [
        base + 5_000_000,
        base + 25_000_000,
        base + 25_000_000,
    ]
    assert [chunk.timestamp for chunk in chunks] == [
        base + 10_000_000,
        base + 30_000_000,
        base + 20_000_000,
    ]


def test_a_clock_in_2099_does_not_drag_the_watermark(topic: Topic) -> None:
    now = round(time.time() * 1000)
    topic.produce(numbered(1), timestamp=now)
    topic.produce(numbered(2), timestamp=4_070_908_800_000)
    with reading(topic.uri()) as reader:
        ((_, chunk),) = chunks_of(reader)
    assert chunk.watermark == (now - 5000) * 1000


def test_a_column_may_be_the_event_time(topic: Topic) -> None:
    topic.produce([b'{"at":"2024-01-01T00:00:10Z"}', b'{"at":null}'])
    with reading(topic.uri(event_time="at", out_of_orderness="1s")) as reader:
        ((_, chunk),) = chunks_of(reader)
    at = round(dt.datetime(2024, 1, 1, 0, 0, 10, tzinfo=dt.timezone.utc).timestamp() * 1e6)
    assert (chunk.timestamp, chunk.watermark) == (at, at - 1_000_000)


def test_a_restart_goes_on_with_the_watermark_that_its_mark_tells() -> None:
    import numpy as np

    first = Watermark(10, 0, "")
    first.advance(np.array([100, 50]))
    again = Watermark(10, 0, first.mark)
    again.advance(np.array([70]))
    assert (first.promised, again.promised) == (90, 90)
