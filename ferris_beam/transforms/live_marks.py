"""From where a restart must read a source again so that stages over endless input lose nothing.

With each tick a partition says, for each unit of its sources, the smallest position of rows that
its state still needs; sinks keep that as the mark of the tick. What is below the marks of all
partitions in all sinks is in results that all sinks hold.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from ferris_beam.ledger import LedgerState, Path
from ferris_beam.transforms.context import Run

Needs: TypeAlias = Mapping[str, Mapping[str, tuple[int, str, str]]]
"""By the Read's label and the unit: the position that is needed next, the reader's mark of it, and
the unit's identity."""


@dataclass(frozen=True, slots=True)
class Needed:
    """A position from which on a unit must be read, what its reader must know there, and which
    version of the unit that is."""

    position: int
    mark: str = ""
    identity: str = ""


def to_mark(needs: Needs) -> str:
    return json.dumps(needs, separators=(",", ":"), sort_keys=True)


def from_mark(mark: str) -> Needs:
    found: Needs = json.loads(mark) if mark else {}
    return found


def needed_by_stages(
    run: Run, label: str, unit: str, ledger: Callable[[str], LedgerState]
) -> Iterator[Needed | None]:
    """What each partition of each stage needs of a unit of the Read ``label``, by the ledgers of
    the sinks (by their labels); None: all of it."""
    for stage in run.live_of(label):
        sinks = list(run.sinks_of(stage.label))
        if not sinks:
            yield None
        for sink, paths in sinks:
            if paths is None:
                yield None
                continue
            state = ledger(sink.label)
            for path in paths:
                for partition in range(stage.partitions):
                    yield _needed(state, path, stage.unit(partition), label, unit)


def _needed(state: LedgerState, path: Path, tick: str, label: str, unit: str) -> Needed | None:
    found = from_mark(state.marks.get((path, tick), "")).get(label, {}).get(unit)
    return None if found is None else Needed(*found)
