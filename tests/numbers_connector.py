"""A connector for tests: numbers by the cell, with faults at will, into lists of this process.

``numbers://source?units=2&cells=4&rows=10`` reads units of cells; ``numbers://name`` as a sink
keeps what is written in `TABLES`, with a ledger, and can refuse rows, fail for a while, or lose the
answer of a commit.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.connector import (
    Chunk,
    Connector,
    Reader,
    Receipt,
    Reject,
    SinkFacts,
    SourceFacts,
    Split,
    Staged,
    Writer,
)
from ferris_beam.errors import BadRecordError, TransientError
from ferris_beam.interval import Interval
from ferris_beam.ledger import Entry, Identity, LedgerState
from ferris_beam.options import Options, Secret, option

SCHEMA = pa.schema([("unit", pa.string()), ("x", pa.int64())])


class NumbersSourceOptions(Options):
    """What there is to read."""

    units: int = option(2, description="how many units", example=2)
    cells: int = option(4, description="cells of each unit", example=4)
    rows: int = option(10, description="rows of each cell", example=10)
    reject_every: int = option(0, description="every n-th number can't be read", example=97)
    replayable: bool = option(True, description="whether a cell can be read again", example=True)
    version: str = option("1", description="the units' fingerprint", example="1")
    password: Secret | None = option(None, description="a secret", example="env:PASSWORD")


class NumbersSinkOptions(Options):
    """How the sink misbehaves."""

    refuse_every: int = option(0, description="every n-th number is refused", example=7)
    transient: int = option(0, description="writes that fail before one succeeds", example=2)
    lost_answers: int = option(0, description="commits whose answer is lost", example=1)
    tuning = frozenset({"batch_rows", "transient", "lost_answers"})

    batch_rows: int = option(25, description="rows of a commit", example=25)
    password: Secret | None = option(None, description="a secret", example="env:PASSWORD")


class NumbersReader(Reader):
    def __init__(self, uri: object, options: NumbersSourceOptions) -> None:
        self.options = options

    def schema(self) -> pa.Schema:
        return SCHEMA

    def splits(self, known: Mapping[str, str]) -> Iterable[Split]:
        for number in range(self.options.units):
            yield Split(
                Interval(f"unit-{number}", 0, self.options.cells),
                identity=self.options.version,
                size=self.options.cells * self.options.rows * 8,
            )

    def open(self) -> None:
        OPENED.append(self.options.password.resolve() if self.options.password else "")

    def read(self, split: Split) -> Iterator[Chunk]:
        unit = split.interval.unit
        for cell in range(split.interval.start, split.interval.closed_end):
            READ[unit].append(cell)
            numbers = range(cell * self.options.rows, (cell + 1) * self.options.rows)
            every = self.options.reject_every
            bad = [number for number in numbers if every and number % every == 0]
            good = [number for number in numbers if number not in bad]
            rejects = [
                Reject(cell, f"number {number} of {unit}", "not wanted", str(number).encode())
                for number in bad
            ]
            yield Chunk(records_of(unit, good), cell + 1, rejects, nbytes=8 * len(numbers))


@dataclass
class Table:
    """What a sink holds."""

    batches: list[pa.RecordBatch] = field(default_factory=list)
    ledgers: dict[str, LedgerState] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock)
    failures: int = 0
    lost: int = 0
    rollbacks: int = 0

    def rows(self) -> list[dict[str, object]]:
        return [row for batch in self.batches for row in batch.to_pylist()]


OPENED: list[str] = []
READ: dict[str, list[int]] = defaultdict(list)
TABLES: dict[str, Table] = defaultdict(Table)


class NumbersStaged(Staged):
    def __init__(self, writer: NumbersWriter) -> None:
        self.writer = writer
        self.batches: list[pa.RecordBatch] = []
        self.token = uuid4().hex

    def write(self, records: pa.RecordBatch) -> None:
        options, table = self.writer.options, self.writer.table
        if table.failures < options.transient:
            table.failures += 1
            raise TransientError("the sink is busy")
        every = options.refuse_every
        if every and any(x % every == 0 for x in records["x"].to_pylist()):
            raise BadRecordError(f"a multiple of {every}")
        self.batches.append(records)
        self.rows += records.num_rows
        self.nbytes += records.nbytes


class NumbersWriter(Writer):
    def __init__(self, uri: object, options: NumbersSinkOptions) -> None:
        self.options = options
        self.name = uri.hosts[0].name  # type: ignore[attr-defined]
        self.place = f"numbers://{self.name}"
        self.batch_rows = options.batch_rows

    @property
    def table(self) -> Table:
        return TABLES[self.name]

    @property
    def state(self) -> LedgerState:
        return self.table.ledgers.setdefault(self.identity.name, LedgerState())

    def open(self, identity: Identity) -> None:
        self.identity = identity
        OPENED.append(self.options.password.resolve() if self.options.password else "")

    def ledger(self) -> LedgerState:
        with self.table.lock:
            return LedgerState.from_json(self.state.to_json())

    def claim(self, epoch: int, generation: int) -> None:
        with self.table.lock:
            if self.state.check_claim(self.identity, epoch):
                self.state.claim(self.identity, epoch, generation)

    def begin(self) -> NumbersStaged:
        return NumbersStaged(self)

    def commit(self, epoch: int, staged: Staged, entries: Sequence[Entry]) -> Receipt:
        assert isinstance(staged, NumbersStaged)
        table = self.table
        with table.lock:
            if staged.token not in table.tokens:
                self.state.check_epoch(self.identity, epoch)
                self.state.check_entries(entries)
                table.tokens.add(staged.token)
                table.batches += staged.batches
                self.state.commit(entries, staged.rows)
            if table.lost < self.options.lost_answers:
                table.lost += 1
                raise TransientError("the answer was lost")
        return Receipt(staged.rows, staged.nbytes)

    def rollback(self, staged: Staged) -> None:
        self.table.rollbacks += 1

    def finish(self, epoch: int) -> None:
        with self.table.lock:
            self.state.check_epoch(self.identity, epoch)
            self.state.finish()


def records_of(unit: str, numbers: Sequence[int]) -> pa.RecordBatch:
    return pa.record_batch(
        [pa.array([unit] * len(numbers), pa.string()), pa.array(numbers, pa.int64())],
        schema=SCHEMA,
    )


def clear() -> None:
    OPENED.clear()
    READ.clear()
    TABLES.clear()


def sum_of(records: pa.RecordBatch) -> int:
    return pc.sum(records["x"]).as_py() or 0


CONNECTOR = Connector(
    name="numbers",
    schemes=("numbers",),
    summary="Numbers for tests.",
    source=SourceFacts(
        "tests.numbers_connector:NumbersSourceOptions",
        "tests.numbers_connector:NumbersReader",
        unit="a unit of cells",
        delivery="exactly once",
    ),
    sink=SinkFacts(
        "tests.numbers_connector:NumbersSinkOptions",
        "tests.numbers_connector:NumbersWriter",
        unit="a commit",
        delivery="exactly once",
    ),
)
