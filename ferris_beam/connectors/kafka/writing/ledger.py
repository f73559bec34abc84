"""A ledger in a topic, written in the transactions that write the data.

Kafka has no compare-and-set: two transactions that both looked at the ledger would both succeed.
What it has is an order. The ledger's topic has one partition, and each transaction begins by adding
its record there, before any data. A record that stands ahead is decided first:

1. The writer adds its record and waits for its offset, then sends its data; other writers do the
   same side by side.
2. It reads the topic up to its record, committed records only. Kafka shows these only up to the
   first transaction that is still open: so when the reader has come to the own record, all that
   stand ahead are decided, and were folded.
3. It checks its claim and its intervals against exactly that, and commits or aborts.

Whatever is behind will see it in the same way, so checks and commits happen in one order, that of
the records. Two writers with the same interval: the one behind finds it committed. A claim behind
an older run's commit sees it; the commit of an older run behind a claim is refused.

A process that dies leaves its transaction open, which would hold up all behind it until
`transaction_timeout`. Its record names its transactional id: whoever waits asks the broker to end
that one, by initialising a producer of this id. A run does so at once for runs that came before it
in the same pipeline; else it waits some seconds. A process that was only slow finds its transaction
aborted, and writes it again: fencing is never wrong, only costly.

An answer that got lost: the record's token tells. The next try adds another record, behind the
first one, and by then that is decided: where its token is in the ledger, nothing is written.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka.admin import OffsetSpec

from ferris_beam.connectors.kafka.cluster import Admin, Cluster
from ferris_beam.connectors.kafka.writing.log import LedgerLog
from ferris_beam.connectors.kafka.writing.messages import Messages
from ferris_beam.connectors.kafka.writing.records import (
    FOLD_EVERY,
    FoldedLedger,
    encoded,
    record_key,
    state_key,
)
from ferris_beam.connectors.kafka.writing.transaction import Transactions, fence
from ferris_beam.errors import TransientError
from ferris_beam.ledger import Identity, LedgerState

Check = Callable[[FoldedLedger], bool]
"""Whether the record is to be committed, by what stands ahead; raises where it must not be."""

_GLANCE = 0.05
_PATIENCE = 10.0


class TopicLedger:
    """The ledger of one sink and one pipeline. One thread uses it at a time."""

    def __init__(
        self,
        cluster: Cluster,
        admin: Admin,
        topic: str,
        sink: str,
        identity: Identity,
        transactions: Transactions,
        longest: float,
    ) -> None:
        """``longest``: seconds after which the broker ends a transaction by itself."""
        self._cluster, self._admin = cluster, admin
        self._topic, self._sink, self._identity = topic, sink, identity
        self._transactions = transactions
        self._longest = longest + cluster.timeout
        self._log = LedgerLog(cluster, topic, sink)

    def close(self) -> None:
        self._log.close()

    @property
    def _ledger(self) -> FoldedLedger:
        return self._log.ledger(self._identity.name)

    def state(self) -> LedgerState:
        """The ledger with all records that are in the topic now."""
        place = (self._topic, 0)
        end = self._admin.offsets({place: OffsetSpec.latest()}, committed=False)[place]
        self._wait_for(end)
        return self._ledger.state.copy()

    def append(
        self, document: dict[str, Any], check: Check, topic: str = "", data: Sequence[Messages] = ()
    ) -> bool:
        """Adds a record together with data in one transaction, if ``check`` says so."""
        identity = self._identity
        key = record_key(self._sink, identity.name, uuid.uuid4().hex)
        document = {**document, "run": identity.run, "writer": self._transactions.id}
        self._transactions.abort()
        self._transactions.begin()
        try:
            offset = self._transactions.send_one(self._topic, key, encoded(document))
            self._transactions.send(topic, data)
            self._wait_for(offset)
            if not check(self._ledger):
                self._transactions.abort()
                return False
            state = self._fold(offset, key, document)
        except BaseException:
            self._transactions.abort()
            raise
        self._transactions.commit()
        self._ledger.add(offset, key, document)
        if state is not None:
            self._ledger.add(offset + 1, b"", state)
        return True

    def _fold(self, offset: int, key: bytes, document: dict[str, Any]) -> dict[str, Any] | None:
        """Now and then the whole state is added, and what it covers is deleted."""
        ledger = self._ledger
        if len(ledger.tail) + 1 < FOLD_EVERY:
            return None
        state = ledger.state_with(offset, key, document)
        whole = {**state, "run": self._identity.run, "writer": self._transactions.id}
        name = state_key(self._sink, self._identity.name)
        self._transactions.send_one(self._topic, name, encoded(whole))
        for covered in (*(each for each, _ in ledger.tail.values()), key):
            self._transactions.queue_one(self._topic, covered, None)
        return state

    # ── waiting ─────────────────────────────────────────────────────────────────────────────

    def _wait_for(self, offset: int) -> None:
        """Returns when all records below ``offset`` are decided and folded."""
        began = time.monotonic()
        seconds = _GLANCE
        while not self._log.read_to(offset, seconds):
            waited = time.monotonic() - began
            if waited > self._longest:
                raise TransientError(
                    f"{self._cluster.display}/{self._topic}: a transaction is open for {waited:.0f}"
                    " s, and nobody can end it"
                )
            self._end_abandoned(offset, waited)
            seconds = min(2 * seconds, 1.0)

    def _end_abandoned(self, offset: int, waited: float) -> None:
        past = self._ledger.state.past
        mine = self._transactions.id
        seen: set[str] = {mine}
        for pipeline, document in list(self._log.undecided(offset)):
            writer = document["writer"]
            if writer in seen:
                continue
            seen.add(writer)
            older = pipeline == self._identity.name and document["run"] != self._identity.run
            if (older and self._identity.run not in past) or waited > _PATIENCE:
                fence(self._cluster, writer)
