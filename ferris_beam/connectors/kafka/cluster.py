"""Where brokers are and how they are reached; topics, their identities and offsets."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import Any, TypeVar

from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, ConfigResource, OffsetSpec

from ferris_beam.connectors.kafka.failures import Heard, explained, is_leaderless, of_error
from ferris_beam.connectors.kafka.options import ConnectionOptions
from ferris_beam.errors import ConfigurationError
from ferris_beam.options import Secret
from ferris_beam.uri import Uri

T = TypeVar("T")

LEDGERS = "_ferris_ledger."
"""How the topics of ledgers begin, where no option names them."""

_DEFAULT_PORT = 9092
_POLL = 0.25
_BASE: dict[str, Any] = {
    "client.id": "ferris_beam",
    "log_level": 0,  # what matters comes by the error callback
    "reconnect.backoff.ms": 50,
    "reconnect.backoff.max.ms": 1000,
    "socket.connection.setup.timeout.ms": 5000,
    "socket.keepalive.enable": True,
}


@dataclass(frozen=True)
class TopicInfo:
    """A topic that is there; ``id`` changes when it is deleted and created again."""

    name: str
    id: str
    partitions: tuple[int, ...]


@dataclass(frozen=True)
class Cluster:
    """Some brokers. Pickles without secrets; connects in the worker."""

    brokers: tuple[str, ...]
    settings: tuple[tuple[str, str], ...]
    secrets: tuple[tuple[str, Secret], ...]
    timeout: float

    @classmethod
    def of(cls, uri: Uri, options: ConnectionOptions) -> Cluster:
        """Raises `ConfigurationError` where the URI names no broker."""
        if not uri.hosts:
            raise ConfigurationError(
                "a Kafka URI names brokers, as kafka://b1:9092,b2:9092/topic; KAFKA_BROKERS may "
                "name them, too"
            )
        brokers = tuple(_broker(host.name, host.port or _DEFAULT_PORT) for host in uri.hosts)
        user = options.librdkafka_sasl_username or options.sasl_username
        protocol = options.librdkafka_security_protocol or options.security_protocol
        settings = {
            "security.protocol": protocol or ("SASL_SSL" if user else "PLAINTEXT"),
            "sasl.mechanism": options.librdkafka_sasl_mechanism or options.sasl_mechanism,
            "sasl.username": user,
        }
        if not str(settings["security.protocol"]).startswith("SASL"):
            del settings["sasl.mechanism"]
        for name in ("ssl_ca_location", "ssl_certificate_location", "ssl_key_location"):
            given = getattr(options, f"librdkafka_{name}") or getattr(options, name)
            settings[name.replace("_", ".")] = given
        secrets = {
            "sasl.password": options.librdkafka_sasl_password or options.sasl_password,
            "ssl.key.password": options.librdkafka_ssl_key_password or options.ssl_key_password,
        }
        return cls(
            brokers,
            tuple((name, value) for name, value in settings.items() if value),
            tuple((name, value) for name, value in secrets.items() if value is not None),
            options.request_timeout.total_seconds(),
        )

    @property
    def display(self) -> str:
        """In one spelling and without secrets: ``kafka://b1:9092,b2:9092``."""
        return f"kafka://{','.join(sorted(self.brokers))}"

    # ── clients ─────────────────────────────────────────────────────────────────────────────

    def consumer(self, heard: Heard, **settings: Any) -> Consumer:
        return self._client(Consumer, heard, settings)

    def producer(self, heard: Heard, **settings: Any) -> Producer:
        return self._client(Producer, heard, settings)

    def admin(self, heard: Heard) -> AdminClient:
        return self._client(AdminClient, heard, {})

    def _client(self, kind: Callable[[dict[str, Any]], T], heard: Heard, more: Any) -> T:
        """A client; the names of ``more`` have ``_`` where librdkafka's have dots."""
        settings = {name.replace("_", "."): value for name, value in more.items()}
        secrets = {name: secret.resolve() for name, secret in self.secrets}
        base = {**_BASE, "bootstrap.servers": ",".join(self.brokers), "error_cb": heard}
        with explained(self.display):
            return kind({**base, **dict(self.settings), **secrets, **settings})


class Admin:
    """Questions to a cluster, each answered in time or with an error of ours."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._connect()

    def _connect(self) -> None:
        self._heard = Heard()
        self.client: AdminClient = self._cluster.admin(self._heard)

    def display(self, topic: str) -> str:
        return f"{self._cluster.display}/{topic}"

    def topics(self, names: Sequence[str]) -> list[TopicInfo]:
        """Raises `ConfigurationError` where one is not there; none is created by asking."""
        asked = self.client.describe_topics(TopicCollection(list(names)))
        found = []
        for name in names:
            answer = self.answer(asked[name], self.display(name))
            numbers = tuple(sorted(each.id for each in answer.partitions))
            found.append(TopicInfo(name, str(answer.topic_id), numbers))
        return found

    def wait_for(self, name: str) -> None:
        """Until a topic that was just created is known to the broker that answers."""
        until = time.monotonic() + self._cluster.timeout
        while True:
            try:
                self.topics([name])
                return
            except ConfigurationError:
                if time.monotonic() >= until:
                    raise
                self.client.poll(_POLL / 10)

    def matching(self, pattern: str) -> list[TopicInfo]:
        """The topics whose whole name fits; those of ledgers, and Kafka's own, don't count."""
        names = [name for name in self.names() if is_matching(pattern, name)]
        return self.topics(names) if names else []

    def names(self) -> list[str]:
        """All topics but Kafka's own."""
        return sorted(name for name in self._listed() if not name.startswith("__"))

    def _listed(self) -> Iterable[str]:
        until = time.monotonic() + self._cluster.timeout
        while True:
            try:
                return self.client.list_topics(timeout=_POLL * 4).topics
            except KafkaException as error:
                self.client.poll(0)
                self._heard.raise_if_final(self._cluster.display)
                if time.monotonic() >= until:
                    raise self._no_answer(error.args[0]) from error

    def offsets(
        self, asked: Mapping[tuple[str, int], OffsetSpec], committed: bool = True
    ) -> dict[tuple[str, int], int]:
        """Offsets by topic and partition; -1 where nothing is behind a time. ``committed``: the
        end is where the first open transaction begins."""
        level = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED
        wanted = {TopicPartition(*place): spec for place, spec in asked.items()}
        if not wanted:
            return {}
        answers = self.client.list_offsets(wanted, isolation_level=level)
        found = {}
        for place, future in answers.items():
            answer = self.answer(future, self.display(place.topic))
            found[place.topic, place.partition] = answer.offset
        return found

    def topic_settings(self, name: str) -> dict[str, str]:
        resource = ConfigResource(ConfigResource.Type.TOPIC, name)
        (future,) = self.client.describe_configs([resource]).values()
        answer = self.answer(future, self.display(name))
        return {key: entry.value for key, entry in answer.items()}

    def answer(self, future: Future[T], display: str) -> T:
        """The result of a question; raises an error of ours."""
        until = time.monotonic() + self._cluster.timeout
        while True:
            try:
                return future.result(_POLL)
            except FutureTimeoutError:
                pass
            except KafkaException as error:
                if error.args[0].code() == KafkaError._TIMED_OUT:
                    raise self._no_answer(error.args[0]) from error
                if is_leaderless(error.args[0]):
                    self._connect()  # this client believes what it knew of leaders for minutes
                raise of_error(error.args[0], display) from error
            self.client.poll(0)
            self._heard.raise_if_final(self._cluster.display)
            if time.monotonic() >= until:
                raise self._heard.unreachable(self._cluster.display, self._cluster.timeout)

    def _no_answer(self, error: KafkaError) -> Exception:
        if error.code() == KafkaError._TIMED_OUT:
            return self._heard.unreachable(self._cluster.display, self._cluster.timeout)
        return of_error(error, self._cluster.display)


def is_matching(pattern: str, name: str) -> bool:
    return re.fullmatch(pattern, name) is not None and not name.startswith(LEDGERS)


def topics_of(uri: Uri) -> tuple[str, ...]:
    """The topics that the path names."""
    return tuple(name.strip() for name in uri.path.strip("/").split(",") if name.strip())


def _broker(name: str, port: int) -> str:
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
