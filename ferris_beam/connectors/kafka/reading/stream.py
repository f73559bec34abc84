"""One partition and its consumer, which stays open and fetches ahead."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, Message, TopicPartition

from ferris_beam.connectors.kafka.cluster import Cluster
from ferris_beam.connectors.kafka.failures import Heard, explained, of_error, words_of
from ferris_beam.errors import FatalError, SourceChangedError, TransientError

_log = logging.getLogger("ferris_beam.kafka")

_AT_A_TIME = 1000
_WAIT = 0.02
_GONE = (
    KafkaError.UNKNOWN_TOPIC_ID,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._UNKNOWN_PARTITION,
)
_SETTINGS: dict[str, Any] = {
    "enable_auto_commit": False,
    "auto_offset_reset": "error",
    "enable_partition_eof": True,  # also tells of markers of transactions, which are no messages
    "fetch_queue_backoff_ms": 5,
    "queued_min_messages": 100_000,
    "max_partition_fetch_bytes": 4 << 20,
    "fetch_wait_max_ms": 100,
    "fetch_error_backoff_ms": 50,
}


@dataclass(frozen=True, slots=True)
class Taken:
    """Messages that cover all offsets below ``end``; ``idle``: nothing is behind it now; ``lost``:
    so many offsets were deleted before they were read."""

    messages: list[Message]
    end: int
    nbytes: int
    idle: bool
    lost: int = 0


class PartitionStream:
    """Messages of one partition in order, from any offset on.

    Offset 0 stands for the first message that is there; any other offset that was deleted is a
    loss, for which ``on_loss`` ('error', 'earliest') says whether to go on.
    """

    def __init__(
        self,
        cluster: Cluster,
        topic: str,
        partition: int,
        *,
        isolation: str,
        buffer: int,
        group: str,
        on_loss: str,
    ) -> None:
        self.topic, self.partition = topic, partition
        self.display = f"{cluster.display}/{topic} [{partition}]"
        self.position = -1
        self.messages = self.nbytes = 0
        self.last_timestamp: int | None = None
        self._ends_at = -1
        self._lost_offsets = 0
        self._timeout = cluster.timeout
        self._on_loss = on_loss
        self._held: list[Message] = []
        self._heard = Heard()
        self.consumer = cluster.consumer(
            self._heard,
            group_id=group,
            isolation_level=isolation,
            queued_max_messages_kbytes=buffer >> 10,
            **_SETTINGS,
        )

    def close(self) -> None:
        self.consumer.close()

    def seek(self, offset: int) -> None:
        """The next message is the first one at or behind ``offset``."""
        if offset == self.position:
            return
        self._held.clear()
        self._lost_offsets = 0
        self._assign(offset)

    def _assign(self, offset: int) -> None:
        self.position, self._ends_at = offset, -1
        with explained(self.display):
            self.consumer.assign([TopicPartition(self.topic, self.partition, offset)])

    @property
    def idle(self) -> bool:
        """Whether the position was the end at the broker's last answer."""
        return self.position in (self._ends_at, self._high())

    def behind(self) -> int:
        """Offsets that are left behind the position, as far as the last answer tells."""
        return 0 if self.idle else max(1, self._high() - self.position)

    def _high(self) -> int:
        """The end of the last answer, with what is not committed; it comes before the event that
        says that nothing is left, for which the broker is asked once more."""
        place = TopicPartition(self.topic, self.partition)
        _, high = self.consumer.get_watermark_offsets(place, cached=True)
        return -1 if high is None else int(high)

    def take(self, rows: int, nbytes: int, border: int | None) -> Taken:
        """At most ``rows`` messages of about ``nbytes``, and none at or behind ``border``.

        Returns fewer only at the border or where nothing more is there now. Raises an error of
        ours where the broker is silent for too long.
        """
        taken: list[Message] = []
        size, began = 0, self.position
        while True:
            size = self._give(taken, rows, nbytes, border, size)
            full = len(taken) >= rows or size >= nbytes
            if full or (border is not None and self.position >= border):
                break
            if self.idle and not self._fetch(0.0):
                break
            if not self._held and not self.idle:
                self._fetch_patiently()
        if border is not None and self.position > border:
            self.position = border
        if taken:
            self.messages += len(taken)
            self.nbytes += size
            self.last_timestamp = taken[-1].timestamp()[1]
        lost = min(self._lost_offsets, self.position - began)
        self._lost_offsets -= lost  # what is behind the border is told with what is there
        return Taken(taken, self.position, size, self.idle, lost)

    def _give(
        self, taken: list[Message], rows: int, nbytes: int, border: int | None, size: int
    ) -> int:
        """Moves messages from those held to those taken; the size of all taken."""
        held = self._held
        count = min(len(held), rows - len(taken))
        if border is not None:
            while count and _offset(held[count - 1]) >= border:
                count -= 1
        chosen = held[:count]
        sizes = list(map(len, chosen))
        if size + sum(sizes) > nbytes:
            chosen = _within(chosen, sizes, nbytes - size)
        if chosen:
            taken += chosen
            size += sum(sizes[: len(chosen)])
            self.position = _offset(chosen[-1]) + 1
            del held[: len(chosen)]
        if held and border is not None and _offset(held[0]) >= border:
            self.position = border
        elif not held:
            self.position = max(self.position, self._ends_at)
        return size

    def _fetch_patiently(self) -> None:
        until = time.monotonic() + self._timeout
        while not self._fetch(_WAIT):
            self._heard.raise_if_final(self.display)
            if time.monotonic() >= until:
                raise self._heard.unreachable(self.display, self._timeout)

    def _fetch(self, wait: float) -> bool:
        """Whether anything came: messages, or word of the partition's end."""
        with explained(self.display):
            found = self.consumer.consume(_AT_A_TIME, wait)
        if not found:
            return False
        events = []
        if any(map(Message.error, found)):
            events = [message for message in found if message.error() is not None]
            found = [message for message in found if message.error() is None]
        self._held += found
        if found:
            self._ends_at = -1
        for event in events:
            self._event(event)
        return True

    def _event(self, event: Message) -> None:
        error = event.error()
        assert error is not None
        code = error.code()
        if code == KafkaError._PARTITION_EOF:
            self._ends_at = _offset(event)
            if not self._held:
                self.position = max(self.position, self._ends_at)
        elif code in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
            self._lost()
        elif code in _GONE:  # or not known everywhere yet; whoever opens it again looks
            raise TransientError(f"{self.display}: {words_of(error)}")
        else:
            self._heard.raise_if_final(self.display)
            raise of_error(error, self.display)

    def _lost(self) -> None:
        """The position is not in the partition: it was deleted, or is not there yet."""
        place = TopicPartition(self.topic, self.partition)
        with explained(self.display):
            low, high = self.consumer.get_watermark_offsets(place, self._timeout)
        if self.position > high:
            raise SourceChangedError(
                f"{self.display}: it was read up to offset {self.position:,}, and ends at "
                f"{high:,} now: messages are gone that were read. Restore them, or start from "
                "zero with --reset"
            )
        if not self.position:  # what was deleted before anything was read is no loss
            self._assign(low)
            return
        lost = f"messages {self.position:,} to {low - 1:,} were deleted before they were read"
        if self._on_loss == "error":
            raise FatalError(
                f"{self.display}: {lost}\nraise the topic's retention.ms or retention.bytes; "
                "on_data_loss=earliest goes on with the first message that is there"
            )
        _log.warning("%s: %s; going on with the first that is there", self.display, lost)
        self._lost_offsets += low - self.position
        self._assign(low)


def _offset(message: Message) -> int:
    offset = message.offset()
    assert offset is not None, "what was consumed has an offset"
    return offset


def _within(messages: list[Message], sizes: list[int], limit: int) -> list[Message]:
    """The first messages, up to the one that reaches the limit."""
    total = 0
    for number, size in enumerate(sizes):
        total += size
        if total >= limit:
            return messages[: number + 1]
    return messages
