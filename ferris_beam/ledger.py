"""What a sink remembers of a pipeline: claims, committed intervals, rejected rows, the finish.

A ledger belongs to one sink and one pipeline's identity, and is written in the data's own
transaction. This module holds its content and its rules; where and how it is stored is the
connector's business (a numbered log beside files, a table in a database, a topic, memory).

The rules, in the order in which `LedgerState` applies them:

* A run *claims* an epoch that is higher than any before it. A commit of an older epoch is refused
  (`SupersededError`): of two processes with one identity the older one loses.
* The first commit of an interval wins; a repeat is masked. An interval that is committed in part
  is never written (`ConflictError`: the bundle is repeated and then masked).
* Intervals are kept per *path* (the labels of the Read and of the operators in between), since
  branches of one source may meet again in one sink.
* The fingerprint of every unit is kept: a source that changed is a `SourceChangedError`.
* The *mark* of the last interval of each ordered unit is kept: what its reader must know to go on.
* Rejected rows of a commit are its *outbox*: they are re-emitted when a repeat is masked, so that
  a kill between this sink and the dead letters' loses none.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ferris_beam.errors import ConflictError, SourceChangedError, SupersededError
from ferris_beam.interval import Interval, IntervalSet, Origin

Path = tuple[str, ...]
_PAST_RUNS = 256

CHECKSUMS = 1 << 63
"""Checksums are added up modulo this: sums fit a signed 64-bit column."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose progress it is: ``name`` lasts over restarts, ``run`` is one attempt, ``plan`` the
    fingerprint of the pipeline's graph."""

    name: str
    run: str
    plan: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One interval's part of a commit: rows written, its rejected rows as an IPC stream, and the
    sum of the rows' checksums (`Staged.checksum`; 0 where the sink makes none)."""

    origin: Origin
    rows: int
    rejects: bytes = b""
    checksum: int = 0

    def to_json(self) -> list[Any]:
        told = [self.origin.to_json(), self.rows, base64.b64encode(self.rejects).decode()]
        return [*told, self.checksum] if self.checksum else told

    @classmethod
    def from_json(cls, value: Sequence[Any]) -> Entry:
        origin, rows, rejects, *checksum = value
        return cls(Origin.from_json(origin), rows, base64.b64decode(rejects), *checksum)


@dataclass(slots=True)
class LedgerState:
    """A ledger, folded: the state after all its claims, commits and the finish.

    ``run``, ``epoch`` and ``plan`` are the latest claim's (epoch 0: never claimed), ``past`` the
    runs before it. ``generation`` counts the starts from zero: it is the same in all sinks of a
    pipeline once they are claimed, which lets a rerun that was killed half-way go on as one.
    ``rows`` counts what was written in this generation, ``checksum`` is the sum of its entries'.
    ``prepared``: of a source that can't be read twice everything is committed, and waits for the
    finish of all sinks.
    """

    run: str = ""
    epoch: int = 0
    plan: str = ""
    past: tuple[str, ...] = ()
    generation: int = 0
    finished: bool = False
    prepared: bool = False
    rows: int = 0
    checksum: int = 0
    committed: dict[Path, IntervalSet] = field(default_factory=dict)
    identities: dict[str, str] = field(default_factory=dict)
    outbox: dict[tuple[Path, Interval], bytes] = field(default_factory=dict)
    marks: dict[tuple[Path, str], str] = field(default_factory=dict)

    # ── changes, in the order of the ledger ─────────────────────────────────────────────────

    def claim(self, identity: Identity, epoch: int, generation: int) -> None:
        """Takes ``epoch`` for ``identity``'s run; a higher ``generation`` forgets all progress."""
        if self.run and self.run != identity.run:
            self.past = (*self.past, self.run)[-_PAST_RUNS:]
        if generation > self.generation:
            self.rows = self.checksum = 0
            self.finished = False
            self.prepared = False
            self.committed.clear()
            self.identities.clear()
            self.outbox.clear()
            self.marks.clear()
        self.run, self.epoch, self.plan = identity.run, epoch, identity.plan
        self.generation = generation

    def commit(self, entries: Iterable[Entry], rows: int) -> None:
        self.rows += rows
        self.finished = False  # of a source that gets more rows after each finish
        for entry in entries:
            origin = entry.origin
            self.checksum = (self.checksum + entry.checksum) % CHECKSUMS
            self.committed.setdefault(origin.path, IntervalSet()).add(origin.interval)
            self._keep_mark(origin)
            if origin.identity:
                self.identities[origin.interval.unit] = origin.identity
            if entry.rejects:
                self.outbox[origin.path, origin.interval] = entry.rejects

    def _keep_mark(self, origin: Origin) -> None:
        """Entries of an ordered unit come in order: the last one's mark is the unit's."""
        place = (origin.path, origin.interval.unit)
        if origin.ordered and origin.mark:
            self.marks[place] = origin.mark
        else:
            self.marks.pop(place, None)

    def prepare(self) -> None:
        self.prepared = True

    def finish(self) -> None:
        self.finished = True

    def forget(self) -> None:
        """As if it had never been claimed; runs that were stay superseded."""
        past = (*self.past, self.run)[-_PAST_RUNS:] if self.run else self.past
        blank = LedgerState(past=past)
        for name in self.__slots__:
            setattr(self, name, getattr(blank, name))

    # ── questions ───────────────────────────────────────────────────────────────────────────

    def check_claim(self, identity: Identity, epoch: int) -> bool:
        """Whether a claim must be written: not where the run holds the ledger already.

        Refuses a run that was superseded, or whose epoch is not higher than the ledger's.
        """
        if self.run == identity.run:
            return False
        if identity.run in self.past or self.epoch >= epoch:
            raise self._superseded(identity)
        return True

    def check_epoch(self, identity: Identity, epoch: int) -> None:
        """Refuses a run that is not, or no longer, the latest to have claimed this ledger."""
        if self.epoch != epoch or self.run != identity.run:
            raise self._superseded(identity)

    def _superseded(self, identity: Identity) -> SupersededError:
        return SupersededError(
            f"run {identity.run} of {identity.name!r} was superseded by run {self.run}: another "
            "process with the same name started later and owns the sink now; this one stops "
            "without writing. Use different names for pipelines that run side by side"
        )

    def check_entries(self, entries: Iterable[Entry]) -> None:
        """Refuses to commit what is committed already, in whole or in part, or out of order."""
        reached: dict[tuple[Path, str], Interval] = {}
        for entry in entries:
            origin = entry.origin
            self.check_identity(origin)
            done = self.committed.get(origin.path)
            if done is not None and done.touches(origin.interval):
                raise ConflictError(
                    f"{origin.interval} was committed meanwhile by another worker of the same "
                    "run; the bundle is repeated and then skips it"
                )
            if origin.ordered:
                place = (origin.path, origin.interval.unit)
                self._check_order(origin, done, reached.get(place))
                reached[place] = origin.interval

    @staticmethod
    def _check_order(origin: Origin, done: IntervalSet | None, before: Interval | None) -> None:
        """``before`` is the interval ahead of it in the same commit: may be its own, in parts."""
        if origin.interval == before:
            return
        committed = done.end_of(origin.interval.unit) if done is not None else None
        reached = committed if before is None else before.end
        if reached is not None and origin.interval.start != reached:
            raise ConflictError(
                f"{origin.interval} arrived before the positions from {reached} on were committed; "
                "the bundle is repeated"
            )

    def check_identity(self, origin: Origin) -> None:
        self.check_unit(origin.interval.unit, origin.identity)

    def check_unit(self, unit: str, identity: str) -> None:
        """Refuses a unit of which another version is committed in part."""
        refuse_changed(unit, self.identities.get(unit, ""), identity)

    def is_masked(self, origin: Origin) -> bool:
        """Whether ``origin`` is committed already; raises where only a part of it is."""
        done = self.committed.get(origin.path)
        if done is None or not done.touches(origin.interval):
            return False
        if not done.covers(origin.interval):
            raise ConflictError(f"{origin.interval} is committed in part; the bundle is repeated")
        return True

    def mark_at(self, path: Path, unit: str, position: int) -> str:
        """The mark that was committed with the end ``position``; empty where there is none."""
        done = self.committed.get(path)
        if done is None or done.end_of(unit) != position:
            return ""
        return self.marks.get((path, unit), "")

    def missing(self, path: Path, interval: Interval) -> list[Interval]:
        done = self.committed.get(path)
        return [interval] if done is None else done.missing(interval)

    def copy(self) -> LedgerState:
        """A state that later changes don't reach."""
        return replace(
            self,
            committed={path: done.copy() for path, done in self.committed.items()},
            identities=dict(self.identities),
            outbox=dict(self.outbox),
            marks=dict(self.marks),
        )

    # ── storage ─────────────────────────────────────────────────────────────────────────────

    def to_json(self) -> dict[str, Any]:
        return {
            "run": self.run,
            "epoch": self.epoch,
            "plan": self.plan,
            "past": list(self.past),
            "generation": self.generation,
            "finished": self.finished,
            "prepared": self.prepared,
            "rows": self.rows,
            "checksum": self.checksum,
            "committed": [[list(path), done.to_json()] for path, done in self.committed.items()],
            "identities": self.identities,
            "outbox": [
                [list(path), at.unit, at.start, at.end, base64.b64encode(rejects).decode()]
                for (path, at), rejects in self.outbox.items()
            ],
            "marks": [[list(path), unit, mark] for (path, unit), mark in self.marks.items()],
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> LedgerState:
        return cls(
            run=value["run"],
            epoch=value["epoch"],
            plan=value["plan"],
            past=tuple(value["past"]),
            generation=value["generation"],
            finished=value["finished"],
            prepared=value.get("prepared", False),
            rows=value["rows"],
            checksum=value.get("checksum", 0),
            committed={
                tuple(path): IntervalSet.from_json(done) for path, done in value["committed"]
            },
            identities=dict(value["identities"]),
            outbox={
                (tuple(path), Interval(unit, start, end)): base64.b64decode(rejects)
                for path, unit, start, end, rejects in value["outbox"]
            },
            marks={(tuple(path), unit): mark for path, unit, mark in value.get("marks", ())},
        )


def refuse_changed(unit: str, known: str, identity: str) -> None:
    """Raises `SourceChangedError` where a unit is not what it was; an empty identity is any."""
    if known and identity and known != identity:
        raise SourceChangedError(
            f"{unit} changed since a part of it was committed (was {known}, is {identity}): the "
            "rest can't be matched with what was read. Restore it, or start afresh with --reset"
        )
