"""``python -m pipelines.copy`` with topics at either end, also killed and started again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from confluent_kafka import Consumer, TopicPartition

import ferris_beam as fb
from ferris_beam.transforms.meter import tally
from tests.chaos.endless import EndlessCopy, Input, kill_while_written, stopped_cleanly, wait_until
from tests.chaos.harness import ROOT
from tests.connectors.kafka.conftest import NewTopic
from tests.services.kafka import Topic


def copy(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipelines.copy", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def ids(values: Sequence[bytes | None]) -> list[int]:
    return sorted(json.loads(value)["id"] for value in values if value)


def test_a_file_becomes_a_topic_and_a_topic_a_file(new_topic: NewTopic, tmp_path: Path) -> None:
    topic = new_topic(3)
    lines = [json.dumps({"id": n, "text": f"text {n}"}) for n in range(5000)]
    (tmp_path / "in.jsonl").write_text("\n".join(lines) + "\n")
    there = copy("--source", tmp_path / "in.jsonl", "--sink", topic.uri(key="id"))
    assert there.returncode == 0, there.stderr
    assert ids(topic.values()) == list(range(5000))
    back = copy("--source", topic.uri(until="now"), "--sink", tmp_path / "out.jsonl")
    assert back.returncode == 0, back.stderr
    assert sorted(Path(tmp_path / "out.jsonl").read_text().splitlines()) == sorted(
        line.replace(": ", ":").replace(", ", ",") for line in lines
    )


def test_a_bounded_copy_goes_on_behind_its_end_when_it_is_started_again(
    topic: Topic, tmp_path: Path
) -> None:
    arguments = ("--name", "daily", "--source", topic.uri(until="now"), "--sink")
    for first in (0, 10, 20):
        topic.produce([json.dumps({"id": n}).encode() for n in range(first, first + 10)])
        done = copy(*arguments, f"{tmp_path}/out.jsonl")
        assert done.returncode == 0, done.stderr
        written = (tmp_path / "out.jsonl").read_bytes().splitlines()
        assert ids(written) == list(range(first + 10))


def test_messages_that_retention_took_are_counted_where_going_on_is_allowed(
    topic: Topic, tmp_path: Path
) -> None:
    sink = tmp_path / "out.jsonl"
    topic.produce([json.dumps({"id": n}).encode() for n in range(5)])
    assert copied(topic, sink, on_data_loss="earliest")["data.positions_lost"] == 0
    topic.produce([json.dumps({"id": n}).encode() for n in range(5, 20)])
    topic.delete_up_to(12)
    with pytest.raises(fb.errors.FatalError, match="messages 5 to 11 were deleted"):
        copied(topic, sink)
    assert copied(topic, sink, on_data_loss="earliest")["data.positions_lost"] == 7
    assert ids(sink.read_bytes().splitlines()) == [*range(5), *range(12, 20)]


def copied(topic: Topic, sink: Path, **options: str) -> Counter[str]:
    """What the runs of one pipeline, up to what is there now, count."""
    uri = topic.uri(until="now", schema="id:int64", **options)
    flags = [f"--name={topic.name}", "--direct_num_workers=1", "--continue"]

    def build(root: Any) -> None:
        root | fb.create_source(uri) | fb.create_sink(f"file://{sink}")

    return tally(fb.launch(build, PipelineOptions(flags), quiet=True).run)


def test_bad_messages_go_to_the_dead_letters_with_their_bytes(topic: Topic, tmp_path: Path) -> None:
    topic.produce([b'{"id":1}', b"{bad", b'{"id":2}'])
    arguments = ("--source", topic.uri(until="now"), "--sink", tmp_path / "out.jsonl")
    strict = copy(*arguments)
    assert strict.returncode == 1
    assert f"offset 1 of {topic.name} [0]" in strict.stderr
    done = copy(*arguments, "--dead-letters", tmp_path / "dead.jsonl")
    assert done.returncode == 0, done.stderr
    (letter,) = map(json.loads, (tmp_path / "dead.jsonl").read_text().splitlines())
    assert (letter["payload"], letter["category"]) == ("{bad", "parsing")


# ── killed ──────────────────────────────────────────────────────────────────────────────────────


class Messages(Input):
    """Messages of all partitions of a topic; some are broken."""

    def __init__(self, topic: Topic, partitions: int, folder: Path) -> None:
        super().__init__(folder)
        self.topic, self.partitions = topic, partitions
        self.producer = topic.producer()

    def write(self, times: int = 1) -> None:
        for _ in range(times):
            for identifier in self.identifiers(20):
                place = identifier % self.partitions
                document = {"id": identifier, "text": f"text {identifier}"}
                self.producer.produce(
                    self.topic.name, json.dumps(document), partition=place, key=str(identifier)
                )
                if identifier % 9 == 4:
                    bad = f'{{"id": "bad{identifier}"}}'
                    self.producer.produce(self.topic.name, bad, partition=place)
                    self.bad.add(bad)
            assert self.producer.flush(30) == 0


@dataclass
class TopicCopy(EndlessCopy):
    """From a topic into a growing file, or, with ``target``, into a topic."""

    target: Topic | None = None

    def start(self) -> subprocess.Popen[str]:
        sink = f"file://{self.out}/rows.jsonl" if self.target is None else self.target.uri()
        command = [
            *(sys.executable, "-m", "pipelines.copy", "--quiet", "--name", self.name),
            *("--source", self.source, "--sink", sink),
            *("--dead-letters", f"file://{self.out}/rejected.jsonl"),
        ]
        self.out.mkdir(exist_ok=True)
        return subprocess.Popen(
            command, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    def written(self) -> Counter[int]:
        if self.target is None:
            return super().written()
        return Counter(ids(self.target.values()))


@pytest.mark.parametrize("sink", ["file", "topic"])
def test_every_message_is_written_once_under_sigkill(
    new_topic: NewTopic, tmp_path: Path, sink: str
) -> None:
    topic = new_topic(2)
    source = Messages(topic, 2, tmp_path / "in")
    uri = topic.uri(schema="id:int64,text:string", discover_interval="1s", request_timeout="10s")
    target = new_topic(2) if sink == "topic" else None
    endless = TopicCopy(uri, tmp_path / "out", target=target)
    assert kill_while_written(endless, source, kills=2, seed=1) == 2


def test_a_running_copy_reads_new_partitions_and_commits_offsets_for_its_group(
    topic: Topic, tmp_path: Path
) -> None:
    topic.produce([json.dumps({"id": n}).encode() for n in range(10)])
    group = f"of-{topic.name}"
    uri = topic.uri(schema="id:int64", discover_interval="200ms", group_id=group)
    endless = TopicCopy(uri, tmp_path / "out")
    process = endless.start()
    wait_until(lambda: endless.written().total() == 10, process)
    topic.grow(2)
    topic.produce([json.dumps({"id": n}).encode() for n in range(10, 15)], partition=1)
    wait_until(lambda: endless.written().total() == 15, process)
    wait_until(lambda: _committed(topic, group) == [10, 5], process)
    stopped_cleanly(process, 2)
    assert endless.written() == Counter(range(15))
    assert os.listdir(tmp_path / "out")


def test_offsets_of_all_partitions_are_committed_where_no_others_are_looked_for(
    new_topic: NewTopic, tmp_path: Path
) -> None:
    topic = new_topic(2)
    for partition in (0, 1):
        topic.produce(
            [json.dumps({"id": 10 * partition + n}).encode() for n in range(5)], partition
        )
    group = f"of-{topic.name}"
    uri = topic.uri(schema="id:int64", discover_interval="0", group_id=group)
    endless = TopicCopy(uri, tmp_path / "out")
    process = endless.start()
    wait_until(lambda: _committed(topic, group) == [5, 5], process)
    stopped_cleanly(process, 2)
    assert endless.written() == Counter([*range(5), *range(10, 15)])


def _committed(topic: Topic, group: str) -> list[int]:
    consumer = Consumer({"bootstrap.servers": topic.broker.address, "group.id": group})
    try:
        found = consumer.committed([TopicPartition(topic.name, n) for n in (0, 1)], 30)
        return [place.offset for place in found]
    finally:
        consumer.close()
