"""Messages as they arrive, cut where a transaction ends."""

from __future__ import annotations

import time

import numpy as np

from ferris_beam.connectors.postgresql.cdc.log import COMMIT
from ferris_beam.connectors.postgresql.cdc.stream import HEADER, Messages, ReplicationStream

_MOST_BYTES = 32 << 20
_STEP_SECONDS = 0.01
_LINGER_SECONDS = 0.05
"""So long more is waited for while something arrives: large batches cost less for each row."""


class Lots:
    """Gives out whole transactions, up to ``rows`` messages and about 32 MiB; a transaction that
    has more, in parts."""

    def __init__(self, stream: ReplicationStream, rows: int) -> None:
        self._stream = stream
        self._rows = rows
        self._rest = Messages()

    @property
    def unfinished(self) -> bool:
        """Whether messages wait for those that follow."""
        return bool(self._rest)

    def look(self) -> bool:
        """Whether something is there; takes what the buffers hold."""
        if not self._full():
            self._stream.receive(self._rest, self._rows, _MOST_BYTES)
        return bool(self._rest)

    def receive(self) -> Messages | None:
        """None where no transaction is whole yet."""
        deadline = time.monotonic() + _LINGER_SECONDS
        while not self._full():
            if self._stream.receive(self._rest, self._rows, _MOST_BYTES):
                continue
            if not self._rest or time.monotonic() > deadline:
                break
            self._stream.wait(_STEP_SECONDS)
        messages = self._rest
        if not messages:
            return None
        whole = _whole(messages)
        if not whole and not self._full():
            return None
        self._rest = Messages()
        if not whole or whole == len(messages.lengths):
            return messages
        at = sum(messages.lengths[:whole])
        self._rest = Messages(messages.data[at:], messages.lengths[whole:])
        return Messages(messages.data[:at], messages.lengths[:whole])

    def _full(self) -> bool:
        rest = self._rest
        return len(rest.lengths) >= self._rows or len(rest.data) >= _MOST_BYTES


def _whole(messages: Messages) -> int:
    """How many messages there are up to the last commit."""
    data = np.frombuffer(messages.data, np.uint8)
    lengths = np.array(messages.lengths, np.int64)
    kinds = data[np.cumsum(lengths) - lengths + HEADER]
    commits = np.flatnonzero(kinds == COMMIT)
    return int(commits[-1]) + 1 if len(commits) else 0
