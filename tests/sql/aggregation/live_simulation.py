"""A runner that does what any may do: it delivers late and out of order, and is killed at any time.

What is read, what partitions and sinks do is the real code; only the runner and the stores are
played. Positions of a unit are its rows, and batches are cut anew at random with every start.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from types import SimpleNamespace
from typing import Any

import pyarrow as pa

from ferris_beam.batches.hashing import split_by_partition
from ferris_beam.connector import Chunk, Split
from ferris_beam.interval import Interval, Origin
from ferris_beam.ledger import Entry, Identity, LedgerState
from ferris_beam.sql.aggregation.live import LiveAggregation
from ferris_beam.transforms.context import Policy, Run
from ferris_beam.transforms.event_time import EARLIEST, LATEST, EventTime
from ferris_beam.transforms.graph import LiveStage, Sink, Source
from ferris_beam.transforms.live_message import Header
from ferris_beam.transforms.live_partition import Partition, Tick
from ferris_beam.transforms.live_progress import PartitionProgress, held_ends
from ferris_beam.transforms.progress import resumed_from
from ferris_beam.transforms.split import missing_of, narrowed

READ, STAGE = "Read", "Windows"
PARTITIONS = 3
MOST_STEPS = 100_000
NOTHING = pa.RecordBatch.from_pylist([])


class Killed(Exception):
    pass


@dataclass
class Bag:
    held: list[pa.RecordBatch] = field(default_factory=list)

    def read(self) -> list[pa.RecordBatch]:
        return list(self.held)

    def add(self, records: pa.RecordBatch) -> None:
        self.held.append(records)

    def clear(self) -> None:
        self.held.clear()


@dataclass
class Store:
    """What a sink keeps over kills: its ledger and its rows."""

    label: str
    ledger: LedgerState = field(default_factory=LedgerState)
    rows: list[pa.RecordBatch] = field(default_factory=list)
    masked: int = 0

    def commit(self, origin: Origin, rows: pa.RecordBatch) -> None:
        if self.ledger.is_masked(origin):
            self.masked += 1
            return
        entry = Entry(origin, rows.num_rows)
        self.ledger.check_entries([entry])
        self.ledger.commit([entry], rows.num_rows)
        self.rows.append(rows)


def run_of(stores: Sequence[Store]) -> Run:
    path = frozenset({(STAGE,)})
    sinks = [
        Sink(each.label, "memory", "", each.label, SimpleNamespace(), path)  # type: ignore[arg-type]
        for each in stores
    ]
    stage = LiveStage(STAGE, frozenset({READ}), PARTITIONS)
    source = Source(READ, "memory", "", True, True, bounded=False)
    return Run(Identity("n", "r"), Policy(), (source,), tuple(sinks), live=(stage,))


@dataclass
class Reading:
    """A unit that is read from ``position`` on; its batches are cut at random."""

    unit: str
    rows: pa.RecordBatch
    position: int
    began: int
    mark: str
    watermark: int = EARLIEST

    @property
    def ended(self) -> bool:
        return self.position >= self.rows.num_rows

    def chunk(self, random: Random, event_time: EventTime) -> tuple[Chunk, Origin]:
        count = random.randint(1, 6)
        part = self.rows.slice(self.position, count)
        end = self.position + part.num_rows
        reached = None if self.watermark == EARLIEST else self.watermark
        chunk = event_time.timed(Chunk(part, end, mark=f"{self.unit}@{end}"), reached)
        interval = Interval(self.unit, self.position, end)
        origin = Origin(
            (READ,),
            interval,
            ordered=True,
            mark=f"{self.unit}@{end}",
            began=(self.began, self.mark),
        )
        self.position = end
        assert chunk.watermark is not None
        self.watermark = chunk.watermark
        return chunk, origin


class Attempt:
    """One start of the pipeline, until it is through or killed."""

    def __init__(
        self,
        work: LiveAggregation,
        event_time: EventTime,
        units: dict[str, pa.RecordBatch],
        stores: Sequence[Store],
        random: Random,
    ) -> None:
        self.work, self.event_time, self.random, self.stores = work, event_time, random, stores
        self.run = run_of(stores)
        ledgers = {each.label: each.ledger for each in stores}
        self.readings = list(self._readings(units, ledgers))
        self.partitions = [
            Partition(
                work,
                PartitionProgress.resumed(held_ends(self.run, self.run.live[0], key, ledgers)),
                Bag(),
                Bag(),
                [(READ,)],
            )
            for key in range(PARTITIONS)
        ]
        self.on_the_way: list[tuple[int, int, tuple[Header, pa.RecordBatch, pa.RecordBatch]]] = []
        self.ticks: dict[tuple[str, int], list[tuple[Origin, pa.RecordBatch]]] = {
            (store.label, key): [] for store in stores for key in range(PARTITIONS)
        }
        self.late = 0

    def _readings(
        self, units: dict[str, pa.RecordBatch], ledgers: dict[str, LedgerState]
    ) -> Iterator[Reading]:
        for unit, rows in units.items():
            split = Split(Interval(unit, 0, None), divisible=False, ordered=True)
            (missing,) = missing_of(self.run, READ, ledgers, split)
            part = resumed_from(
                self.run, READ, ledgers, narrowed(split, missing), lambda marks: marks[0]
            )
            assert part.mark == (f"{unit}@{missing.start}" if missing.start else "")
            yield Reading(unit, rows, missing.start, missing.start, part.mark)

    def go(self, steps: int | None) -> None:
        """Takes so many steps and is killed; without a number it goes to the end."""
        for _ in range(MOST_STEPS):
            if self._is_through():
                return
            if steps is not None:
                steps -= 1
                if steps < 0:
                    raise Killed
            action = self.random.choice((self._read, self._deliver, self._fire, self._commit))
            action()
        raise AssertionError("it doesn't come to an end")

    def _is_through(self) -> bool:
        waiting = any(each.progress.pending for each in self.partitions)
        reading = any(not each.ended for each in self.readings)
        return not (waiting or reading or self.on_the_way or any(self.ticks.values()))

    def _read(self) -> None:
        left = [each for each in self.readings if not each.ended]
        if not left:
            return
        reading = self.random.choice(left)
        chunk, origin = reading.chunk(self.random, self.event_time)
        assert chunk.timestamp is not None
        prepared = self.work.prepare(chunk.records, "s", chunk.timestamp, PARTITIONS)
        cut = dict(split_by_partition(prepared.state, self.work.key_columns, PARTITIONS))
        header = Header.from_bytes(Header(origin, "s", prepared.times).to_bytes())
        for key in range(PARTITIONS):
            mine = [
                place
                for place in range(prepared.late.num_rows)
                if prepared.late_partitions[place] == key
            ]
            late = prepared.late.take(pa.array(mine, pa.int64()))
            message = (header, cut.get(key, NOTHING), late)
            self.on_the_way.append((chunk.timestamp, key, message))

    def _deliver(self) -> None:
        """In any order."""
        if self.on_the_way:
            place = self.random.randrange(len(self.on_the_way))
            _, key, (header, state, late) = self.on_the_way.pop(place)
            self.late += self.partitions[key].take(header, state, late)

    @property
    def watermark(self) -> int:
        """No runner's is later: what is on its way holds it."""
        held = [timestamp for timestamp, _, _ in self.on_the_way]
        left = [each.watermark for each in self.readings if not each.ended]
        return min([*held, *left, LATEST])

    def _fire(self) -> None:
        """One timer that is due."""
        due = [
            key
            for key, each in enumerate(self.partitions)
            if (timer := each.next_timer()) is not None and timer <= self.watermark
        ]
        if due:
            key = self.random.choice(due)
            timer = self.partitions[key].next_timer()
            assert timer is not None
            for tick in self.partitions[key].fire(timer):
                self._send(key, tick)

    def _send(self, key: int, tick: Tick) -> None:
        interval = Interval(self.run.live[0].unit(key), tick.start, tick.end)
        origin = Origin((STAGE,), interval, ordered=True, mark=tick.mark)
        for store in self.stores:
            self.ticks[store.label, key].append((origin, tick.results))

    def _commit(self) -> None:
        """Each partition's ticks come in order; one sink is behind the other."""
        waiting = [place for place, ticks in self.ticks.items() if ticks]
        if waiting:
            label, key = self.random.choice(waiting)
            store: Any = next(each for each in self.stores if each.label == label)
            store.commit(*self.ticks[label, key].pop(0))
