"""What the entries of a sink's log say: a claim, a commit, a roll, what ends a run."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ferris_beam.errors import FatalError
from ferris_beam.ledger import Entry


@dataclass(frozen=True, slots=True)
class Placement:
    """A staged file, and where its bytes go.

    ``target`` is relative to the sink (empty: the sink is one file). With an ``offset`` the bytes
    of ``prefix`` and then ``length`` bytes of the file are written there; without, the file is
    renamed.
    """

    staged: str
    target: str
    length: int
    offset: int | None = None
    prefix: bytes = b""

    @property
    def end(self) -> int:
        return (self.offset or 0) + len(self.prefix) + self.length

    def to_json(self) -> list[Any]:
        prefix = base64.b64encode(self.prefix).decode()
        return [self.staged, self.target, self.length, self.offset, prefix]

    @classmethod
    def from_json(cls, value: Sequence[Any]) -> Placement:
        staged, target, length, offset, prefix = value
        return cls(staged, target, length, offset, base64.b64decode(prefix))


@dataclass(frozen=True, slots=True)
class Gathered:
    """A committed part of a file to come: it waits, unseen, until there is enough for the file.

    Parts that agree in ``folder`` (relative to the sink), ``extension`` and ``schema`` (a
    fingerprint) become one file, which starts with ``header``. ``since`` is when the part was
    committed, in seconds since 1970.
    """

    staged: str
    folder: str
    extension: str
    schema: str
    nbytes: int
    rows: int
    since: float
    header: bytes = b""

    def to_json(self) -> list[Any]:
        header = base64.b64encode(self.header).decode()
        return [
            self.staged,
            self.folder,
            self.extension,
            self.schema,
            self.nbytes,
            self.rows,
            self.since,
            header,
        ]

    @classmethod
    def from_json(cls, value: Sequence[Any]) -> Gathered:
        staged, folder, extension, schema, nbytes, rows, since, header = value
        header = base64.b64decode(header)
        return cls(staged, folder, extension, schema, nbytes, rows, since, header)


@dataclass(frozen=True, slots=True)
class Removal:
    """A file of old data that the finish replaces; ``fingerprint`` keeps a later one of its name
    from being taken for it."""

    target: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A run takes the sink. ``held``: commits wait for the finish; ``replaces``: the finish
    removes what else is there; ``end``: where a growing file is continued; ``keeps``: what an
    earlier generation gathered still becomes files; ``name``: the identity's."""

    id: str
    run: str
    epoch: int
    plan: str
    generation: int
    held: bool = False
    replaces: bool = False
    end: int = 0
    keeps: bool = True
    name: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": "claim",
            "id": self.id,
            "run": self.run,
            "epoch": self.epoch,
            "plan": self.plan,
            "generation": self.generation,
            "held": self.held,
            "replaces": self.replaces,
            "end": self.end,
            "keeps": self.keeps,
            "name": self.name,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Claim:
        return cls(**{name: value[name] for name in cls.__slots__ if name in value})


@dataclass(frozen=True, slots=True)
class Commit:
    """Rows and progress. ``held``: the files wait for the finish; ``gathered``: parts that wait
    to become files."""

    id: str
    epoch: int
    rows: int
    entries: tuple[Entry, ...] = ()
    files: tuple[Placement, ...] = ()
    held: bool = False
    gathered: tuple[Gathered, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": "commit",
            "id": self.id,
            "epoch": self.epoch,
            "rows": self.rows,
            "entries": [entry.to_json() for entry in self.entries],
            "files": [file.to_json() for file in self.files],
            "held": self.held,
            "gathered": [part.to_json() for part in self.gathered],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Commit:
        return cls(
            id=value["id"],
            epoch=value["epoch"],
            rows=value["rows"],
            entries=tuple(map(Entry.from_json, value["entries"])),
            files=tuple(map(Placement.from_json, value["files"])),
            held=value["held"],
            gathered=tuple(map(Gathered.from_json, value.get("gathered", ()))),
        )


@dataclass(frozen=True, slots=True)
class Roll:
    """Gathered parts become files. ``taken`` are the names of the parts' staged files."""

    id: str
    epoch: int
    files: tuple[Placement, ...]
    taken: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": "roll",
            "id": self.id,
            "epoch": self.epoch,
            "files": [file.to_json() for file in self.files],
            "taken": list(self.taken),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Roll:
        return cls(
            id=value["id"],
            epoch=value["epoch"],
            files=tuple(map(Placement.from_json, value["files"])),
            taken=tuple(value["taken"]),
        )


@dataclass(frozen=True, slots=True)
class Prepare:
    """All bounded input is committed and waits, out of sight, until all sinks are as far."""

    id: str
    epoch: int

    def to_json(self) -> dict[str, Any]:
        return {"kind": "prepare", "id": self.id, "epoch": self.epoch}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Prepare:
        return cls(id=value["id"], epoch=value["epoch"])


@dataclass(frozen=True, slots=True)
class Finish:
    """All bounded input is committed: ``files`` is what waited, ``removals`` what it replaces."""

    id: str
    epoch: int
    files: tuple[Placement, ...] = ()
    removals: tuple[Removal, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": "finish",
            "id": self.id,
            "epoch": self.epoch,
            "files": [file.to_json() for file in self.files],
            "removals": [[removal.target, removal.fingerprint] for removal in self.removals],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Finish:
        return cls(
            id=value["id"],
            epoch=value["epoch"],
            files=tuple(map(Placement.from_json, value["files"])),
            removals=tuple(Removal(*removal) for removal in value["removals"]),
        )


@dataclass(frozen=True, slots=True)
class Forget:
    """The identity's progress is forgotten, with what waited for a finish. Entries stay numbered:
    a run that still works here finds its epoch gone, and stops."""

    id: str

    def to_json(self) -> dict[str, Any]:
        return {"kind": "forget", "id": self.id}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Forget:
        return cls(id=value["id"])


Record = Claim | Commit | Roll | Prepare | Finish | Forget

_KINDS: dict[str, type[Record]] = {
    "claim": Claim,
    "commit": Commit,
    "roll": Roll,
    "prepare": Prepare,
    "finish": Finish,
    "forget": Forget,
}


def record_from_json(value: Mapping[str, Any]) -> Record:
    kind = _KINDS.get(value.get("kind", ""))
    if kind is None:
        raise FatalError(
            f"the commit log has an entry of the unknown kind {value.get('kind')!r}: it was "
            "written by a newer version of ferris_beam; use that one"
        )
    return kind.from_json(value)
