"""Reading a ledger's topic: everything that is decided, and who holds up the rest."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from ferris_beam.connectors.kafka.cluster import Cluster
from ferris_beam.connectors.kafka.failures import Heard, explained, of_error
from ferris_beam.connectors.kafka.writing.records import (
    FoldedLedger,
    decoded,
    parts_of_key,
)
from ferris_beam.errors import FerrisError

_WAIT = 0.005
_SETTINGS: dict[str, Any] = {
    "enable_auto_commit": False,
    "auto_offset_reset": "earliest",
    "enable_partition_eof": True,
    "fetch_wait_max_ms": 10,
    "fetch_queue_backoff_ms": 5,
    "fetch_error_backoff_ms": 50,
    "queued_max_messages_kbytes": 16 << 10,
}


class LedgerLog:
    """The ledgers in one topic, as far as transactions are decided; its one partition is read on
    from where it was."""

    def __init__(self, cluster: Cluster, topic: str, sink: str) -> None:
        self._cluster, self._topic, self._sink = cluster, topic, sink
        self._display = f"{cluster.display}/{topic}"
        self._heard = Heard()
        self.ledgers: dict[str, FoldedLedger] = {}
        self._decided = 0
        self._consumer = self._open("read_committed", 0)

    def close(self) -> None:
        self._consumer.close()

    def ledger(self, pipeline: str) -> FoldedLedger:
        return self.ledgers.setdefault(pipeline, FoldedLedger(pipeline))

    def read_to(self, offset: int, seconds: float) -> bool:
        """Reads what is decided; whether that is everything below ``offset``, after a wait of at
        most ``seconds`` for the transactions that aren't."""
        until = time.monotonic() + seconds
        while self._decided < offset:
            self._read_on()
            if self._decided < offset and time.monotonic() >= until:
                self._heard.raise_if_final(self._display)
                return False
        return True

    def _read_on(self) -> None:
        with explained(self._display):
            found = self._consumer.consume(500, _WAIT)
        for message in found:
            self._take(message)

    def _take(self, message: Message) -> None:
        error, offset = message.error(), message.offset() or 0
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:
                self._decided = max(self._decided, offset)
                return
            raise of_error(error, self._display)
        self._decided = max(self._decided, offset + 1)
        key, value = message.key(), message.value()
        if not isinstance(key, bytes) or not isinstance(value, bytes):
            return  # what a state covers is deleted so
        sink, pipeline, _ = parts_of_key(key)
        if sink == self._sink:
            self.ledger(pipeline).add(offset, key, decoded(value))

    def undecided(self, end: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """Pipeline and content of the records below ``end`` whose transactions may be open."""
        start = self._decided
        with self._reading("read_uncommitted", start) as consumer:
            until = time.monotonic() + self._cluster.timeout
            while start < end and time.monotonic() < until:
                with explained(self._display):
                    found = consumer.consume(500, 0.05)
                for message in found:
                    error = message.error()
                    if error is not None and error.code() != KafkaError._PARTITION_EOF:
                        raise of_error(error, self._display)
                    start = max(start, (message.offset() or 0) + (error is None))
                    key, value = message.key(), message.value()
                    if error is None and isinstance(key, bytes) and isinstance(value, bytes):
                        sink, pipeline, _ = parts_of_key(key)
                        yield pipeline if sink == self._sink else "", decoded(value)

    @contextmanager
    def _reading(self, isolation: str, start: int) -> Iterator[Consumer]:
        consumer = self._open(isolation, start)
        try:
            yield consumer
        finally:
            consumer.close()

    def _open(self, isolation: str, start: int) -> Consumer:
        group = f"ferris-{uuid.uuid4().hex}"  # is never joined
        consumer = self._cluster.consumer(
            self._heard, group_id=group, isolation_level=isolation, **_SETTINGS
        )
        with explained(self._display):
            consumer.assign([TopicPartition(self._topic, 0, start)])
        return consumer

    def silent(self, seconds: float) -> FerrisError:
        return self._heard.unreachable(self._display, seconds)
