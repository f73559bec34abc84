"""Writing ``faulty://name``: into a table of this process."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc

from ferris_beam.connector import Receipt, Staged, Writer
from ferris_beam.errors import BadRecordError, FatalError, TransientError
from ferris_beam.ledger import Entry, Identity, LedgerState
from ferris_beam.testing.faulty.options import FaultySinkOptions
from ferris_beam.testing.faulty.store import GATES, OPENED, TABLES, Table, name_of
from ferris_beam.uri import Uri


class FaultyStaged(Staged):
    """Batches that no one sees yet."""

    def __init__(self, writer: FaultyWriter) -> None:
        self.writer = writer
        self.batches: list[pa.RecordBatch] = []
        self.token = uuid4().hex

    def write(self, records: pa.RecordBatch) -> None:
        options, table = self.writer.options, self.writer.table
        if table.failures < options.transient:
            table.failures += 1
            raise TransientError(f"{self.writer.place} is busy")
        if options.refuse_every and "x" in records.schema.names:
            self._refuse(records["x"], options.refuse_every)
        self.batches.append(records)
        self.rows += records.num_rows
        self.nbytes += records.nbytes

    @staticmethod
    def _refuse(column: pa.Array, every: int) -> None:
        if any(x % every == 0 for x in pc.drop_null(column).to_pylist()):
            raise BadRecordError(f"a multiple of {every}")


class FaultyWriter(Writer):
    """Parallelism: any number of writers, one commit after the other. Delivery: exactly once."""

    can_wait = True

    def __init__(self, uri: Uri, options: FaultySinkOptions) -> None:
        self.options = options
        self.name = name_of(uri)
        self.place = f"faulty://{self.name}"
        self.batch_rows = options.batch_rows
        self.identity = Identity("", "")

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
            return self.state.copy()

    def claim(self, epoch: int, generation: int) -> None:
        with self.table.lock:
            if self.state.check_claim(self.identity, epoch):
                self._drop_older(generation)
                self.state.claim(self.identity, epoch, generation)

    def _drop_older(self, generation: int) -> None:
        """What waits of another generation is never shown."""
        if generation > self.state.generation:
            self.table.waiting.pop(self.identity.name, None)

    def begin(self) -> FaultyStaged:
        return FaultyStaged(self)

    def commit(self, epoch: int, staged: Staged, entries: Sequence[Entry]) -> Receipt:
        assert isinstance(staged, FaultyStaged)
        table = self.table
        if len(table.tokens) == self.options.hold_at:
            GATES[self.name].pass_through()
        with table.lock:
            if staged.token not in table.tokens:
                self._fail()
                self._check(epoch, entries)
                self.state.commit(entries, staged.rows)
                table.tokens.add(staged.token)
                self._keep(staged.batches)
            if table.lost < self.options.lost_answers:
                table.lost += 1
                raise TransientError("the answer was lost")
        return Receipt(staged.rows, staged.nbytes)

    def _keep(self, batches: list[pa.RecordBatch]) -> None:
        """Shows rows, or lets them wait for the finish."""
        table = self.table
        waiting = table.waiting.setdefault(self.identity.name, [])
        (waiting if self.waits else table.batches).extend(batches)

    def _fail(self) -> None:
        if len(self.table.tokens) == self.options.fatal_after:
            raise FatalError(f"{self.place} is broken; raise fatal_after")

    def _check(self, epoch: int, entries: Sequence[Entry]) -> None:
        self.state.check_epoch(self.identity, epoch)
        self.state.check_entries(entries)

    def rollback(self, staged: Staged) -> None:
        self.table.rollbacks += 1

    def prepare(self, epoch: int) -> None:
        with self.table.lock:
            self.state.check_epoch(self.identity, epoch)
            self.state.prepare()

    def finish(self, epoch: int) -> None:
        with self.table.lock:
            self.state.check_epoch(self.identity, epoch)
            self.table.batches += self.table.waiting.pop(self.identity.name, [])
            self.state.finish()
