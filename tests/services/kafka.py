"""A Kafka broker (KRaft, one node) in a folder of its own, and topics for single tests."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

from tests.services import processes
from tests.services.kafka_binaries import broker_jars, java

USER, PASSWORD = "reader", "pass-phrase-5d1f"
"""Who may come in by the listener that asks for it."""

_CLUSTER = "MkU3OEVBNTcwNTJENDM2Qg"
_SETTINGS: dict[str, object] = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,LOGIN:SASL_PLAINTEXT,"
    "CONTROLLER:PLAINTEXT",
    "sasl.enabled.mechanisms": "PLAIN",
    "listener.name.login.plain.sasl.jaas.config": "org.apache.kafka.common.security.plain."
    f'PlainLoginModule required username="{USER}" password="{PASSWORD}" '
    f'user_{USER}="{PASSWORD}";',
    "auto.create.topics.enable": "false",
    "default.replication.factor": 1,
    "min.insync.replicas": 1,
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 2,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 2,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": 500,
    "log.retention.check.interval.ms": 500,
    "log.initial.task.delay.ms": 500,
    "file.delete.delay.ms": 0,
    "log.cleaner.dedupe.buffer.size": 8 << 20,
    "log.index.size.max.bytes": 1 << 20,
    "num.network.threads": 2,
    "num.io.threads": 4,
    # Event times of tests lie in the past, which the default would delete at once.
    "log.retention.ms": -1,
}
_JVM = ["-Xms96m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:ReservedCodeCacheSize=64m", "-Xss256k"]
_TRIES = 2000
_LOGGING = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"


class KafkaBroker:
    """One node. ``port`` takes anybody, ``login_port`` those who know `USER` and `PASSWORD`."""

    def __init__(self, **settings: object) -> None:
        self.port, self.login_port = processes.free_port(), processes.free_port()
        self._controller = processes.free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="ferris-kafka-"))
        self.log = self.folder / "server.log"
        self._jars = broker_jars()
        self._process: subprocess.Popen[bytes] | None = None
        self._configure(settings)
        self._format()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns when the broker answers."""
        command = [*self._java(), "kafka.Kafka", self._configuration]
        self._process = processes.start(command, self.log)
        processes.wait_ready(self._process, self._ready, self.log)

    def stop(self) -> None:
        if self._process is not None:
            processes.end(self._process, signal.SIGTERM)
            self._process = None

    def kill(self) -> None:
        if self._process is not None:
            processes.kill(self._process)
            self._process = None

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Within, it answers nothing; afterwards it does what it was asked for."""
        process = psutil.Process(self.pid)
        process.suspend()
        try:
            while not all(state == "T" for state in _states(self.pid)):
                process.status()  # threads stop one after the other
            yield
        finally:
            process.resume()

    def remove(self) -> None:
        """Ends it and removes its folder: nobody asks what it kept."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pid(self) -> int:
        assert self._process is not None, "the broker does not run"
        return self._process.pid

    @cached_property
    def admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.address, "log_level": 0})

    @property
    def _configuration(self) -> Path:
        return self.folder / "server.properties"

    def _configure(self, settings: Mapping[str, object]) -> None:
        hosts = f"PLAINTEXT://127.0.0.1:{self.port},LOGIN://127.0.0.1:{self.login_port}"
        places: dict[str, object] = {
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller}",
            "listeners": f"{hosts},CONTROLLER://127.0.0.1:{self._controller}",
            "advertised.listeners": hosts,
            "log.dirs": self.folder / "data",
        }
        lines = (f"{k}={v}\n" for k, v in {**_SETTINGS, **places, **settings}.items())
        self._configuration.write_text("".join(lines))

    def _format(self) -> None:
        tool = [*self._java(), "kafka.tools.StorageTool", "format", "-t", _CLUSTER]
        processes.run([*tool, "-c", self._configuration])

    def _java(self) -> list[str | Path]:
        return [java("a Kafka broker"), *_JVM, _LOGGING, "-cp", f"{self._jars}/*"]

    def _ready(self) -> bool:
        try:
            return bool(self.admin.list_topics(timeout=0.5).brokers)
        except KafkaException:
            return False


def _states(pid: int) -> Iterator[str]:
    """Of all threads of a process, by Linux's letters."""
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        yield stat.read_text().rpartition(")")[2].split()[0]


@contextmanager
def running(**settings: object) -> Iterator[KafkaBroker]:
    """A broker that runs inside the ``with``."""
    broker = KafkaBroker(**settings)
    try:
        broker.start()
        yield broker
    finally:
        broker.remove()


@dataclass(frozen=True)
class Topic:
    """A topic of a broker, with what tests do to it by confluent-kafka itself."""

    broker: KafkaBroker
    name: str

    @classmethod
    def create(
        cls,
        broker: KafkaBroker,
        partitions: int = 1,
        name: str | None = None,
        **config: object,
    ) -> Topic:
        """A new topic; ``config`` has ``_`` where Kafka has dots."""
        made = cls(broker, name or f"test-{uuid.uuid4().hex[:12]}")
        settings = {key.replace("_", "."): str(value) for key, value in config.items()}
        new = NewTopic(made.name, partitions, 1, config={"retention.ms": "-1", **settings})
        broker.admin.create_topics([new])[made.name].result(30)
        made.wait_led(partitions)
        return made

    def wait_led(self, partitions: int) -> None:
        """Until clients are told of all partitions: a moment after the topic was created."""
        for _ in range(_TRIES):
            found = self.broker.admin.list_topics(self.name, timeout=30).topics[self.name]
            led = [each for each in found.partitions.values() if each.leader >= 0]
            if found.error is None and len(led) == partitions:
                return
        raise AssertionError(f"nobody leads {self.name}")

    def uri(self, **options: object) -> str:
        words = "&".join(f"{name}={value}" for name, value in options.items())
        return f"kafka://{self.broker.address}/{self.name}" + (f"?{words}" if words else "")

    def delete(self) -> None:
        self.broker.admin.delete_topics([self.name])[self.name].result(30)

    def grow(self, partitions: int) -> None:
        new = NewPartitions(self.name, partitions)
        self.broker.admin.create_partitions([new])[self.name].result(30)

    def delete_up_to(self, offset: int, partition: int = 0) -> None:
        """Removes messages, as retention does."""
        place = TopicPartition(self.name, partition, offset)
        self.broker.admin.delete_records([place])[place].result(30)

    def producer(self, **settings: object) -> Producer:
        base = {"bootstrap.servers": self.broker.address, "linger.ms": 5, "log_level": 0}
        return Producer({**base, **settings})

    def produce(self, values: Iterable[bytes | None], partition: int = 0, **message: Any) -> None:
        """Adds messages in one order; ``message`` has key, headers, timestamp."""
        producer = self.producer()
        for value in values:
            producer.produce(self.name, value, partition=partition, **message)
            producer.poll(0)
        assert producer.flush(30) == 0

    def messages(
        self, committed: bool = True, partitions: Sequence[int] | None = None
    ) -> list[Message]:
        """All messages that are there now, partition by partition."""
        settings = {
            "bootstrap.servers": self.broker.address,
            "group.id": f"look-{uuid.uuid4().hex}",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed" if committed else "read_uncommitted",
            "log_level": 0,
        }
        consumer = Consumer(settings)
        try:
            there = consumer.list_topics(self.name, 30).topics[self.name].partitions
            numbers = sorted(there if partitions is None else partitions)
            consumer.assign([TopicPartition(self.name, number, 0) for number in numbers])
            return _until_ends(consumer, len(numbers))
        finally:
            consumer.close()

    def values(self, committed: bool = True) -> list[bytes | None]:
        return [message.value() for message in self.messages(committed)]


def _until_ends(consumer: Consumer, partitions: int) -> list[Message]:
    found: list[Message] = []
    ended: set[int | None] = set()
    while len(ended) < partitions:
        for message in consumer.consume(1000, 0.05):
            error = message.error()
            if error is None:
                found.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                ended.add(message.partition())
            else:
                raise KafkaException(error)
    return sorted(found, key=lambda message: (message.partition() or 0, message.offset() or 0))
