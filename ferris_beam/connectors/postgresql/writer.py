"""Writing to PostgreSQL: rows and ledger in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from ferris_beam.commitlog import TableLedger
from ferris_beam.connector import Holding, Outline, Receipt, Staged, Writer
from ferris_beam.connectors.postgresql.diagnosis import diagnose_sink
from ferris_beam.connectors.postgresql.options import PostgresqlSinkOptions
from ferris_beam.connectors.postgresql.server import Server
from ferris_beam.connectors.postgresql.writing.destination import Destination
from ferris_beam.connectors.postgresql.writing.ledger_rows import LEDGER, LedgerTable, ledgers
from ferris_beam.connectors.postgresql.writing.names import TableName
from ferris_beam.connectors.postgresql.writing.outline import outline
from ferris_beam.connectors.postgresql.writing.session import Session
from ferris_beam.connectors.postgresql.writing.staged import PostgresqlStaged
from ferris_beam.connectors.postgresql.writing.waiting import found, prefix_of
from ferris_beam.errors import BadRecordError, ConfigurationError, FatalError
from ferris_beam.findings import Finding
from ferris_beam.ledger import Entry, Identity, LedgerState
from ferris_beam.reliability import AT_WORK, retrying
from ferris_beam.uri import Uri


@dataclass(frozen=True)
class _Opened:
    """What a writer holds between `open` and `close`."""

    identity: Identity
    session: Session
    rows: LedgerTable
    progress: TableLedger
    destination: Destination


class PostgresqlWriter(Writer):
    """Rows of a table; each commit is one transaction with its ledger.

    Parallelism: any number of writers, each with a connection of its own. Their transactions run
    side by side and take the ledger's lock only for the moment of the commit. Delivery: exactly
    once; a transaction that fails for a passing reason is written again as a whole.
    """

    def __init__(self, uri: Uri, options: PostgresqlSinkOptions) -> None:
        self.server = Server.of(uri, options, "read-write")
        self.options = options
        self.name = TableName.parse(options.table) if options.table else None
        self.batch_rows = options.batch_rows
        self.batch_bytes = options.batch_bytes
        told_apart = bool(options.key) or options.position is not None
        self.keyed = options.mode == "upsert" or (options.mode == "apply" and told_apart)
        self.can_wait = options.mode != "apply"
        if options.mode == "overwrite":
            self.needs_end = "mode=overwrite replaces the table once all is written"
        self._opened: _Opened | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": None}

    @property
    def target(self) -> TableName | None:
        """The table: the option's, or the one named like the stream."""
        return self.name or (TableName(None, self.stream) if self.stream else None)

    @property
    def place(self) -> str:  # type: ignore[override]
        return f"{self.server.display}?table={self.target}" if self.target else self.server.display

    # ── opening ─────────────────────────────────────────────────────────────────────────────

    def open(self, identity: Identity) -> None:
        self.close()
        target = self.target if self.options.mode == "apply" else self._needed_target()
        session = Session(self.server, self.options.isolation)
        table, sink = self._ledger_key()
        rows = LedgerTable(session, table, sink, identity.name)
        progress = TableLedger(identity)
        try:
            retrying(rows.create)
        except BaseException:
            session.close()
            raise
        destination = Destination(
            session,
            target,
            self.options,
            self.waits or self.options.mode == "overwrite",
            prefix_of(sink, identity.name),
            lambda: progress.state(rows).generation,
        )
        self._opened = _Opened(identity, session, rows, progress, destination)

    def _needed_target(self) -> TableName:
        if self.target is None:
            raise ConfigurationError(
                f"{self.server.display}: which table? Say ?table=name; in SQL, CREATE STREAM name "
                "writes the table of that name"
            )
        return self.target

    def _ledger_key(self) -> tuple[TableName, str]:
        """The ledger's table, beside the target, and the name of the sink in it."""
        target = self.target or TableName(None, "")
        return target.beside(LEDGER), str(target)

    def close(self) -> None:
        if self._opened is not None:
            self._opened.session.close()
        self._opened = None

    @property
    def _now(self) -> _Opened:
        if self._opened is None:
            raise RuntimeError(f"the writer of {self.place} is not open")
        return self._opened

    # ── the ledger ──────────────────────────────────────────────────────────────────────────

    def ledger(self) -> LedgerState:
        now = self._now
        return retrying(lambda: now.progress.state(now.rows), AT_WORK)

    def claim(self, epoch: int, generation: int) -> None:
        now = self._now
        with self._locked():
            if now.progress.claim(now.rows, epoch, generation):
                now.destination.drop_waiting(kept=generation)

    def finish(self, epoch: int) -> None:
        now = self._now
        with self._locked():
            state = now.progress.state(now.rows)
            state.check_epoch(now.identity, epoch)
            if not state.finished:
                now.destination.publish()
            now.progress.finish(now.rows, epoch)

    def prepare(self, epoch: int) -> None:
        now = self._now
        with self._locked():
            now.progress.prepare(now.rows, epoch)

    def forget(self) -> None:
        now = self._now
        with self._locked():
            now.progress.forget(now.rows)
            now.destination.drop_waiting()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """A transaction that holds the ledger's lock."""
        now = self._now
        now.session.rollback()
        with now.session.transaction():
            now.rows.lock()
            yield

    # ── rows ────────────────────────────────────────────────────────────────────────────────

    def begin(self) -> PostgresqlStaged:
        whole = self.options.on_failure == "batch"
        return PostgresqlStaged(self._now.session, self._now.destination.mode, whole)

    def commit(self, epoch: int, staged: Staged, entries: Sequence[Entry]) -> Receipt:
        assert isinstance(staged, PostgresqlStaged)
        if staged.receipt is None:
            try:
                self._commit(epoch, staged, entries)
            except BaseException:
                self._now.session.rollback()
                raise
            staged.receipt = Receipt(staged.rows, staged.nbytes)
        return staged.receipt

    def _commit(self, epoch: int, staged: PostgresqlStaged, entries: Sequence[Entry]) -> None:
        now = self._now
        self._refuse_disorder(entries)
        if staged.tried:
            self._commit_again(epoch, staged, entries)
            return
        staged.restore()
        staged.tried = True
        now.rows.lock()
        now.progress.commit(now.rows, epoch, staged.token, entries, staged.rows)
        self._end_transaction()

    def _commit_again(self, epoch: int, staged: PostgresqlStaged, entries: Sequence[Entry]) -> None:
        """After a commit of which nobody knows whether it succeeded: the ledger does.

        The lock comes first, so that of several writers at the level SERIALIZABLE one gets on.
        """
        now = self._now
        staged.make_ready()
        with now.rows.lock_of_session():
            now.session.begin()
            if now.progress.commit(now.rows, epoch, staged.token, entries, staged.rows):
                staged.write_all()
            self._end_transaction()

    def _refuse_disorder(self, entries: Sequence[Entry]) -> None:
        if self.options.mode != "apply" or self.options.position is not None:
            return
        unordered = next((entry for entry in entries if not entry.origin.ordered), None)
        if unordered is not None:
            raise FatalError(
                f"{self.place}: the changes in {unordered.origin.interval} may come in any order, "
                "and would be applied in that; say by position=_position which column puts them "
                "in order"
            )

    def _end_transaction(self) -> None:
        try:
            self._now.session.commit()
        except BadRecordError as error:
            raise FatalError(
                f"a deferred constraint refuses the rows of a commit as a whole: {error.message}\n"
                "mend the rows, or make the constraint NOT DEFERRABLE, so that it is checked row "
                "by row and single rows can be rejected"
            ) from error

    def rollback(self, staged: Staged) -> None:
        assert isinstance(staged, PostgresqlStaged)
        staged.drop()

    # ── what people ask ─────────────────────────────────────────────────────────────────────

    def holdings(self) -> Mapping[str, Holding]:
        session = Session(self.server)
        table, sink = self._ledger_key()
        try:
            states = ledgers(session, table, sink)
            waiting = {name: found(session, prefix_of(sink, name)) for name in states}
        finally:
            session.close()
        return {
            name: Holding(state, len(waiting[name]), sum(size for _, size in waiting[name]))
            for name, state in states.items()
        }

    def diagnose(self) -> Iterator[Finding]:
        return diagnose_sink(self.server, self.options, self.target)

    def outline(self, sample: pa.RecordBatch) -> Outline:
        target = self.target if self.options.mode == "apply" else self._needed_target()
        session = Session(self.server)
        try:
            return outline(session, target, self.options, sample)
        finally:
            session.close()
