"""Using a writer as the engine does, for the checks."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa

from ferris_beam.connector import Receipt, Staged, Writer
from ferris_beam.errors import FerrisError
from ferris_beam.interval import Interval, Origin
from ferris_beam.ledger import Entry, Identity
from ferris_beam.testing.cases import SinkCase
from ferris_beam.testing.checks import described, fail
from ferris_beam.testing.rows import demand_rows

PATH = ("Read",)


class Piece(NamedTuple):
    """Some rows and the interval that they stand for."""

    records: pa.RecordBatch
    entry: Entry


@dataclass
class SinkRun:
    """One run of a pipeline at the sink: an open writer that holds an epoch."""

    writer: Writer
    epoch: int

    def stage(self, pieces: Sequence[Piece]) -> Staged:
        staged = self.writer.begin()
        for piece in pieces:
            staged.write(piece.records)
        return staged

    def commit(self, *pieces: Piece) -> Receipt:
        staged = self.stage(pieces)
        try:
            receipt = self.writer.commit(self.epoch, staged, entries(pieces))
        except BaseException:
            self.writer.rollback(staged)
            raise
        self.writer.ledger()
        return receipt

    def finish(self) -> None:
        self.writer.finish(self.epoch)


@contextmanager
def running(
    case: SinkCase, run: str = "run-1", epoch: int = 1, generation: int = 1, waits: bool = False
) -> Iterator[SinkRun]:
    """A run that has claimed the sink, closed at the end."""
    started = start(case, run, epoch, generation, waits)
    try:
        yield started
    finally:
        started.writer.close()


def start(
    case: SinkCase, run: str = "run-1", epoch: int = 1, generation: int = 1, waits: bool = False
) -> SinkRun:
    """A run that has claimed the sink, and that is left to itself."""
    writer = case.writer()
    writer.waits = waits
    writer.open(identity(run))
    try:
        writer.claim(epoch, generation)
    except BaseException:
        writer.close()
        raise
    return SinkRun(writer, epoch)


def identity(run: str, name: str = "conformance") -> Identity:
    return Identity(name, run, "plan")


def pieces(
    table: pa.Table, count: int = 4, *, unit: str = "unit", ordered: bool = False, first: int = 0
) -> list[Piece]:
    """A table cut into pieces, which stand for the positions of a unit one by one."""
    rows = -(-table.num_rows // count)
    cut = []
    for number in range(count):
        records = table.slice(number * rows, rows).combine_chunks()
        batch = next(iter(records.to_batches()), pa.RecordBatch.from_pylist([], table.schema))
        interval = Interval(unit, first + number, first + number + 1)
        origin = Origin(PATH, interval, "version-1", ordered)
        cut.append(Piece(batch, Entry(origin, batch.num_rows)))
    return cut


def entries(found: Sequence[Piece]) -> list[Entry]:
    return [piece.entry for piece in found]


def forget_killed() -> None:
    """Frees what a run held that was abandoned without `rollback` and `close`, as the operating
    system does for a process that was killed; nothing of the connector's runs then."""
    gc.collect()


def demand_refused(kind: type[FerrisError], action: object, what: str) -> FerrisError:
    """Calls ``action`` and fails unless it raises ``kind``."""
    assert callable(action)
    try:
        action()
    except kind as error:
        return error
    except Exception as error:
        fail(f"{what} raised {described(error)}, not {kind.__name__}", error)
    return fail(f"{what} was not refused by {kind.__name__}")


def demand_visible(case: SinkCase, wanted: pa.Table, where: str) -> None:
    """Fails unless the sink shows exactly these rows."""
    found = case.read()
    if not wanted.num_rows and not found.num_rows:
        return
    demand_rows(found, case.as_stored(wanted), where)
