"""Writing files: rows are staged, one entry of the log commits them, then they are published."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import pyarrow as pa

from ferris_beam.commitlog import (
    Claim,
    Commit,
    Finish,
    Forget,
    LocalLogStore,
    NumberedLog,
    Prepare,
    SinkLog,
    SinkState,
)
from ferris_beam.connector import Holding, Outline, Receipt, Staged, Writer
from ferris_beam.connectors.file.diagnosis import diagnose_sink
from ferris_beam.connectors.file.encoding import Encoding
from ferris_beam.connectors.file.failures import explained
from ferris_beam.connectors.file.folder import FolderTarget
from ferris_beam.connectors.file.holdings import holdings
from ferris_beam.connectors.file.layout import Layout, Workspace, part_name
from ferris_beam.connectors.file.options import FileSinkOptions
from ferris_beam.connectors.file.outline import outline
from ferris_beam.connectors.file.partitions import Partitioning, partitioning_of
from ferris_beam.connectors.file.publish import Publisher
from ferris_beam.connectors.file.roller import Process, Roller
from ferris_beam.connectors.file.rolling import Rolling, check_rolling
from ferris_beam.connectors.file.single import GrowingTarget, MergedTarget
from ferris_beam.connectors.file.staging import FileStaged, SealedPart
from ferris_beam.connectors.file.target import Target
from ferris_beam.connectors.file.templated import TemplatedTarget
from ferris_beam.errors import FerrisError
from ferris_beam.findings import Finding
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
    roller: Roller


class FileWriter(Writer):
    """A folder of files (the URI ends with '/'), one file, or files named by a template of time.

    Parallelism: any number of writers; the log puts their commits in one order. Delivery: exactly
    once. Each commit adds whole files to a folder, one for each partition, or is gathered with
    others into larger ones. A single CSV or JSONL file grows with each commit. Any other single
    file, and whatever replaces old data, appears when the bounded input is finished.
    """

    can_wait = True

    def __init__(self, uri: Uri, options: FileSinkOptions) -> None:
        self.layout = Layout.of(uri)
        self.place = f"file://{self.layout.display}"
        self.options = options
        self.encoding = Encoding.of(self.layout, options)
        self.partitioning = partitioning_of(self.layout, options)
        self.creates = f"file://{_example(self.layout, self.encoding, self.partitioning)}"
        self.batch_rows = options.batch_size
        if self.layout.in_order and not self.encoding.grows:
            self.needs_end = "only CSV and JSON Lines files can grow; end the URI with '/'"
        elif options.if_exists == "overwrite":
            self.needs_end = "if_exists=overwrite replaces what is there once all is written"
        check_rolling(options, self.layout.display, folder=not self.layout.in_order)
        self._opened: _Opened | None = None

    # ── opening ─────────────────────────────────────────────────────────────────────────────

    def open(self, identity: Identity) -> None:
        workspace = self.layout.workspace(identity.name)
        store = LocalLogStore(workspace.log)
        log = SinkLog(NumberedLog(store), identity.name)
        opened = _Opened(
            identity,
            workspace,
            store,
            log,
            Publisher(self.layout, workspace),
            self._target(workspace, identity),
            Roller(
                self.layout,
                workspace,
                self.encoding,
                identity.run,
                log,
                self.rolling,
                Process.of(workspace),
            ),
        )
        with explained(self.layout.display):
            opened.publisher.publish(opened.log.refresh())
        self._opened = opened

    def _target(self, workspace: Workspace, identity: Identity) -> Target:
        kind: type[Target] = FolderTarget
        if self.layout.many_files:
            kind = TemplatedTarget
        elif self.layout.file:
            kind = GrowingTarget if self.encoding.grows else MergedTarget
        return kind(self.layout, workspace, self.encoding, self.options.if_exists, identity.run)

    @property
    def rolling(self) -> Rolling | None:
        """When small commits become a file; None: each is one at once."""
        return None if self.layout.in_order else Rolling.of(self.options, self.endless)

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
                start.held or self.waits,
                start.replaces,
                start.end,
                keeps=not start.replaces and not state.held,
                name=now.identity.name,
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
            header=not self.layout.in_order and self.rolling is None,
            keep_empty=bool(self.layout.file),
        )

    def commit(self, epoch: int, staged: Staged, entries: Sequence[Entry]) -> Receipt:
        assert isinstance(staged, FileStaged)
        now = self._now
        with explained(self.layout.display):
            if staged.receipt is None:
                parts = staged.seal()
                size, sizes = now.target.size, now.target.sizes(parts)
                now.target.check(size, now.log.refresh())
                now.target.check_sizes(sizes, now.log.state)
                number = now.log.append(
                    staged.id, lambda state: self._commit(state, epoch, staged, parts, entries)
                )
                now.publisher.publish(now.log.state, number)
                self._checkpoint()
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
        now, done = self._now, tuple(entries)
        if self.rolling is not None:
            gathered = now.roller.gather(parts)
            return Commit(staged.id, epoch, staged.rows, done, gathered=gathered)
        files = now.target.place(state, parts)
        return Commit(staged.id, epoch, staged.rows, done, files, now.target.holds(state))

    def _checkpoint(self) -> None:
        now = self._now
        if now.log.checkpoint_is_due:
            now.publisher.settle(now.log.state)
            now.log.checkpoint()

    def rollback(self, staged: Staged) -> None:
        """Forgets rows; not those of a commit that succeeded although its answer was lost."""
        assert isinstance(staged, FileStaged)
        with suppress(FerrisError, OSError):
            staged.discard(self._now.log.refresh().staged_names)

    def roll(self, epoch: int, everything: bool = False) -> None:
        now = self._now
        with explained(self.layout.display):
            if everything:
                now.log.refresh()
            now.roller.roll(
                lambda state: state.ledger.check_epoch(now.identity, epoch),
                self._publish_roll,
                everything,
            )

    def _publish_roll(self) -> None:
        self._now.publisher.publish(self._now.log.state)
        self._checkpoint()

    # ── finishing ───────────────────────────────────────────────────────────────────────────

    def prepare(self, epoch: int) -> None:
        now, identifier = self._now, uuid.uuid4().hex

        def build(state: SinkState) -> Prepare | None:
            state.ledger.check_epoch(now.identity, epoch)
            done = state.ledger.prepared or state.ledger.finished
            return None if done else Prepare(identifier, epoch)

        with explained(self.layout.display):
            now.log.append(identifier, build)

    def finish(self, epoch: int) -> None:
        now, identifier = self._now, uuid.uuid4().hex

        def build(state: SinkState) -> Finish | None:
            state.ledger.check_epoch(now.identity, epoch)
            if state.gathered or (state.ledger.finished and not state.waiting):
                return None
            files, removals = now.target.finish(state)
            return Finish(identifier, epoch, files, removals)

        with explained(self.layout.display):
            self.roll(epoch, everything=True)
            now.log.append(identifier, build)
            while now.log.state.gathered:  # committed since by a worker that was slow
                self.roll(epoch, everything=True)
                now.log.append(identifier, build)
            now.publisher.settle(now.log.state)
            now.log.checkpoint()
            past = now.log.state.ledger.past
            now.publisher.sweep(now.log.state, (*past, now.identity.run))

    # ── for people ──────────────────────────────────────────────────────────────────────────

    def outline(self, sample: pa.RecordBatch) -> Outline:
        nobody = Identity("", "")
        target = self._target(self.layout.workspace(nobody.name), nobody)
        with explained(self.layout.display):
            return outline(target, self.partitioning, sample, self.batch_rows)

    def holdings(self) -> Mapping[str, Holding]:
        with explained(self.layout.display):
            return holdings(self.layout)

    def diagnose(self) -> Iterator[Finding]:
        found = list(diagnose_sink(self.layout))
        yield from found
        if not any(finding.state == "problem" for finding in found):
            yield from super().diagnose()

    def forget(self) -> None:
        now, identifier = self._now, uuid.uuid4().hex

        def build(state: SinkState) -> Forget:
            now.publisher.publish(state)
            return Forget(identifier)

        with explained(self.layout.display):
            now.log.append(identifier, build)
            now.publisher.sweep(now.log.state, now.log.state.ledger.past)


def _example(layout: Layout, encoding: Encoding, partitioning: Partitioning) -> str:
    """The path of a file as this sink creates them, times and partitions filled in."""
    if layout.file:
        return layout.target(layout.file)
    below = re.sub(r"\$\{[^}]*\}", "0", layout.template)
    if layout.many_files:
        return layout.target(below)
    folders = "".join(f"{column}=0/" for column in partitioning.columns)
    return layout.target(below + folders + part_name("0", 0, 0, encoding.extension))
