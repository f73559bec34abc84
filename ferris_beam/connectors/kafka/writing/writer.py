"""Writing a topic: rows and ledger in one transaction."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka.admin import OffsetSpec

from ferris_beam.connector import Holding, Receipt, Staged, Writer
from ferris_beam.connectors.kafka.cluster import Admin, Cluster, topics_of
from ferris_beam.connectors.kafka.options import KafkaSinkOptions
from ferris_beam.connectors.kafka.writing.choose import value_encoder
from ferris_beam.connectors.kafka.writing.encoding import ValueEncoder
from ferris_beam.connectors.kafka.writing.ledger import TopicLedger
from ferris_beam.connectors.kafka.writing.log import LedgerLog
from ferris_beam.connectors.kafka.writing.messages import MessageMaker
from ferris_beam.connectors.kafka.writing.records import FoldedLedger
from ferris_beam.connectors.kafka.writing.staged import KafkaStaged
from ferris_beam.connectors.kafka.writing.topics import create_ledger, ensure_topic, ledger_name
from ferris_beam.connectors.kafka.writing.transaction import Transactions
from ferris_beam.errors import ConfigurationError
from ferris_beam.ledger import Entry, Identity, LedgerState
from ferris_beam.reliability import AT_WORK, RetryPolicy, retrying
from ferris_beam.uri import Uri

_LARGEST_RECORD = 8 << 20
_BATCH = 1_000_000
_HEAD = 1000
"""Bytes that a batch of messages adds, at most."""


@dataclass
class _Opened:
    """What a writer holds between `open` and `close`; what needs topics is made when they are
    there."""

    identity: Identity
    admin: Admin
    topic: str
    ledger: TopicLedger | None = None
    transactions: Transactions | None = None
    maker: MessageMaker | None = None


class KafkaWriter(Writer):
    """Messages of one topic; each commit is one transaction with its ledger's record.

    Parallelism: any number of writers, each with a transactional id of its own; their transactions
    run side by side and are decided one after the other. Delivery: exactly once for consumers
    with ``isolation.level=read_committed``.
    """

    def __init__(self, uri: Uri, options: KafkaSinkOptions) -> None:
        self._cluster = Cluster.of(uri, options)
        self._options = options
        names = topics_of(uri)
        if len(names) > 1:
            raise ConfigurationError(
                f"a Kafka sink writes one topic, not {len(names)}: {', '.join(names)}"
            )
        self._named = names[0] if names else ""
        self.batch_rows = options.batch_rows
        self.batch_bytes = options.batch_bytes
        self._opened: _Opened | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": None}

    @property
    def place(self) -> str:  # type: ignore[override]
        return f"{self._cluster.display}/{self._named or self.stream}"

    @property
    def creates(self) -> str:  # type: ignore[override]
        return self.place

    # ── opening ─────────────────────────────────────────────────────────────────────────────

    def open(self, identity: Identity) -> None:
        self.close()
        """Creates nothing yet: who only looks must leave nothing behind."""
        topic = self._topic()
        admin = Admin(self._cluster)
        if not self._options.create_topic:
            retrying(lambda: admin.topics([topic]))
        self._opened = _Opened(identity, admin, topic)

    def _topic(self) -> str:
        topic = self._named or self.stream
        if not topic:
            raise ConfigurationError(
                f"{self._cluster.display}: which topic? Name it in the path, as "
                "kafka://broker/orders; in SQL, CREATE STREAM name writes the topic of that name"
            )
        return topic

    def close(self) -> None:
        opened, self._opened = self._opened, None
        if opened is None:
            return
        if opened.transactions is not None:
            opened.transactions.close()
        if opened.ledger is not None:
            opened.ledger.close()

    @property
    def _now(self) -> _Opened:
        if self._opened is None:
            raise RuntimeError(f"the writer of {self.place} is not open")
        return self._opened

    def _ledger(self, create: bool) -> TopicLedger | None:
        """None where there is no ledger's topic yet and none is to be created."""
        now = self._now
        if now.ledger is None:
            name = ledger_name(now.topic, self._options)
            if name not in now.admin.names():
                if not create:
                    return None
                create_ledger(now.admin, name, self._options)
            ensure_topic(now.admin, now.topic, self._options)
            now.transactions = self._transactions(now)
            now.ledger = TopicLedger(
                self._cluster,
                now.admin,
                name,
                now.topic,
                now.identity,
                now.transactions,
                self._options.transaction_timeout.total_seconds(),
            )
        return now.ledger

    def _transactions(self, now: _Opened) -> Transactions:
        limit = self._limit(now)
        settings = {
            "compression_type": self._options.compression,
            "linger_ms": self._options.linger.total_seconds() * 1000,
            "message_max_bytes": max(limit, _LARGEST_RECORD),
            "batch_size": max(1, min(limit - _HEAD, _BATCH)),
        }
        timeout = self._options.transaction_timeout.total_seconds()
        return Transactions(self._cluster, f"ferris-{uuid.uuid4().hex}", timeout, settings)

    @staticmethod
    def _limit(now: _Opened) -> int:
        return int(now.admin.topic_settings(now.topic)["max.message.bytes"])

    # ── the ledger ──────────────────────────────────────────────────────────────────────────

    def ledger(self) -> LedgerState:
        found = retrying(lambda: self._ledger(create=False), self._patience)
        return LedgerState() if found is None else retrying(found.state, self._patience)

    @property
    def _patience(self) -> RetryPolicy:
        """A broker that answered before comes back more likely than one that never did."""
        return RetryPolicy() if self._now.ledger is None else AT_WORK

    def claim(self, epoch: int, generation: int) -> None:
        identity = self._now.identity
        document = {
            "kind": "claim",
            "plan": identity.plan,
            "epoch": epoch,
            "generation": generation,
        }
        self._append(document, lambda ledger: ledger.state.check_claim(identity, epoch))

    def prepare(self, epoch: int) -> None:
        raise self._unsupported("hold rows back")

    def finish(self, epoch: int) -> None:
        def unfinished(ledger: FoldedLedger) -> bool:
            ledger.state.check_epoch(self._now.identity, epoch)
            return not ledger.state.finished

        self._append({"kind": "finish"}, unfinished)

    def forget(self) -> None:
        self._append({"kind": "forget"}, lambda _: True)

    def _append(self, document: dict[str, Any], check: Any) -> None:
        def attempt() -> None:
            ledger = self._ledger(create=True)
            assert ledger is not None
            ledger.append(document, check)

        retrying(attempt, self._patience)

    # ── rows ────────────────────────────────────────────────────────────────────────────────

    def begin(self) -> KafkaStaged:
        return KafkaStaged(self._maker)

    def _maker(self) -> MessageMaker:
        now = self._now
        if now.maker is None:
            ensure_topic(now.admin, now.topic, self._options)
            (info,) = now.admin.topics([now.topic])
            encoder: ValueEncoder = value_encoder(self._options, now.topic)
            now.maker = MessageMaker(self._options, encoder, self._limit(now), len(info.partitions))
        return now.maker

    def commit(self, epoch: int, staged: Staged, entries: Sequence[Entry]) -> Receipt:
        assert isinstance(staged, KafkaStaged)
        if staged.receipt is not None:
            return staged.receipt
        now, token = self._now, staged.token

        def is_new(ledger: FoldedLedger) -> bool:
            if token in ledger.tokens:
                return False
            ledger.state.check_epoch(now.identity, epoch)
            ledger.state.check_entries(entries)
            return True

        ledger = self._ledger(create=True)
        assert ledger is not None
        listed = [entry.to_json() for entry in entries]
        document = {"kind": "commit", "token": token, "rows": staged.rows, "entries": listed}
        ledger.append(document, is_new, now.topic, staged.parts)
        staged.receipt = Receipt(staged.rows, staged.nbytes)
        staged.parts = []
        return staged.receipt

    def rollback(self, staged: Staged) -> None:
        assert isinstance(staged, KafkaStaged)
        staged.drop()

    # ── what people ask ─────────────────────────────────────────────────────────────────────

    def holdings(self) -> Mapping[str, Holding]:
        admin, topic = Admin(self._cluster), self._topic()
        name = ledger_name(topic, self._options)
        if name not in admin.names():
            return {}
        end = admin.offsets({(name, 0): OffsetSpec.latest()})[name, 0]
        log = LedgerLog(self._cluster, name, topic)
        try:
            if not log.read_to(end, self._cluster.timeout):
                raise log.silent(self._cluster.timeout)
        finally:
            log.close()
        found = {name: ledger.state for name, ledger in sorted(log.ledgers.items())}
        return {name: Holding(state) for name, state in found.items() if state.epoch}
