"""Writing files: rows are staged, one entry of the log commits them, then they are published."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from ferris_beam.commitlog import (
    Claim,
    Commit,
    Finish,
    LocalLogStore,
    NumberedLog,
    SinkLog,
    SinkState,
)
from ferris_beam.connector import Receipt, Staged, Writer
from ferris_beam.connectors.file.encoding import Encoding
from ferris_beam.connectors.file.failures import explained
from ferris_beam.connectors.file.folder import FolderTarget
from ferris_beam.connectors.file.layout import Layout, Workspace
from ferris_beam.connectors.file.options import FileSinkOptions
from ferris_beam.connectors.file.partitions import Partitioning
from ferris_beam.connectors.file.publish import Publisher
from ferris_beam.connectors.file.single import GrowingTarget, MergedTarget
from ferris_beam.connectors.file.staging import FileStaged, SealedPart
from ferris_beam.connectors.file.target import Target
from ferris_beam.errors import ConfigurationError, FerrisError
from ferris_beam.ledger import Entry, Identity, LedgerState
from ferris_beam.uri import Uri


@dataclass(frozen=True)
class _Opened:
    """What a writer holds between `open` and `close`."""

    identity: Identity
    workspace: Workspace
    store: LocalLogStore
    log: SinkLog
    publisher: Publisher
    target: Target


class FileWriter(Writer):
    """A folder of files (the URI ends with '/'), or one file.

    Parallelism: any number of writers; the log puts their commits in one order. Delivery: exactly
    once. Each commit adds whole files to a folder, one for each partition. A single CSV or JSONL
    file grows with each commit. Any other single file, and whatever replaces old data, appears
    when the bounded input is finished.
    """

    def __init__(self, uri: Uri, options: FileSinkOptions) -> None:
        self.layout = Layout.of(uri)
        self.place = f"file://{self.layout.display}"
        self.options = options
        self.encoding = Encoding.of(self.layout, options)
        self.partitioning = Partitioning(tuple(options.partition_by))
        self.batch_rows = options.batch_size
        if self.layout.file and not self.encoding.grows:
            self.needs_end = "only CSV and JSON Lines files can grow; end the URI with '/'"
        elif options.if_exists == "overwrite":
            self.needs_end = "if_exists=overwrite replaces what is there once all is written"
        if self.layout.file and self.partitioning.columns:
            raise ConfigurationError(
                f"{self.layout.display}: partition_by needs a folder; end the URI with '/'"
            )
        self._opened: _Opened | None = None

    # ── opening ─────────────────────────────────────────────────────────────────────────────

    def open(self, identity: Identity) -> None:
        workspace = self.layout.workspace(identity.name)
        store = LocalLogStore(workspace.log)
        opened = _Opened(
            identity,
            workspace,
            store,
            SinkLog(NumberedLog(store), identity.name),
            Publisher(self.layout, workspace),
            self._target(workspace, identity),
        )
        with explained(self.layout.display):
            opened.publisher.publish(opened.log.refresh())
        self._opened = opened

    def _target(self, workspace: Workspace, identity: Identity) -> Target:
        kind: type[Target] = FolderTarget
        if self.layout.file:
            kind = GrowingTarget if self.encoding.grows else MergedTarget
        return kind(self.layout, workspace, self.encoding, self.options.if_exists, identity.run)

    def close(self) -> None:
        self._opened = None

    @property
    def _now(self) -> _Opened:
        if self._opened is None:
            raise RuntimeError(f"the writer of {self.layout.display} is not open")
        return self._opened

    def ledger(self) -> LedgerState:
        with explained(self.layout.display):
            return self._now.log.refresh().ledger

    # ── claiming ────────────────────────────────────────────────────────────────────────────

    def claim(self, epoch: int, generation: int) -> None:
        now, identifier = self._now, uuid.uuid4().hex

        def build(state: SinkState) -> Claim | None:
            if not state.ledger.check_claim(now.identity, epoch):
                return None
            now.publisher.publish(state)
            start = now.target.start(state, fresh=generation > state.ledger.generation)
            return Claim(
                identifier,
                now.identity.run,
                epoch,
                now.identity.plan,
                generation,
                start.held,
                start.replaces,
                start.end,
            )

        with explained(self.layout.display):
            if now.log.append(identifier, build) is not None:
                now.store.sweep()
                now.publisher.publish(now.log.state)
                now.publisher.sweep(now.log.state, now.log.state.ledger.past)

    # ── writing ─────────────────────────────────────────────────────────────────────────────

    def begin(self) -> FileStaged:
        return FileStaged(
            self._now.workspace,
            self._now.identity.run,
            self.encoding,
            self.partitioning,
            header=not self.layout.file,
            keep_empty=bool(self.layout.file),
        )

    def commit(self, epoch: int, staged: Staged, entries: Sequence[Entry]) -> Receipt:
        assert isinstance(staged, FileStaged)
        now = self._now
        with explained(self.layout.display):
            if staged.receipt is None:
                parts = staged.seal()
                size = now.target.size
                now.target.check(size, now.log.refresh())
                number = now.log.append(
                    staged.id, lambda state: self._commit(state, epoch, staged, parts, entries)
                )
                now.publisher.publish(now.log.state, number)
                if now.log.checkpoint_is_due:
                    now.publisher.settle(now.log.state)
                    now.log.checkpoint()
                staged.receipt = Receipt(staged.rows, sum(part.nbytes for part in parts))
            return staged.receipt

    def _commit(
        self,
        state: SinkState,
        epoch: int,
        staged: FileStaged,
        parts: Sequence[SealedPart],
        entries: Sequence[Entry],
    ) -> Commit:
        state.ledger.check_epoch(self._now.identity, epoch)
        state.ledger.check_entries(entries)
        target = self._now.target
        files = target.place(state, parts)
        return Commit(staged.id, epoch, staged.rows, tuple(entries), files, target.holds(state))

    def rollback(self, staged: Staged) -> None:
        """Forgets rows; not those of a commit that succeeded although its answer was lost."""
        assert isinstance(staged, FileStaged)
        with suppress(FerrisError, OSError):
            state = self._now.log.refresh()
            named = {file.staged for _, file in state.due}
            named.update(file.staged for file in state.waiting)
            staged.discard(named)

    # ── finishing ───────────────────────────────────────────────────────────────────────────

    def finish(self, epoch: int) -> None:
        now, identifier = self._now, uuid.uuid4().hex

        def build(state: SinkState) -> Finish | None:
            state.ledger.check_epoch(now.identity, epoch)
            if state.ledger.finished and not state.waiting:
                return None
            files, removals = now.target.finish(state)
            return Finish(identifier, epoch, files, removals)

        with explained(self.layout.display):
            now.log.append(identifier, build)
            now.publisher.settle(now.log.state)
            now.log.checkpoint()
            past = now.log.state.ledger.past
            now.publisher.sweep(now.log.state, (*past, now.identity.run))
