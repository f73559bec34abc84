"""What the entries of a sink's log come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ferris_beam.commitlog.records import Claim, Commit, Finish, Placement, Record, Removal
from ferris_beam.ledger import Identity, LedgerState

_REMEMBERED = 512


@dataclass(slots=True)
class SinkState:
    """A sink's ledger and its files, after all entries below ``next``.

    ``origin`` is the id of the claim that started the generation: data files are named after it.
    ``waiting`` is held until the finish. ``due`` and ``removals``, with the numbers of their
    entries, are to be published at once; those that a checkpoint covers are published.
    ``recent`` maps the ids of the latest entries to their numbers, so that whoever doesn't know
    whether an entry of theirs is in the log can find out after it was deleted.
    """

    ledger: LedgerState = field(default_factory=LedgerState)
    next: int = 0
    origin: str = ""
    held: bool = False
    replaces: bool = False
    end: int = 0
    waiting: list[Placement] = field(default_factory=list)
    due: list[tuple[int, Placement]] = field(default_factory=list)
    removals: list[tuple[int, Removal]] = field(default_factory=list)
    recent: dict[str, int] = field(default_factory=dict)

    def fold(self, name: str, record: Record) -> None:
        """Adds the next entry of the log of the identity ``name``."""
        if isinstance(record, Claim):
            self._claim(name, record)
        elif isinstance(record, Commit):
            self._commit(record)
        else:
            self._finish(record)
        self.recent[record.id] = self.next
        while len(self.recent) > _REMEMBERED:
            del self.recent[next(iter(self.recent))]
        self.next += 1

    def _claim(self, name: str, claim: Claim) -> None:
        if claim.generation > self.ledger.generation:
            self.origin = claim.id
            self.waiting.clear()
        self.held, self.replaces, self.end = claim.held, claim.replaces, claim.end
        identity = Identity(name, claim.run, claim.plan)
        self.ledger.claim(identity, claim.epoch, claim.generation)

    def _commit(self, commit: Commit) -> None:
        self.ledger.commit(commit.entries, commit.rows)
        if commit.held:
            self.waiting.extend(commit.files)
        else:
            self.due.extend((self.next, file) for file in commit.files)
            self.end = max([self.end, *(file.end for file in commit.files)])

    def _finish(self, finish: Finish) -> None:
        self.ledger.finish()
        self.waiting.clear()
        self.held = self.replaces = False
        self.due.extend((self.next, file) for file in finish.files)
        self.removals.extend((self.next, removal) for removal in finish.removals)
        self.end = max([self.end, *(file.end for file in finish.files)])

    def forget_published(self, checkpoint: int) -> None:
        """All that entries up to ``checkpoint`` asked for is published."""
        self.due = [item for item in self.due if item[0] > checkpoint]
        self.removals = [item for item in self.removals if item[0] > checkpoint]

    def to_json(self) -> dict[str, Any]:
        """The state as a checkpoint: everything due is published by then."""
        return {
            "ledger": self.ledger.to_json(),
            "next": self.next,
            "origin": self.origin,
            "held": self.held,
            "replaces": self.replaces,
            "end": self.end,
            "waiting": [file.to_json() for file in self.waiting],
            "recent": self.recent,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> SinkState:
        return cls(
            ledger=LedgerState.from_json(value["ledger"]),
            next=value["next"],
            origin=value["origin"],
            held=value["held"],
            replaces=value["replaces"],
            end=value["end"],
            waiting=list(map(Placement.from_json, value["waiting"])),
            recent=dict(value["recent"]),
        )
