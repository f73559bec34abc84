"""Documents numbered from 0 without gaps, each created by exactly one of those who try.

Besides entries (``00000007.entry``) a log has checkpoints (``00000063.checkpoint``): what all
entries up to and including that number come to. The entries below may then be deleted.

Numbers are never reused, although entries are deleted. A process that stood still between looking
and creating may well succeed in creating a number that was deleted long ago: a *stray*. It is no
part of the log, and everybody can tell:

* An entry is deleted only when a checkpoint with its number or a higher one is durable. So a stray
  is created after such a checkpoint, and whoever sees the stray in a listing sees that checkpoint
  (or a newer one) too. Readers ignore entries that a checkpoint covers.
* Its creator looks for such a checkpoint after creating (`covers`). Finding none, the entry is in
  the log: had the number been deleted before, the checkpoint would be there. Finding one, either
  the entry is a stray, or it was in the log and others were quick to write a checkpoint since;
  the content of the checkpoint tells which (see `SinkLog`).
* The newest two checkpoints are kept, so that one deleted while the names are read does not hide
  that there is any.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from ferris_beam.commitlog.store import LogStore
from ferris_beam.errors import FatalError

VERSION = 1

_NAME = re.compile(r"(\d+)\.(entry|checkpoint)")
_KEPT_CHECKPOINTS = 2


@dataclass(frozen=True, slots=True)
class Listing:
    """The numbers in a log at one moment, rising; ``entries`` without those a checkpoint covers."""

    entries: tuple[int, ...]
    checkpoints: tuple[int, ...]
    covered: tuple[int, ...] = ()

    @property
    def checkpoint(self) -> int:
        """The newest checkpoint's number, -1 where there is none."""
        return self.checkpoints[-1] if self.checkpoints else -1


class NumberedLog:
    """The documents of one log in a store, as JSON."""

    def __init__(self, store: LogStore) -> None:
        self.store = store

    def listing(self) -> Listing:
        numbers: dict[str, list[int]] = {"entry": [], "checkpoint": []}
        for name in self.store.names():
            match = _NAME.fullmatch(name)
            if match:
                numbers[match[2]].append(int(match[1]))
        checkpoints = sorted(numbers["checkpoint"])
        newest = checkpoints[-1] if checkpoints else -1
        entries = sorted(numbers["entry"])
        return Listing(
            entries=tuple(number for number in entries if number > newest),
            checkpoints=tuple(checkpoints),
            covered=tuple(number for number in entries if number <= newest),
        )

    def covers(self, number: int) -> bool:
        """Whether a checkpoint stands for this entry."""
        return self.listing().checkpoint >= number

    def entry(self, number: int) -> dict[str, Any] | None:
        return self._read(_entry(number))

    def checkpoint(self, number: int) -> dict[str, Any] | None:
        return self._read(_checkpoint(number))

    def create(self, number: int, document: dict[str, Any]) -> bool:
        """Tries to be the one who creates entry ``number``; if so, look whether `covers` it."""
        return self.store.create_exclusive(_entry(number), _encode(document))

    def remove_covered(self, number: int) -> None:
        """Removes an entry that a checkpoint covers: a stray, or of no more use."""
        self.store.delete(_entry(number))

    def create_checkpoint(self, number: int, document: dict[str, Any]) -> None:
        """Makes ``document`` stand for all entries up to ``number``; then deletes these."""
        self.store.create_exclusive(_checkpoint(number), _encode(document))
        self.compact()

    def compact(self) -> None:
        """Deletes what the newest checkpoint stands for, also what a killed process left."""
        found = self.listing()
        for number in found.covered:
            self.store.delete(_entry(number))
        for number in found.checkpoints[:-_KEPT_CHECKPOINTS]:
            self.store.delete(_checkpoint(number))

    def _read(self, name: str) -> dict[str, Any] | None:
        data = self.store.read(name)
        if data is None:
            return None
        document: dict[str, Any] = json.loads(data)
        if document.get("version") != VERSION:
            raise FatalError(
                f"{name} of the commit log has the format {document.get('version')!r}, and this "
                f"version of ferris_beam knows format {VERSION}: use the version that wrote it"
            )
        return document


def _entry(number: int) -> str:
    return f"{number:08d}.entry"


def _checkpoint(number: int) -> str:
    return f"{number:08d}.checkpoint"


def _encode(document: dict[str, Any]) -> bytes:
    text = json.dumps({"version": VERSION, **document}, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")
