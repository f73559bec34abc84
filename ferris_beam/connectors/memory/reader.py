"""Reading ``memory://name``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import pyarrow as pa

from ferris_beam.connector import Backlog, Chunk, Reader, Split
from ferris_beam.connectors.memory.options import MemorySourceOptions
from ferris_beam.connectors.memory.store import END_OF_TIME, Store, known, name_of, names, stream
from ferris_beam.errors import ConfigurationError, SourceChangedError
from ferris_beam.interval import Interval
from ferris_beam.uri import Uri


class MemoryReader(Reader):
    """Unit: the name. Position: the index of a batch, or of an event of the stream.

    Bounded: the batches that are there when the splits are made, read in any order. Unbounded:
    one ordered unit that ends when the stream is closed.
    """

    def __init__(self, uri: Uri, options: MemorySourceOptions) -> None:
        self.name = name_of(uri)
        self.bounded = not options.unbounded
        self.ordered = options.unbounded

    def schema(self) -> pa.Schema:
        found = self._store().schema if self.bounded else stream(self.name).schema
        if found is None:
            raise ConfigurationError(
                f"nothing was put into memory://{self.name} yet, so its schema is unknown"
            )
        return found

    def splits(self, known: Mapping[str, str]) -> Iterable[Split]:
        if self.bounded:
            return self._batches()
        live = stream(self.name)
        interval = Interval(self.name, 0, None)
        return [Split(interval, live.identity, divisible=False, ordered=True)]

    def read(self, split: Split) -> Iterator[Chunk]:
        return self._read_batches(split) if self.bounded else self._read_stream(split)

    def backlog(self, split: Split, position: int) -> Backlog:
        if not self.bounded:
            waiting = stream(self.name).events(position, None)
            return Backlog(sum(event.records.nbytes for event in waiting), not waiting)
        left = self._store().batches[position : split.interval.end]
        return Backlog(sum(batch.nbytes for batch in left), not left)

    def _batches(self) -> list[Split]:
        store = self._store()
        with store.lock:
            if not store.batches:
                return []
            interval = Interval(self.name, 0, len(store.batches))
            size = sum(batch.nbytes for batch in store.batches)
            return [Split(interval, store.identity, size=size)]

    def _read_batches(self, split: Split) -> Iterator[Chunk]:
        store = self._store()
        with store.lock:
            self._check(split, store.identity)
            batches = store.batches[split.interval.start : split.interval.closed_end]
        for end, records in enumerate(batches, split.interval.start + 1):
            yield Chunk(records, end, nbytes=records.nbytes)

    def _read_stream(self, split: Split) -> Iterator[Chunk]:
        live = stream(self.name)
        self._check(split, live.identity)
        events = live.events(split.interval.start, split.interval.end)
        for end, event in enumerate(events, split.interval.start + 1):
            yield Chunk(
                event.records,
                end,
                nbytes=event.records.nbytes,
                timestamp=event.timestamp,
                watermark=event.watermark,
                final=event.watermark == END_OF_TIME,
            )

    def _check(self, split: Split, identity: str) -> None:
        if split.identity != identity:
            raise SourceChangedError(
                f"memory://{self.name} was replaced while it was read; start again"
            )

    def _store(self) -> Store:
        found = known(self.name)
        if found is None:
            raise ConfigurationError(
                f"there is no memory://{self.name} in this process (there are: "
                f"{', '.join(names()) or 'none'}); memory.put({self.name!r}, table) makes one, "
                "and workers in other processes don't see it"
            )
        return found
