"""Which transactions a snapshot saw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ferris_beam.connectors.postgresql.cdc.log import Index, Mask

_CYCLE = 1 << 32


@dataclass(frozen=True)
class Visibility:
    """``xmin:xmax:xip,…`` of pg_current_snapshot, in 64-bit ids of transactions.

    Source: https://www.postgresql.org/docs/current/functions-info.html, "Snapshot Components".
    """

    xmin: int
    xmax: int
    running: frozenset[int]

    @classmethod
    def parse(cls, text: str) -> Visibility:
        xmin, xmax, running = text.split(":")
        return cls(int(xmin), int(xmax), frozenset(map(int, filter(None, running.split(",")))))

    def sees(self, xids: Index) -> Mask:
        """Of committed transactions, whether they had committed when the snapshot was taken.

        The stream has the lower 32 bits: the nearest id to the snapshot's is meant.
        """
        distance = (xids - self.xmax % _CYCLE + _CYCLE // 2) % _CYCLE - _CYCLE // 2
        whole = self.xmax + distance
        running = np.isin(whole, np.array(sorted(self.running), np.int64))
        return np.asarray((whole < self.xmin) | ((whole < self.xmax) & ~running))
