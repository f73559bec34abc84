"""How far a slot's reader is behind, in bytes and in seconds."""

from __future__ import annotations

import time
from collections import deque

from ferris_beam.connector import Backlog
from ferris_beam.connectors.postgresql.cdc.positions import parse_lsn
from ferris_beam.connectors.postgresql.cdc.slots import Replication
from ferris_beam.connectors.postgresql.cdc.tables import Connection

_WARN_SECONDS = 30.0
_MOST_SAMPLES = 10_000
_LOG_END = "SELECT pg_current_wal_flush_lsn()::text"


class Lag:
    """Remembers when the log ended where: what is read there happened at that time."""

    def __init__(self, replication: Replication) -> None:
        self._replication = replication
        self._samples: deque[tuple[float, int]] = deque(maxlen=_MOST_SAMPLES)
        self._warned = -_WARN_SECONDS

    def behind(self, connection: Connection, reached: int) -> Backlog:
        """``reached``: below this LSN all is read. Warns where the slot is in danger."""
        row = connection.execute(_LOG_END).fetchone()
        assert row is not None
        end, now = parse_lsn(row[0]), time.monotonic()
        if now - self._warned >= _WARN_SECONDS:
            self._warned = now
            self._replication.warn_of_limit(connection)
        while self._samples and self._samples[0][1] <= reached:
            self._samples.popleft()
        if end <= reached:
            return Backlog(0, True, 0.0)
        self._samples.append((now, end))
        return Backlog(end - reached, False, now - self._samples[0][0])
