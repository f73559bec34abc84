"""The small side of a join, which every worker holds: read once in each process, then shared."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any
from uuid import uuid4
from weakref import WeakValueDictionary

import pyarrow as pa

from ferris_beam.batches import concatenate
from ferris_beam.connector import Chunk, Reader, Residual, Split
from ferris_beam.errors import FatalError
from ferris_beam.reliability import retrying, strict_error, write_good_rows
from ferris_beam.sql.execution.chains import steps_of
from ferris_beam.sql.execution.steps import Rename, Step, count_step
from ferris_beam.sql.joins.matching import Build
from ferris_beam.sql.joins.sides import empty
from ferris_beam.sql.nodes import Filter, Node, Project, Scan, Unnest
from ferris_beam.sql.rules.predicate import arrow_predicate
from ferris_beam.sql.text import SqlText
from ferris_beam.transforms.context import Run
from ferris_beam.transforms.endpoint import plan_of, shown
from ferris_beam.transforms.fingerprint import fingerprint
from ferris_beam.transforms.meter import Meter

TABLE_BYTES = 512 << 20
"""What one table may take in memory."""


class Table(ABC):
    """Rows that a worker can load. Pickled to the workers."""

    name: str
    """For people: where the rows come from."""

    key: str
    """The same for tables with the same rows, within one run."""

    @abstractmethod
    def batches(self, run: Run) -> Iterator[pa.RecordBatch]:
        """All rows, the same and in the same order in every process."""

    @abstractmethod
    def description(self) -> str:
        """What it holds, in words that change when its rows would."""


@dataclass
class GivenTable(Table):
    """Rows that are there already: those of a side input, which are set before it is asked."""

    rows: Sequence[pa.RecordBatch] = ()
    name: str = "the right side"
    key: str = field(default_factory=lambda: uuid4().hex)

    def batches(self, run: Run) -> Iterator[pa.RecordBatch]:
        return iter(self.rows)

    def description(self) -> str:
        return self.name


class SourceTable(Table):
    """Rows of a source, as the steps above its scan make them.

    Rejected rows are left out where ``strict`` is false: who reads the source beside its tables
    sees to them.
    """

    label = ""
    """Under which it counts what it loads; without it, it doesn't."""

    def __init__(self, scan: Scan, above: Sequence[Node], strict: bool, text: SqlText | None):
        resolved = scan.endpoint.resolved()
        reader = scan.endpoint.reader(resolved)
        found = reader.pushdown(list(scan.names), arrow_predicate(scan), scan.limit)
        self.reader: Reader = found[0]
        self.residual: Residual = found[1]
        self.name = shown(resolved)
        self.strict = strict
        self.steps: list[Step] = [
            Rename(scan.names, scan.schema),
            *steps_of(above, scan.schema, text),
        ]
        self._plan = f"{plan_of(resolved)} {scan.names} {arrow_predicate(scan)} {scan.limit}"
        if not self.reader.bounded:
            raise FatalError(f"{self.name} never ends: a worker can't hold it; use a hash join")

        self.key = self.description()

    def pin(self) -> None:
        """Makes what the source holds now a part of the description: a restart that meets another
        version of it would join the rest of the rows with other ones, so it is refused as a changed
        plan. Touches the store."""
        self.reader.open()
        try:
            units = sorted((s.interval.unit, s.identity) for s in self.reader.splits({}))
        finally:
            self.reader.close()
        self._plan = f"{self._plan} {fingerprint(f'{unit} {found}' for unit, found in units)}"

    def description(self) -> str:
        return "; ".join([self._plan, *(step.description() for step in self.steps)])

    def batches(
        self, run: Run, splits: int | None = None, chunks: int | None = None
    ) -> Iterator[pa.RecordBatch]:
        """All rows; of a sample the first ``chunks`` of the first ``splits``."""
        for step in self.steps:
            step.open(run)
        counts = Meter(run.identity.run, "sql", self.label) if self.label and not chunks else None
        rest = self.residual.limit
        began = time.perf_counter_ns()
        for split, chunk in self._chunks(splits, chunks):
            records = self._residual(chunk.records)
            if rest is not None:
                records = records.slice(0, rest)
                rest -= records.num_rows
            seed = f"{run.started} {run.identity.name} {split.interval.unit} {chunk.end}"
            results = self._stepped(records, seed)
            if counts is not None:
                count_step(counts, records, results, began)
            yield from results
            if rest == 0:
                return
            began = time.perf_counter_ns()

    def _chunks(self, splits: int | None, chunks: int | None) -> Iterator[tuple[Split, Chunk]]:
        """Every chunk of the source. After a `TransientError` the reader is opened anew, and goes
        on behind the last one."""
        retrying(self.reader.open, on_retry=self.reader.close)
        try:
            for split in retrying(lambda: list(self.reader.splits({})))[:splits]:
                for chunk in islice(self._chunks_of(split), chunks):
                    if chunk.rejects and self.strict:
                        raise strict_error(chunk.rejects[0], self.name)
                    yield split, chunk
        finally:
            self.reader.close()

    def _chunks_of(self, split: Split) -> Iterator[Chunk]:
        chunks: Iterator[Chunk] | None = None
        position = split.interval.start

        def following() -> Chunk | None:
            nonlocal chunks
            if chunks is None:
                rest = replace(split.interval, start=position)
                chunks = self.reader.read(replace(split, interval=rest))
            return next(chunks, None)

        def start_over() -> None:
            nonlocal chunks
            chunks = None
            self.reader.close()
            self.reader.open()

        while (chunk := retrying(following, on_retry=start_over)) is not None:
            position = chunk.end
            yield chunk

    def _residual(self, records: pa.RecordBatch) -> pa.RecordBatch:
        if self.residual.predicate is not None:
            records = records.filter(self.residual.predicate)
        if self.residual.columns is not None:
            records = records.select(list(self.residual.columns))
        return records

    def _stepped(self, records: pa.RecordBatch, seed: str) -> list[pa.RecordBatch]:
        """What the steps make of ``records``, without the rows that they can't take."""
        results: list[pa.RecordBatch] = []

        def apply(part: pa.RecordBatch) -> None:
            parts = [part]
            for step in self.steps:
                parts = [result for each in parts for result in step.results(each, seed)]
            results.extend(parts)

        for _, error in write_good_rows(records, apply):
            if self.strict:
                raise error
        return results


def table_of(node: Node, strict: bool, text: SqlText | None = None) -> SourceTable | None:
    """The table of a scan with projections and filters above it; None for any other node."""
    above: list[Node] = []
    while isinstance(node, (Project, Filter, Unnest)):
        above.append(node)
        node = node.input
    if not isinstance(node, Scan):
        return None
    return SourceTable(node, above[::-1], strict, text)


def held_rows(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, name: str, limit: int
) -> pa.RecordBatch:
    """All rows as one batch. Raises `FatalError` where they take more than ``limit`` bytes."""
    held, nbytes = [empty(schema)], 0
    for batch in batches:
        nbytes += batch.nbytes
        if nbytes > limit:
            raise FatalError(
                f"{name} takes more than {limit / 1e6:,.0f} MB as the table of a join; "
                "--broadcast_limit=0 lets both sides be partitioned, a higher one than it is now "
                "lets workers hold more"
            )
        held.append(batch)
    return concatenate(held)


_builds: WeakValueDictionary[Any, Build] = WeakValueDictionary()
_locks: WeakValueDictionary[Any, threading.Lock] = WeakValueDictionary()
_lock = threading.Lock()


def shared(key: Any, make: Callable[[], Build]) -> Build:
    """The build of this ``key`` in this process; made by the first thread that asks, kept for as
    long as any uses it."""
    with _lock:
        own = _locks.get(key) or threading.Lock()
        _locks[key] = own
    with own:
        found = _builds.get(key)
        if found is None:
            found = _builds[key] = make()
        return found
