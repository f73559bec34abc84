"""The broker itself, killed and started again while topics are copied."""

from __future__ import annotations

import random
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.chaos.endless import stopped_cleanly, wait_until
from tests.connectors.kafka.test_pipelines import Messages, TopicCopy
from tests.services import kafka
from tests.services.kafka import Topic


class Load(Messages):
    """Messages that are written all the time, also again and again while nobody answers: each is
    in the topic once, as idempotent producers have it."""

    def __init__(self, topic: Topic, partitions: int, folder: Path) -> None:
        super().__init__(topic, partitions, folder)
        self.producer = topic.producer(**{"enable.idempotence": True})

    @contextmanager
    def going_on(self) -> Iterator[None]:
        ended = threading.Event()
        writer = threading.Thread(target=self._write_until, args=(ended,))
        writer.start()
        try:
            yield
        finally:
            ended.set()
            writer.join()

    def _write_until(self, ended: threading.Event) -> None:
        while not ended.wait(0.02):
            self.write()


def test_a_broker_that_is_killed_under_load_costs_and_doubles_no_message(
    tmp_path: Path, kills: int
) -> None:
    """Starting the broker takes long: so it is killed less often than pipelines are."""
    chance = random.Random(kills)
    with kafka.running() as broker:
        topic, target = Topic.create(broker, 2), Topic.create(broker, 2)
        uri = topic.uri(schema="id:int64,text:string", discover_interval="1s")
        load = Load(topic, 2, tmp_path / "in")
        load.write(2)
        to_file = TopicCopy(uri, tmp_path / "file", name="to-file")
        to_topic = TopicCopy(uri, tmp_path / "topic", name="to-topic", target=target)
        processes = [copy.start() for copy in (to_file, to_topic)]
        try:
            for copy, process in zip((to_file, to_topic), processes, strict=True):
                wait_until(lambda copy=copy: copy.written().total() > 0, process)  # type: ignore[misc]
            with load.going_on():
                for _ in range(max(1, kills - 2)):
                    goal = to_file.written().total() + chance.randint(40, 400)
                    wait_until(lambda goal=goal: to_file.written().total() >= goal, processes[0])  # type: ignore[misc]
                    broker.kill()
                    broker.start()
            for copy, process in zip((to_file, to_topic), processes, strict=True):
                wait_until(lambda copy=copy: arrived(copy, load), process)  # type: ignore[misc]
                stopped_cleanly(process, signal.SIGTERM)
                assert copy.written() == Counter(range(load.total))
                assert copy.rejected() == Counter(load.bad)
        finally:
            for process in processes:
                _end(process)


def arrived(copy: TopicCopy, load: Load) -> bool:
    return copy.written().total() >= load.total and copy.rejected().total() >= len(load.bad)


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.kill()
        process.communicate()
