"""Writers with one fault each."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pyarrow as pa

from ferris_beam.connector import Receipt, Staged
from ferris_beam.errors import BadRecordError, FatalError
from ferris_beam.ledger import Entry, Identity, LedgerState
from ferris_beam.testing.faulty import FaultyStaged, FaultyWriter
from tests.conformance.mutants import mutant

OUT = "faulty://out?refuse_every=7"


@mutant("making_it_touches_nothing", OUT)
class OpensAtOnce(FaultyWriter):
    def __init__(self, uri: Any, options: Any) -> None:
        super().__init__(uri, options)
        with open("/dev/null"):
            pass


@mutant("committed_rows_are_visible_once", OUT)
class CountsNoBytes(FaultyWriter):
    def commit(self, epoch: int, staged: Staged, entries: Sequence[Entry]) -> Receipt:
        return Receipt(super().commit(epoch, staged, entries).rows, 0)


@mutant("staged_rows_are_not_visible", OUT)
class RollsBackOnce(FaultyWriter):
    def rollback(self, staged: Staged) -> None:
        assert isinstance(staged, FaultyStaged)
        del staged.batches


@mutant("the_ledger_remembers", OUT)
class ForgetsRejects(FaultyWriter):
    def commit(self, epoch: int, staged: Staged, entries: Sequence[Entry]) -> Receipt:
        kept = [replace(entry, rejects=b"") for entry in entries]
        return super().commit(epoch, staged, kept)


@mutant("the_ledger_remembers", OUT)
class OneLedgerForAll(FaultyWriter):
    @property
    def state(self) -> LedgerState:
        return self.table.ledgers.setdefault("everybody", LedgerState())


class UncheckedWriter(FaultyWriter):
    """Checks less than it should: ``seen`` is what it shows to the ledger's rules."""

    def seen(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        raise NotImplementedError

    def _check(self, epoch: int, entries: Sequence[Entry]) -> None:
        super()._check(epoch, self.seen(entries))


@mutant("repeats_are_refused", OUT)
class AtLeastOnce(UncheckedWriter):
    """Looks at the order and at identities only."""

    def _check(self, epoch: int, entries: Sequence[Entry]) -> None:
        if any(entry.origin.ordered for entry in entries):
            FaultyWriter._check(self, epoch, entries)
        self.state.check_epoch(self.identity, epoch)
        for entry in entries:
            self.state.check_identity(entry.origin)


@mutant("repeats_are_refused", OUT)
class OnePathForAll(FaultyWriter):
    """Takes the same interval of another branch for a repetition."""

    def _check(self, epoch: int, entries: Sequence[Entry]) -> None:
        shown = [replace(e, origin=replace(e.origin, path=e.origin.path[:1])) for e in entries]
        super()._check(epoch, shown)


@mutant("empty_commits_are_progress", OUT)
class SkipsEmptyCommits(FaultyWriter):
    def commit(self, epoch: int, staged: Staged, entries: Sequence[Entry]) -> Receipt:
        return super().commit(epoch, staged, entries) if staged.rows else Receipt(0, 0)


@mutant("changed_units_are_refused", OUT)
class TakesAnyVersion(UncheckedWriter):
    def seen(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        return [replace(entry, origin=replace(entry.origin, identity="")) for entry in entries]


@mutant("ordered_units_stay_in_order", OUT)
class TakesAnyOrder(UncheckedWriter):
    def seen(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        return [replace(entry, origin=replace(entry.origin, ordered=False)) for entry in entries]


@mutant("older_runs_are_superseded", OUT)
class ZombiesMayWrite(FaultyWriter):
    def _check(self, epoch: int, entries: Sequence[Entry]) -> None:
        self.state.check_entries(entries)


@mutant("older_runs_are_superseded", OUT)
class ZombiesMayFinish(FaultyWriter):
    def finish(self, epoch: int) -> None:
        self.table.batches += self.table.waiting.pop(self.identity.name, [])
        self.state.finish()


@mutant("older_runs_are_superseded", OUT)
class TakesAnyEpoch(FaultyWriter):
    def claim(self, epoch: int, generation: int) -> None:
        if self.state.run != self.identity.run:
            self._drop_older(generation)
            self.state.claim(self.identity, epoch, generation)


@mutant("claims_are_repeatable", OUT)
class ClaimsAnew(FaultyWriter):
    claimed = False

    def claim(self, epoch: int, generation: int) -> None:
        if self.claimed:
            self.state.committed.clear()
        super().claim(epoch, generation)
        self.claimed = True


@mutant("a_new_generation_forgets_progress", OUT)
class RemembersForEver(FaultyWriter):
    def claim(self, epoch: int, generation: int) -> None:
        before = self.state.copy()
        super().claim(epoch, generation)
        self.state.committed = before.committed


@mutant("finishing_is_repeatable", OUT)
class FinishesTwice(FaultyWriter):
    def finish(self, epoch: int) -> None:
        if self.state.finished:
            self.table.batches.append(self.table.batches[-1])
        super().finish(epoch)


@mutant("waiting_rows_stay_hidden", OUT)
class ShowsAtOnce(FaultyWriter):
    def _keep(self, batches: list[pa.RecordBatch]) -> None:
        self.table.batches.extend(batches)


@mutant("waiting_rows_stay_hidden", OUT)
class KeepsOldGenerations(FaultyWriter):
    def claim(self, epoch: int, generation: int) -> None:
        waiting = self.table.waiting.pop(self.identity.name, [])
        super().claim(epoch, generation)
        self.table.waiting[self.identity.name] = waiting


@mutant("a_refused_commit_leaves_nothing", OUT)
class BatchByBatch(FaultyWriter):
    """One entry after the other, each with its rows: the ledger refuses the second one too late."""

    def commit(self, epoch: int, staged: Staged, entries: Sequence[Entry]) -> Receipt:
        assert isinstance(staged, FaultyStaged)
        if len(entries) != len(staged.batches):
            return super().commit(epoch, staged, entries)
        for entry, batch in zip(entries, list(staged.batches), strict=True):
            part = self.begin()
            part.token = f"{staged.token} {entry.origin.interval}"
            part.write(batch)
            super().commit(epoch, part, [entry])
        return Receipt(staged.rows, staged.nbytes)


@mutant("a_failed_commit_can_be_repeated", OUT)
class RowsBeforeTheLedger(FaultyWriter):
    def commit(self, epoch: int, staged: Staged, entries: Sequence[Entry]) -> Receipt:
        assert isinstance(staged, FaultyStaged)
        if staged.token in self.table.tokens:
            return Receipt(staged.rows, staged.nbytes)
        self._fail()
        self._check(epoch, entries)
        self._keep(staged.batches)
        self.state.commit(entries, staged.rows)
        self.table.tokens.add(staged.token)
        return Receipt(staged.rows, staged.nbytes)


class Pending(FaultyWriter):
    """What a run staged is published when another run opens the sink."""

    staged: dict[str, tuple[str, FaultyStaged]] = {}  # noqa: RUF012

    def open(self, identity: Identity) -> None:
        super().open(identity)
        for token, (run, staged) in list(self.staged.items()):
            if run != identity.run and staged.writer.name == self.name:
                self.table.batches += self.staged.pop(token)[1].batches


@mutant("a_crash_before_the_commit_loses_nothing", OUT)
class PublishesWhatWasStaged(Pending):
    def begin(self) -> FaultyStaged:
        begun = super().begin()
        self.staged[begun.token] = (self.identity.run, begun)
        return begun

    def commit(self, epoch: int, staged: Staged, entries: Sequence[Entry]) -> Receipt:
        receipt = super().commit(epoch, staged, entries)
        self.rollback(staged)
        return receipt

    def rollback(self, staged: Staged) -> None:
        assert isinstance(staged, FaultyStaged)
        self.staged.pop(staged.token, None)

    def close(self) -> None:
        self.staged.clear()


@mutant("a_crash_after_the_commit_repeats_nothing", OUT)
class PublishesAgain(Pending):
    """A commit is noted as half published until the writer's next call; `open` then repeats it."""

    def commit(self, epoch: int, staged: Staged, entries: Sequence[Entry]) -> Receipt:
        assert isinstance(staged, FaultyStaged)
        receipt = super().commit(epoch, staged, entries)
        self.staged[staged.token] = (self.identity.run, staged)
        return receipt

    def ledger(self) -> LedgerState:
        self.staged.clear()
        return super().ledger()

    def close(self) -> None:
        self.staged.clear()


@mutant("a_lost_answer_is_no_second_commit", OUT)
class KnowsNoTokens(FaultyWriter):
    def commit(self, epoch: int, staged: Staged, entries: Sequence[Entry]) -> Receipt:
        assert isinstance(staged, FaultyStaged)
        staged.token = uuid4().hex
        return super().commit(epoch, staged, entries)


@mutant("two_writers_share_the_sink", OUT)
class ReadsThenWrites(FaultyWriter):
    """Two writers that have read the same ledger: the second one overwrites the first one's."""

    both = threading.Barrier(2)

    def commit(self, epoch: int, staged: Staged, entries: Sequence[Entry]) -> Receipt:
        assert isinstance(staged, FaultyStaged)
        before = self.state.copy()
        if threading.current_thread() is not threading.main_thread():
            self.both.wait(10)
        receipt = super().commit(epoch, staged, entries)
        if threading.current_thread() is not threading.main_thread():
            self.both.wait(10)
            before.commit(entries, staged.rows)
            self.table.ledgers[self.identity.name] = before
        return receipt


@mutant("writers_travel_by_pickle", OUT)
class ArrivesElsewhere(FaultyWriter):
    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.place += " (copy)"


@mutant("bad_rows_are_found", OUT)
class StagesUpToTheBadRow(FaultyWriter):
    def begin(self) -> FaultyStaged:
        return RowByRow(self)


class RowByRow(FaultyStaged):
    def write(self, records: pa.RecordBatch) -> None:
        for row in range(records.num_rows):
            super().write(records.slice(row, 1))


@mutant("bad_rows_are_found", OUT)
class RefusesTheWholeJob(FaultyWriter):
    def begin(self) -> FaultyStaged:
        return Fatal(self)


class Fatal(FaultyStaged):
    def write(self, records: pa.RecordBatch) -> None:
        try:
            super().write(records)
        except BadRecordError as error:
            raise FatalError(error.message) from error


@mutant("writers_close_at_any_time", OUT)
class ClosesOnlyWhatIsOpen(FaultyWriter):
    def close(self) -> None:
        if not self.identity.name:
            raise RuntimeError("it was never opened")


@mutant("sink_secrets_stay_secret", OUT)
class KeepsThePassword(FaultyWriter):
    def open(self, identity: Identity) -> None:
        super().open(identity)
        self.password = self.options.password.resolve() if self.options.password else ""


@mutant("sink_failures_are_of_our_kinds", OUT)
class RaisesWhatItGets(FaultyWriter):
    def _fail(self) -> None:
        try:
            super()._fail()
        except FatalError as error:
            raise ConnectionResetError("by peer") from error


class TypedStaged(FaultyStaged):
    """What it can't hold it makes something else of."""

    def write(self, records: pa.RecordBatch) -> None:
        columns = {name: self.stored(name, records[name]) for name in records.schema.names}
        super().write(pa.RecordBatch.from_pydict(columns))

    def stored(self, name: str, column: pa.Array) -> pa.Array:
        raise NotImplementedError


@mutant("every_type_is_kept_or_refused: timestamp[ns]", OUT)
class NoNanoseconds(FaultyWriter):
    class Cutting(TypedStaged):
        def stored(self, name: str, column: pa.Array) -> pa.Array:
            if column.type == pa.timestamp("ns"):
                return column.cast(pa.timestamp("us"), safe=False)
            return column

    def begin(self) -> FaultyStaged:
        return self.Cutting(self)


@mutant("every_type_is_kept_or_refused: duration", OUT)
class RefusesWithoutAName(FaultyWriter):
    class Refusing(TypedStaged):
        def stored(self, name: str, column: pa.Array) -> pa.Array:
            if pa.types.is_duration(column.type):
                raise FatalError("unsupported type")
            return column

    def begin(self) -> FaultyStaged:
        return self.Refusing(self)
