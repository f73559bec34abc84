"""Messages that wait for their transaction."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pyarrow as pa

from ferris_beam.connector import Receipt, Staged
from ferris_beam.connectors.kafka.writing.messages import MessageMaker, Messages


class KafkaStaged(Staged):
    """Encoded messages, kept until the transaction succeeds: it may have to be repeated."""

    def __init__(self, maker: Callable[[], MessageMaker]) -> None:
        self._maker = maker
        self.rows = 0
        self.nbytes = 0
        self.token = uuid.uuid4().hex
        self.parts: list[Messages] = []
        self.receipt: Receipt | None = None

    def write(self, records: pa.RecordBatch) -> None:
        if not records.num_rows:
            return
        made = self._maker().messages(records)
        self.parts.append(made)
        self.rows += len(made)
        self.nbytes += max(made.nbytes, records.nbytes)

    def drop(self) -> None:
        if self.receipt is None:
            self.parts.clear()
            self.rows = self.nbytes = 0
