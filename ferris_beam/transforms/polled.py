"""Sources to which units are added for ever: polled once in each process, read in lanes.

A runner is given a few *lanes*, endless elements that defer themselves between turns; the splits
that polling finds are spread over them by a hash. So it needs no shuffle behind the polling (on
FnApiRunner one would hold everything back until the source ends), and no restriction that grows
with the number of units.

What a lane still has to read is kept in memory only. Whoever comes to a lane whose turns did not
follow on one another in this process (it moved here, or a bundle was repeated) starts from the
ledgers: sinks hold the truth, and mask what is read twice.
"""

from __future__ import annotations

import time
from collections import ChainMap, deque
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from threading import Lock
from weakref import WeakValueDictionary, finalize

from ferris_beam.connector import Reader, Split
from ferris_beam.errors import SourceChangedError
from ferris_beam.ledger import LedgerState
from ferris_beam.reliability import AT_WORK, RetryPolicy, retrying
from ferris_beam.transforms.claims import claim, current_ledgers
from ferris_beam.transforms.context import Run
from ferris_beam.transforms.progress import resumed_from
from ferris_beam.transforms.split import (
    known_units,
    lane_of,
    missing_of,
    narrowed,
    pieces,
)

ABSENT_SECONDS = 60.0
"""A lane that did not come for so long is read elsewhere: nothing is kept for it here."""


@dataclass(eq=False)
class Lane:
    """What one lane still has to read in this process; ``position`` is where its next turn must
    begin, None before its first one here. One thread uses it at a time, under ``lock``."""

    number: int
    lock: Lock = field(default_factory=Lock)
    waiting: deque[Split] = field(default_factory=deque)
    position: int | None = None
    skipped: bool = False


class PolledSource:
    """One polled source in this process."""

    def __init__(self, run: Run, label: str, reader: Reader, lanes: int) -> None:
        self._run = run
        self._label = label
        self._unopened = reader
        self._lock = Lock()
        self._lanes = tuple(Lane(number) for number in range(lanes))
        self._start(claim(run).ledgers)

    def _start(self, ledgers: Mapping[str, LedgerState]) -> None:
        self._reader = deepcopy(self._unopened)
        self._reader.open()
        finalize(self, self._reader.close)
        self._ledgers = ledgers
        self._held = known_units(ledgers)
        self._given: dict[str, str] = {}
        self._due = 0.0
        self._began = time.monotonic()

    def lane(self, number: int) -> Lane:
        return self._lanes[number]

    def resume(self, lane: Lane, position: int) -> None:
        """Begins a turn of ``lane`` at ``position``; starts anew where turns don't follow."""
        with self._lock:
            moved = lane.position not in (None, position)
            if moved or lane.skipped:
                self._reader.close()
                for other in self._lanes:
                    other.waiting.clear()
                    other.skipped = False
                self._start(current_ledgers(self._run))
            lane.position = position

    def poll(self) -> None:
        """Asks for new units, where it is time to, and gives them to the lanes."""
        with self._lock:
            if time.monotonic() < self._due:
                return
            for split in retrying(self._new_splits, AT_WORK if self._due else RetryPolicy()):
                self._take(split)
            self._due = time.monotonic() + self._reader.poll_seconds

    def _new_splits(self) -> list[Split]:
        return list(self._reader.splits(ChainMap(self._given, self._held)))

    def _take(self, split: Split) -> None:
        unit = split.interval.unit
        given = self._given.get(unit)
        if given is not None:
            if given != split.identity:
                raise SourceChangedError(
                    f"{unit} changed after it was taken (was {given}, is {split.identity}): what "
                    "was read can't be matched with what is there now. Give new data a new name"
                )
            return
        self._given[unit] = split.identity
        absent = time.monotonic() - self._began > ABSENT_SECONDS
        for missing in missing_of(self._run, self._label, self._ledgers, split):
            part = resumed_from(
                self._run,
                self._label,
                self._ledgers,
                narrowed(split, missing),
                self._unopened.earliest,
            )
            for piece in pieces(part):
                lane = self._lanes[lane_of(piece, len(self._lanes))]
                if lane.position is None and absent:
                    lane.skipped = True
                else:
                    lane.waiting.append(piece)


_sources: WeakValueDictionary[tuple[str, str], PolledSource] = WeakValueDictionary()
_registry = Lock()


def polled_source(run: Run, label: str, reader: Reader, lanes: int) -> PolledSource:
    """The source of the Read ``label`` in this process, as long as somebody holds it."""
    with _registry:
        found = _sources.get((run.identity.run, label))
        if found is None:
            found = PolledSource(run, label, reader, lanes)
            _sources[run.identity.run, label] = found
        return found
