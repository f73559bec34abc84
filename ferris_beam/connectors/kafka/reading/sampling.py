"""The first messages of partitions, to learn what columns they have."""

from __future__ import annotations

from collections.abc import Iterable

from ferris_beam.connectors.kafka.cluster import Cluster
from ferris_beam.connectors.kafka.reading.stream import PartitionStream

_BYTES = 4 << 20


def first_values(
    cluster: Cluster, places: Iterable[tuple[str, int]], count: int, isolation: str
) -> list[bytes]:
    """Up to ``count`` values from the beginning of each partition: the first ones, so that every
    process sees the same as long as they are kept."""
    found: list[bytes] = []
    for topic, partition in places:
        stream = PartitionStream(
            cluster,
            topic,
            partition,
            isolation=isolation,
            buffer=_BYTES,
            group="ferris",
            on_loss="earliest",
        )
        try:
            stream.seek(0)
            messages = stream.take(count, _BYTES, None).messages
            found += [value for m in messages if isinstance(value := m.value(), bytes)]
        finally:
            stream.close()
    return found
