"""Readers with one fault each."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa

from ferris_beam.connector import Backlog, Chunk, Reader, Residual, Split
from ferris_beam.connectors.memory.reader import MemoryReader
from ferris_beam.interval import Interval
from ferris_beam.testing.faulty import FaultyReader
from tests.conformance.mutants import mutant

NUMBERS = "faulty://in?reject_every=9"
PLAIN = "faulty://in"
STREAM = "memory://clicks?unbounded=true"
BATCHES = "memory://orders"


@mutant("making_it_touches_nothing", NUMBERS)
class OpensAtOnce(FaultyReader):
    def __init__(self, uri: Any, options: Any) -> None:
        super().__init__(uri, options)
        with open("/dev/null"):
            pass


@mutant("batches_have_the_announced_schema", NUMBERS)
class NarrowerBatches(FaultyReader):
    def read(self, split: Split) -> Iterator[Chunk]:
        narrow = pa.schema([("unit", pa.string()), ("x", pa.int32())])
        for chunk in super().read(split):
            yield replace(chunk, records=chunk.records.cast(narrow))


@mutant("splits_cover_everything_once", PLAIN)
class LosesTheLastUnit(FaultyReader):
    def splits(self, known: Mapping[str, str]) -> Iterable[Split]:
        return list(super().splits(known))[:-1]


@mutant("splits_cover_everything_once", PLAIN)
class OverlappingSplits(FaultyReader):
    def splits(self, known: Mapping[str, str]) -> Iterable[Split]:
        for split in super().splits(known):
            yield replace(split, interval=Interval(split.interval.unit, 0, 3))
            yield replace(split, interval=Interval(split.interval.unit, 2, 4))


@mutant("splits_are_the_same_in_every_process", PLAIN)
class BordersByChance(FaultyReader):
    numbers = itertools.count()

    def __init__(self, uri: Any, options: Any) -> None:
        super().__init__(uri, options)
        self.border = 1 + next(self.numbers) % 3

    def splits(self, known: Mapping[str, str]) -> Iterable[Split]:
        for split in super().splits(known):
            yield replace(split, interval=Interval(split.interval.unit, 0, self.border))
            yield replace(split, interval=Interval(split.interval.unit, self.border, 4))


@mutant("splits_are_the_same_in_every_process", PLAIN)
class LeavesOutWhatIsKnown(FaultyReader):
    def splits(self, known: Mapping[str, str]) -> Iterable[Split]:
        return [split for split in super().splits(known) if split.interval.unit not in known]


@mutant("chunks_cover_their_interval", PLAIN)
class EndsStandStill(FaultyReader):
    def read(self, split: Split) -> Iterator[Chunk]:
        for chunk in super().read(split):
            yield chunk
            if chunk.end == self.options.cells:
                yield replace(chunk, records=chunk.records.slice(0, 0), rejects=())


@mutant("intervals_read_again_are_equal", PLAIN)
class BordersFromWhereItStarts(FaultyReader):
    """Two cells for a batch, counted from the start of the interval."""

    def read(self, split: Split) -> Iterator[Chunk]:
        chunks = list(super().read(split))
        for number in range(0, len(chunks), 2):
            pair = chunks[number : number + 2]
            table = pa.Table.from_batches([chunk.records for chunk in pair])
            (records,) = table.combine_chunks().to_batches()
            yield replace(pair[-1], records=records)


@mutant("intervals_read_again_are_equal", NUMBERS)
class RejectsTwice(FaultyReader):
    """A row that was rejected is read in the middle of a unit, but not from its start."""

    def read(self, split: Split) -> Iterator[Chunk]:
        for chunk in super().read(split):
            whole = split.interval.start == 0
            yield chunk if whole else replace(chunk, rejects=[*chunk.rejects, *chunk.rejects])


@mutant("intervals_read_again_are_equal", PLAIN)
class CrossesBorders(BordersFromWhereItStarts):
    """Says that it cuts, and does not keep the borders that it is given."""

    cuts = True


@mutant("intervals_read_again_are_equal", PLAIN)
class LosesARowInTheMiddle(FaultyReader):
    """Says that it cuts; its first row is missing where it does not start at the front."""

    cuts = True

    def read(self, split: Split) -> Iterator[Chunk]:
        for number, chunk in enumerate(super().read(split)):
            first = number == 0 and split.interval.start > 0
            yield replace(chunk, records=chunk.records.slice(1)) if first else chunk


@mutant("ordered_units_keep_their_order", STREAM)
class Backwards(MemoryReader):
    def read(self, split: Split) -> Iterator[Chunk]:
        for chunk in super().read(split):
            order = list(range(chunk.records.num_rows))[::-1]
            yield replace(chunk, records=chunk.records.take(pa.array(order, pa.int64())))


@mutant("ordered_units_keep_their_order", STREAM)
class WatermarkFalls(MemoryReader):
    def read(self, split: Split) -> Iterator[Chunk]:
        for chunk in super().read(split):
            yield replace(chunk, timestamp=None, watermark=-chunk.end)


@mutant("ordered_units_keep_their_order", STREAM)
class OrderNotSaid(MemoryReader):
    def splits(self, known: Mapping[str, str]) -> Iterable[Split]:
        return [replace(split, ordered=False) for split in super().splits(known)]


@mutant("a_changed_unit_is_noticed", BATCHES)
class NoIdentity(MemoryReader):
    def splits(self, known: Mapping[str, str]) -> Iterable[Split]:
        return [replace(split, identity="always") for split in super().splits(known)]

    def _check(self, split: Split, identity: str) -> None:
        """Whatever is there will do."""


@mutant("a_changed_unit_is_noticed", BATCHES)
class ReadsWhatIsThere(MemoryReader):
    def _check(self, split: Split, identity: str) -> None:
        """Whatever is there will do."""


@mutant("pushdown_and_residual_are_a_filter", PLAIN)
class TakesMoreThanItDoes(FaultyReader):
    def pushdown(
        self, columns: Any = None, predicate: Any = None, limit: Any = None
    ) -> tuple[Reader, Residual]:
        return self, Residual(columns, None, limit)


@mutant("pushdown_and_residual_are_a_filter", PLAIN)
class ChangesItself(FaultyReader):
    columns: Any = None

    def pushdown(
        self, columns: Any = None, predicate: Any = None, limit: Any = None
    ) -> tuple[Reader, Residual]:
        if columns and predicate is None:
            self.columns = list(columns)
        return self, Residual(columns, predicate, limit)

    def read(self, split: Split) -> Iterator[Chunk]:
        for chunk in super().read(split):
            kept = chunk.records.select(self.columns or chunk.records.schema.names)
            yield replace(chunk, records=kept)


@mutant("readers_travel_by_pickle", NUMBERS)
class HoldsALock(FaultyReader):
    def open(self) -> None:
        super().open()
        self.lock = threading.Lock()

    def close(self) -> None:
        self.lock = None  # type: ignore[assignment]


@mutant("readers_travel_by_pickle", NUMBERS)
class ForgetsItsOptions(FaultyReader):
    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.options = self.options.model_copy(update={"cells": 1})


@mutant("readers_close_at_any_time", NUMBERS)
class ClosesOnlyWhatIsOpen(FaultyReader):
    def open(self) -> None:
        super().open()
        self.connection = object()

    def close(self) -> None:
        self.connection


@mutant("readers_close_at_any_time", NUMBERS)
class OpensOnce(FaultyReader):
    closed = False

    def close(self) -> None:
        self.closed = True

    def read(self, split: Split) -> Iterator[Chunk]:
        if self.closed:
            raise ValueError("read of a closed reader")
        return super().read(split)


@mutant("rejects_tell_where_and_why", NUMBERS)
class RejectsNowhere(FaultyReader):
    def read(self, split: Split) -> Iterator[Chunk]:
        for chunk in super().read(split):
            bad = [replace(reject, position=chunk.end) for reject in chunk.rejects]
            yield replace(chunk, rejects=bad)


@mutant("rejects_tell_where_and_why", NUMBERS)
class RejectsWithoutRows(FaultyReader):
    def read(self, split: Split) -> Iterator[Chunk]:
        for chunk in super().read(split):
            yield replace(chunk, rejects=[replace(bad, payload=b"") for bad in chunk.rejects])


@mutant("rejects_tell_where_and_why", NUMBERS)
class DropsBadRows(FaultyReader):
    def read(self, split: Split) -> Iterator[Chunk]:
        for chunk in super().read(split):
            yield replace(chunk, rejects=())


@mutant("endless_units_return_when_idle", STREAM, patience=0.2)
class WaitsForMore(MemoryReader):
    def read(self, split: Split) -> Iterator[Chunk]:
        chunks = list(super().read(split))
        if not chunks:
            threading.Event().wait(5)
        yield from chunks


@mutant("endless_units_return_when_idle", STREAM)
class CountsNothing(MemoryReader):
    """A chunk of no rows where nothing is new: it would be committed for ever."""

    def read(self, split: Split) -> Iterator[Chunk]:
        chunks = list(super().read(split))
        if not chunks:
            nothing = pa.RecordBatch.from_pylist([], self.schema())
            chunks = [Chunk(nothing, split.interval.start + 1)]
        yield from chunks


@mutant("the_backlog_shrinks_to_nothing", NUMBERS)
class NeverIdle(FaultyReader):
    def backlog(self, split: Split, position: int) -> Backlog:
        return Backlog(super().backlog(split, position).nbytes, idle=False)


@mutant("the_backlog_shrinks_to_nothing", NUMBERS)
class BacklogGrows(FaultyReader):
    def backlog(self, split: Split, position: int) -> Backlog:
        return Backlog(position, position == self.options.cells)


@mutant("source_secrets_stay_secret", NUMBERS)
class KeepsThePassword(FaultyReader):
    def open(self) -> None:
        super().open()
        self.password = self.options.password.resolve() if self.options.password else ""


@mutant("source_secrets_stay_secret", NUMBERS)
class TellsThePassword(FaultyReader):
    def read(self, split: Split) -> Iterator[Chunk]:
        password = self.options.password
        for chunk in super().read(split):
            shown = f"{self.name}:{password.resolve() if password else ''}"
            bad = [replace(reject, place=f"{reject.place} of {shown}") for reject in chunk.rejects]
            yield replace(chunk, rejects=bad)


@mutant("source_failures_are_of_our_kinds", NUMBERS)
class RaisesWhatItGets(FaultyReader):
    def read(self, split: Split) -> Iterator[Chunk]:
        if self.options.fatal_at >= 0:
            raise ConnectionResetError("by peer")
        return super().read(split)
