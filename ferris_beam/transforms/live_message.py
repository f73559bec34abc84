"""What a partition of a stage over endless input is told of each batch in front of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from apache_beam.typehints import KV, Tuple

from ferris_beam.batches import Batch
from ferris_beam.interval import Origin

Element = KV[int, Tuple[bytes, Batch, Batch]]
"""By partition: a `Header`, the state of the rows that are on time, and the late rows."""


@dataclass(frozen=True)
class Header:
    """``times``: when results of the batch are due, in any partition: so all of them have the same
    ticks. ``origin`` is None behind a transform that drops it."""

    origin: Origin | None
    seed: str
    times: Sequence[int]

    def to_bytes(self) -> bytes:
        origin = None if self.origin is None else self.origin.to_json()
        return json.dumps([origin, self.seed, list(self.times)]).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Header:
        origin, seed, times = json.loads(data)
        return cls(None if origin is None else Origin.from_json(origin), seed, times)
