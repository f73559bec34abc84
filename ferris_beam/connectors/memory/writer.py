"""Writing ``memory://name``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from ferris_beam.connector import Holding, Receipt, Staged, Writer
from ferris_beam.connectors.memory.options import MemorySinkOptions
from ferris_beam.connectors.memory.store import Store, known, name_of, store
from ferris_beam.ledger import Entry, Identity, LedgerState
from ferris_beam.uri import Uri


class MemoryStaged(Staged):
    """Batches that no one sees yet."""

    def __init__(self) -> None:
        self.rows = 0
        self.nbytes = 0
        self.schema: pa.Schema | None = None
        self.batches: list[pa.RecordBatch] = []
        self.receipt: Receipt | None = None

    def write(self, records: pa.RecordBatch) -> None:
        self.schema = self.schema or records.schema
        if records.num_rows:
            self.batches.append(records)
            self.rows += records.num_rows
            self.nbytes += records.nbytes


class MemoryWriter(Writer):
    """Appends to the store of this name; rows and ledger change under one lock.

    Parallelism: any number of writers. Delivery: exactly once within the process.
    A run from the start (``--rerun``, ``--reset``) appends as well.
    """

    can_wait = True

    def __init__(self, uri: Uri, options: MemorySinkOptions) -> None:
        self.name = name_of(uri)
        self.place = f"memory://{self.name}"
        self._identity = Identity("", "")

    def open(self, identity: Identity) -> None:
        self._identity = identity

    def ledger(self) -> LedgerState:
        target = store(self.name)
        with target.lock:
            return self._ledger(target).copy()

    def claim(self, epoch: int, generation: int) -> None:
        target = store(self.name)
        with target.lock:
            ledger = self._ledger(target)
            if ledger.check_claim(self._identity, epoch):
                if generation > ledger.generation:
                    target.waiting.pop(self._identity.name, None)
                ledger.claim(self._identity, epoch, generation)

    def begin(self) -> MemoryStaged:
        return MemoryStaged()

    def commit(self, epoch: int, staged: Staged, entries: Sequence[Entry]) -> Receipt:
        assert isinstance(staged, MemoryStaged)
        target = store(self.name)
        with target.lock:
            if staged.receipt is not None:
                return staged.receipt
            ledger = self._ledger(target)
            ledger.check_epoch(self._identity, epoch)
            ledger.check_entries(entries)
            ledger.commit(entries, staged.rows)
            if self.waits:
                waiting = target.waiting.setdefault(self._identity.name, [])
                waiting.extend(staged.batches)
            else:
                target.batches.extend(staged.batches)
            target.schema = target.schema or staged.schema
            staged.receipt = Receipt(staged.rows, staged.nbytes)
            return staged.receipt

    def rollback(self, staged: Staged) -> None:
        assert isinstance(staged, MemoryStaged)
        if staged.receipt is None:
            staged.batches.clear()

    def prepare(self, epoch: int) -> None:
        target = store(self.name)
        with target.lock:
            ledger = self._ledger(target)
            ledger.check_epoch(self._identity, epoch)
            ledger.prepare()

    def finish(self, epoch: int) -> None:
        target = store(self.name)
        with target.lock:
            ledger = self._ledger(target)
            ledger.check_epoch(self._identity, epoch)
            target.batches.extend(target.waiting.pop(self._identity.name, ()))
            ledger.finish()

    def holdings(self) -> Mapping[str, Holding]:
        target = known(self.name)
        if target is None:
            return {}
        with target.lock:
            return {
                name: _holding(ledger, target.waiting.get(name, ()))
                for name, ledger in sorted(target.ledgers.items())
                if ledger.epoch
            }

    def forget(self) -> None:
        target = store(self.name)
        with target.lock:
            self._ledger(target).forget()
            target.waiting.pop(self._identity.name, None)

    def _ledger(self, target: Store) -> LedgerState:
        return target.ledgers.setdefault(self._identity.name, LedgerState())


def _holding(ledger: LedgerState, waiting: Sequence[pa.RecordBatch]) -> Holding:
    return Holding(ledger.copy(), len(waiting), sum(batch.nbytes for batch in waiting))
