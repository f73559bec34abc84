"""What the entries of a sink's log come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ferris_beam.commitlog.records import (
    Claim,
    Commit,
    Finish,
    Forget,
    Gathered,
    Placement,
    Prepare,
    Record,
    Removal,
    Roll,
)
from ferris_beam.ledger import Identity, LedgerState

_REMEMBERED = 512
_REMEMBERED_ENDS = 1024


@dataclass(slots=True)
class SinkState:
    """A sink's ledger and its files, after all entries below ``next``.

    ``name`` is the identity's, as the latest claim says. ``origin`` is the id of the claim that
    started the generation: data files are named after it.
    ``waiting`` is held until the finish, ``gathered`` until it is rolled. ``due`` and ``removals``
    and the ``leftovers`` of rolls (names of staged files to be removed), with the numbers of their
    entries, are to be done at once; those that a checkpoint covers are done. ``ends`` are the sizes
    of the files that grew latest in this run. ``published``: what is there was shown by a finish of
    this generation; a source that gets more rows later goes on behind it.
    ``recent`` maps the ids of the latest entries to their numbers, so that whoever doesn't know
    whether an entry of theirs is in the log can find out after it was deleted.
    """

    ledger: LedgerState = field(default_factory=LedgerState)
    name: str = ""
    next: int = 0
    origin: str = ""
    held: bool = False
    replaces: bool = False
    end: int = 0
    waiting: list[Placement] = field(default_factory=list)
    due: list[tuple[int, Placement]] = field(default_factory=list)
    removals: list[tuple[int, Removal]] = field(default_factory=list)
    recent: dict[str, int] = field(default_factory=dict)
    gathered: list[Gathered] = field(default_factory=list)
    leftovers: list[tuple[int, str]] = field(default_factory=list)
    ends: dict[str, int] = field(default_factory=dict)
    published: bool = False

    @property
    def staged_names(self) -> set[str]:
        """The staged files that the log still needs."""
        files = [*self.waiting, *(file for _, file in self.due)]
        return {file.staged for file in files} | {part.staged for part in self.gathered}

    def fold(self, name: str, record: Record) -> None:
        """Adds the next entry of the log of the identity ``name``."""
        if isinstance(record, Claim):
            self._claim(name, record)
        elif isinstance(record, Commit):
            self._commit(record)
        elif isinstance(record, Roll):
            self._roll(record)
        elif isinstance(record, Prepare):
            self.ledger.prepare()
        elif isinstance(record, Forget):
            self._forget()
        else:
            self._finish(record)
        self.recent[record.id] = self.next
        while len(self.recent) > _REMEMBERED:
            del self.recent[next(iter(self.recent))]
        self.next += 1

    def _claim(self, name: str, claim: Claim) -> None:
        if claim.generation > self.ledger.generation:
            self.origin = claim.id
            self.published = False
            self.waiting.clear()
            if not claim.keeps:
                self.gathered.clear()
        self.ends.clear()
        self.name = claim.name
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
            self._grow(commit.files)
        self.gathered.extend(commit.gathered)

    def _grow(self, files: Iterable[Placement]) -> None:
        for file in files:
            if file.offset is not None:
                self.ends.pop(file.target, None)
                self.ends[file.target] = file.end
        while len(self.ends) > _REMEMBERED_ENDS:
            del self.ends[next(iter(self.ends))]

    def _roll(self, roll: Roll) -> None:
        taken = set(roll.taken)
        self.gathered = [part for part in self.gathered if part.staged not in taken]
        if self.held:
            self.waiting.extend(roll.files)
        else:
            self.due.extend((self.next, file) for file in roll.files)
        kept = {file.staged for file in roll.files}
        self.leftovers.extend((self.next, name) for name in roll.taken if name not in kept)

    def _finish(self, finish: Finish) -> None:
        self.ledger.finish()
        self.published = True
        self.waiting.clear()
        self.held = self.replaces = False
        self.due.extend((self.next, file) for file in finish.files)
        self.removals.extend((self.next, removal) for removal in finish.removals)
        self.end = max([self.end, *(file.end for file in finish.files)])
        self.ends.clear()

    def _forget(self) -> None:
        self.ledger.forget()
        self.origin = ""
        self.published = self.held = self.replaces = False
        self.waiting.clear()
        self.gathered.clear()
        self.ends.clear()

    def forget_published(self, checkpoint: int) -> None:
        """All that entries up to ``checkpoint`` asked for is done."""
        self.due = [item for item in self.due if item[0] > checkpoint]
        self.removals = [item for item in self.removals if item[0] > checkpoint]
        self.leftovers = [item for item in self.leftovers if item[0] > checkpoint]

    def to_json(self) -> dict[str, Any]:
        """The state as a checkpoint: everything due is published by then."""
        return {
            "ledger": self.ledger.to_json(),
            "name": self.name,
            "next": self.next,
            "origin": self.origin,
            "held": self.held,
            "replaces": self.replaces,
            "end": self.end,
            "waiting": [file.to_json() for file in self.waiting],
            "recent": self.recent,
            "gathered": [part.to_json() for part in self.gathered],
            "ends": self.ends,
            "published": self.published,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> SinkState:
        return cls(
            ledger=LedgerState.from_json(value["ledger"]),
            name=value.get("name", ""),
            next=value["next"],
            origin=value["origin"],
            held=value["held"],
            replaces=value["replaces"],
            end=value["end"],
            waiting=list(map(Placement.from_json, value["waiting"])),
            recent=dict(value["recent"]),
            gathered=list(map(Gathered.from_json, value.get("gathered", ()))),
            ends=dict(value.get("ends", {})),
            published=value.get("published", value["ledger"]["finished"]),
        )
