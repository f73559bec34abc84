"""A transactional producer, which is made anew where it is no longer good."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from ferris_beam.connectors.kafka.cluster import Cluster
from ferris_beam.connectors.kafka.failures import Heard, explained, of_error
from ferris_beam.connectors.kafka.writing.messages import Messages

_AT_A_TIME = 10_000


class Transactions:
    """Transactions under one transactional id, one after the other.

    After an error whose transaction can't simply be aborted, the producer is dropped; the next one
    has the same id, so that the broker first ends what the former left open: it commits what was
    about to be committed, and aborts the rest.
    """

    def __init__(self, cluster: Cluster, id: str, timeout: float, settings: dict[str, Any]) -> None:
        self.id = id
        self._cluster = cluster
        self._wait = cluster.timeout
        self._settings = {
            "transactional_id": id,
            "transaction_timeout_ms": round(timeout * 1000),
            "enable_idempotence": True,
            "queue_buffering_max_messages": 1_000_000,
            "queue_buffering_max_kbytes": 256 << 10,
            "retry_backoff_ms": 10,
            "retry_backoff_max_ms": 200,
            **settings,
        }
        self._producer: Producer | None = None
        self._heard = Heard()
        self._open = False

    def close(self) -> None:
        """Leaves nothing of an open transaction behind, if the broker can be reached."""
        try:
            self.abort()
        finally:
            self._producer = None

    def ready(self) -> Producer:
        """A producer that holds the id: what was before it is decided."""
        if self._producer is None:
            self._heard = Heard()
            producer = self._cluster.producer(self._heard, **self._settings)
            try:
                _connect(producer, self._wait)
                producer.init_transactions(self._wait)
            except KafkaException as error:
                producer.poll(0)
                raise self._explained(error) from error
            self._producer = producer
        return self._producer

    def begin(self) -> None:
        producer = self.ready()
        with self._dropping():
            producer.begin_transaction()
        self._open = True

    def send_one(self, topic: str, key: bytes, value: bytes) -> int:
        """The offset in partition 0, once it is there."""
        producer = self.ready()
        outcome: list[tuple[KafkaError | None, Message]] = []
        with self._dropping():
            producer.produce(
                topic, value, key, 0, on_delivery=lambda error, m: outcome.append((error, m))
            )
            self._flush(producer)
            error, message = outcome[0]
            if error is not None:
                raise KafkaException(error)
        return message.offset() or 0

    def queue_one(self, topic: str, key: bytes, value: bytes | None) -> None:
        producer = self.ready()
        with self._dropping():
            producer.produce(topic, value, key, 0)

    def send(self, topic: str, parts: Iterable[Messages]) -> None:
        """Returns when all is with the broker."""
        producer = self.ready()
        with self._dropping():
            for part in parts:
                if part.headers is not None or part.timestamps is not None:
                    self._send_singly(producer, topic, part)  # batches know neither
                    continue
                for partition, documents in part.batches():
                    self._send_batches(producer, topic, partition, documents)
            self._flush(producer)

    def _send_batches(
        self, producer: Producer, topic: str, partition: int, documents: list[dict[str, Any]]
    ) -> None:
        for at in range(0, len(documents), _AT_A_TIME):
            some = documents[at : at + _AT_A_TIME]
            while some:
                queued = producer.produce_batch(topic, some, partition)
                producer.poll(0)
                if queued == len(some):
                    break
                some = [document for document in some if self._is_left(document)]
                producer.poll(0.05)

    @staticmethod
    def _is_left(document: dict[str, Any]) -> bool:
        """Whether a message did not fit into the queue; raises where it never will."""
        error = document.pop("_error", None)
        if error is None:
            return False
        if error.code() != KafkaError._QUEUE_FULL:
            raise KafkaException(error)
        return True

    @staticmethod
    def _send_singly(producer: Producer, topic: str, part: Messages) -> None:
        for message in part.one_by_one():
            while True:
                try:
                    producer.produce(topic, **message)
                    break
                except BufferError:
                    producer.poll(0.05)
        producer.poll(0)

    def _flush(self, producer: Producer) -> None:
        """Waits as long as something moves."""
        left = len(producer)
        while left:
            now = producer.flush(self._wait)
            self._heard.raise_if_final(self._cluster.display)
            if now >= left:
                raise self._heard.unreachable(self._cluster.display, self._wait)
            left = now

    def commit(self) -> None:
        """After an error nobody knows yet whether it is committed."""
        producer = self.ready()
        try:
            producer.commit_transaction(self._wait)
        except KafkaException as error:
            if error.args[0].txn_requires_abort():
                self._abort(producer)
            self._drop()
            raise self._explained(error) from error
        self._open = False

    def abort(self) -> None:
        """Ends an open transaction; does nothing where there is none."""
        if self._open and self._producer is not None:
            self._abort(self._producer)
        self._open = False

    def _abort(self, producer: Producer) -> None:
        try:
            producer.abort_transaction(self._wait)
        except KafkaException:
            self._producer = None  # the broker ends it for the next producer of this id
        self._open = False

    def _drop(self) -> None:
        self._producer, self._open = None, False

    def _dropping(self) -> _Dropping:
        return _Dropping(self)

    def _explained(self, error: KafkaException) -> Exception:
        said = error.args[0]
        self._heard.raise_if_final(self._cluster.display)
        return of_error(said, self._cluster.display)


class _Dropping:
    """Errors become ours, and the producer is dropped with its transaction."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._explaining = explained(transactions._cluster.display)

    def __enter__(self) -> None:
        self._explaining.__enter__()

    def __exit__(self, *error: Any) -> bool | None:
        if error[0] is not None:
            self._transactions._drop()
        return self._explaining.__exit__(*error)


def fence(cluster: Cluster, id: str) -> None:
    """Ends whatever transaction is open under another's id, and keeps it from beginning one."""
    producer = cluster.producer(Heard(), transactional_id=id)
    with explained(cluster.display):
        _connect(producer, cluster.timeout)
        producer.init_transactions(cluster.timeout)


def _connect(producer: Producer, seconds: float) -> None:
    """Without a connection to any broker, init_transactions first rests for half a second."""
    producer.list_topics(timeout=seconds)
