"""What sinks hold of a unit, asked again and again while it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import TypeAlias

from ferris_beam.connector import Split, Writer
from ferris_beam.ledger import LedgerState, Path
from ferris_beam.transforms.context import Run
from ferris_beam.transforms.live_marks import needed_by_stages

Earliest: TypeAlias = Callable[[Sequence[str]], str]
"""`Reader.earliest`."""


class SinkProgress:
    """The ledgers of all sinks that a Read feeds, by writers of its own that stay open.

    One thread uses it. Raises what `Writer.open` and `Writer.ledger` raise.
    """

    def __init__(self, run: Run, label: str, earliest: Earliest) -> None:
        """``earliest`` is the reader's (`Reader.earliest`)."""
        self._run = run
        self._label = label
        self._earliest = earliest
        self._writers: dict[str, Writer] = {}

    def resumed(self, split: Split) -> Split:
        """``split`` with what ledgers say of its start: the mark, and the borders behind it."""
        return resumed(split, list(self._states()), self._earliest)

    def reached(self, unit: str) -> int | None:
        """The position below which all sinks hold ``unit``; None where one holds nothing of it."""
        ends = [_end_of(state, path, unit) for state, path in self._states()]
        stages = needed_by_stages(
            self._run, self._label, unit, lambda sink: self._writer(sink).ledger()
        )
        ends += [None if each is None else each.position for each in stages]
        known = [end for end in ends if end is not None]
        return min(known) if known and len(known) == len(ends) else None

    def close(self) -> None:
        while self._writers:
            _, writer = self._writers.popitem()
            writer.close()

    def _states(self) -> Iterator[tuple[LedgerState, Path]]:
        for sink, paths in self._run.sinks_of(self._label):
            if paths is not None:
                state = self._writer(sink.label).ledger()
                yield from ((state, path) for path in paths)

    def _writer(self, sink: str) -> Writer:
        if sink not in self._writers:
            writer = deepcopy(self._run.sink(sink).writer)
            writer.open(self._run.identity)
            self._writers[sink] = writer
        return self._writers[sink]


def resumed_from(
    run: Run, label: str, ledgers: Mapping[str, LedgerState], split: Split, earliest: Earliest
) -> Split:
    """`resumed` for the Read ``label``, by the ledgers of its sinks as they stood at the start."""
    states = [
        (ledgers[sink.label], path) for sink, paths in run.sinks_of(label) for path in paths or ()
    ]
    unit, start = split.interval.unit, split.interval.start
    stages = needed_by_stages(run, label, unit, ledgers.__getitem__)
    marks = [each.mark for each in stages if each and each.mark and each.position == start]
    return resumed(split, states, earliest, marks)


def resumed(
    split: Split,
    states: Iterable[tuple[LedgerState, Path]],
    earliest: Earliest,
    known: Iterable[str] = (),
) -> Split:
    """An ordered ``split`` with its mark and borders; any other as it is. ``known`` are marks that
    stages keep of its start."""
    if not split.ordered:
        return split
    unit, start = split.interval.unit, split.interval.start
    marks, borders = list(known), set()
    for state, path in states:
        end = _end_of(state, path, unit)
        if end == start:
            marks.append(state.mark_at(path, unit, start))
        elif end is not None and end > start:
            borders.add(end)
    mark = earliest(marks) if marks else split.mark
    return replace(split, mark=mark, borders=tuple(sorted(borders)))


def _end_of(state: LedgerState, path: Path, unit: str) -> int | None:
    done = state.committed.get(path)
    return None if done is None else done.end_of(unit)
