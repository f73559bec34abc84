"""The log of one sink and one identity: what stands in it, and how to add to it.

`SinkLog.append` is the commit. It reads what others have added, lets the caller check and build
the entry against that state, and tries to create it under the next number. Where another process
was faster, it starts again: so each entry was checked against exactly the entries before it.

Every entry carries a unique id. A caller that doesn't know whether its entry was created (an error
came back, the process stood still) appends it once more, with the same id, and gets the number
that it has if it is in the log.

The races, and why they are harmless (see `NumberedLog` for the first two):

* An entry is created under a number whose entry was deleted before. A checkpoint covers it and
  doesn't know the id: the entry is a stray; it is removed and appended again.
* The entry was in the log, but a checkpoint was written before its creator looked: it knows the id.
  It remembers the latest 512. A creator slower than that takes its entry for a stray: what it
  appends again meets the same intervals in the ledger, and is refused by `check_entries`.
* Two write a checkpoint of the same number: one is taken, both are right.
* A checkpoint is written after all that its entries ask for was published. So those who
  redo publications after a crash need to look only at entries behind the newest checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable

from ferris_beam.commitlog.numbered import NumberedLog
from ferris_beam.commitlog.records import Record, record_from_json
from ferris_beam.commitlog.state import SinkState
from ferris_beam.errors import FatalError

CHECKPOINT_EVERY = 64
_PATIENCE = 100


class SinkLog:
    """A log with its entries folded into ``state``, as far as they were read. Not thread-safe."""

    def __init__(self, log: NumberedLog, name: str) -> None:
        self.log = log
        self.name = name
        self.state = SinkState()
        self._checkpoint = -1

    def refresh(self) -> SinkState:
        """Reads what was added since the last time."""
        for _ in range(_PATIENCE):
            if self._catch_up():
                return self.state
        raise self._damaged(f"entry {self.state.next} is missing")

    def append(self, identifier: str, build: Callable[[SinkState], Record | None]) -> int | None:
        """Adds the entry that ``build`` makes of the state before it; returns its number.

        ``build`` may be called several times; what it raises ends the attempt, and None says that
        nothing is to be added. An entry that is in the log already, by its id, is not added again.
        """
        refused: list[int] = []
        while len(refused) < _PATIENCE:
            state = self.refresh()
            if identifier in state.recent:
                return state.recent[identifier]
            record = build(state)
            if record is None:
                return None
            number = state.next
            if not self.log.create(number, record.to_json()):
                refused = [*refused, number] if number in refused else [number]
            elif not self.log.covers(number):
                state.fold(self.name, record)
                return number
            else:
                self.log.remove_covered(number)  # the checkpoint knows whether it was in the log
        raise self._damaged(f"entry {refused[0]} can neither be read nor created")

    @property
    def checkpoint_is_due(self) -> bool:
        return self.state.next - 1 - self._checkpoint >= CHECKPOINT_EVERY

    def checkpoint(self) -> None:
        """Writes what was read so far as a checkpoint; all that is due must be published."""
        number = self.state.next - 1
        if number <= self._checkpoint:
            return
        self.log.create_checkpoint(number, self.state.to_json())
        self._passed(number)

    def _catch_up(self) -> bool:
        """Reads on; False where the listing was overtaken and must be made again."""
        found = self.log.listing()
        if found.checkpoint >= self.state.next:
            document = self.log.checkpoint(found.checkpoint)
            if document is None:
                return False
            self.state = SinkState.from_json(document)
        self._passed(found.checkpoint)
        for number in found.entries:
            if number < self.state.next:
                continue
            document = self.log.entry(number) if number == self.state.next else None
            if document is None:
                return False
            self.state.fold(self.name, record_from_json(document))
        return True

    def _damaged(self, how: str) -> FatalError:
        return FatalError(
            f"the commit log of {self.name!r} is damaged: {how}. What was committed can't be told "
            "any more; write to another place, or remove this one with its _ferris folder"
        )

    def _passed(self, checkpoint: int) -> None:
        if checkpoint > self._checkpoint:
            self._checkpoint = checkpoint
            self.state.forget_published(checkpoint)
