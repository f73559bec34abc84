"""A small pipeline for each feature, whose result is known, and whether a runner gives it.

All runners here have their workers in this process, so that what reaches the end of a pipeline can
be noted in a list, together with how far the input was at that time: what is to come live must
come before the input ends. Inputs end by themselves, so nothing can hang that waits for their end.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
from apache_beam.coders import VarIntCoder
from apache_beam.coders.coders import IntervalWindowCoder
from apache_beam.io.restriction_trackers import OffsetRange, OffsetRestrictionTracker
from apache_beam.io.watermark_estimators import ManualWatermarkEstimator
from apache_beam.pvalue import AsList
from apache_beam.transforms import trigger, window
from apache_beam.transforms.core import RestrictionProvider
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import (
    BagStateSpec,
    ReadModifyWriteStateSpec,
    TimerSpec,
    on_timer,
)
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import MAX_TIMESTAMP, Duration, Timestamp

from ferris_beam.runners.features import Feature

COUNT = 15
STEP = 10  # seconds of event time between two elements
PAUSE = 0.03
PATIENCE = 3.0
"""Seconds for which the last element waits for a first result, on a machine that is busy."""

_emitted: Counter[int] = Counter()
_began: dict[int, float] = {}
_noted: dict[int, list[tuple[Any, bool]]] = defaultdict(list)
_lock = threading.Lock()
_numbers = itertools.count()


@dataclass
class Seen:
    """What came out of one pipeline: each result, and whether input was still to come then."""

    number: int = field(default_factory=lambda: next(_numbers))

    def note(self, result: Any) -> None:
        with _lock:
            _noted[self.number].append((result, _emitted[self.number] < COUNT))

    @property
    def results(self) -> Counter[Any]:
        return Counter(result for result, _ in _noted[self.number])

    @property
    def came_live(self) -> bool:
        return any(live for _, live in _noted[self.number])


class _Tracker(OffsetRestrictionTracker):
    def try_split(self, fraction_of_remainder: float) -> Any:
        return super().try_split(fraction_of_remainder) if fraction_of_remainder == 0 else None

    def is_bounded(self) -> bool:
        return False


class _Restrictions(RestrictionProvider):
    def initial_restriction(self, element: int) -> OffsetRange:
        return OffsetRange(0, COUNT)

    def create_tracker(self, restriction: OffsetRange) -> _Tracker:
        return _Tracker(restriction)

    def restriction_size(self, element: int, restriction: OffsetRange) -> int:
        return restriction.size()


_RESTRICTIONS = _Restrictions()
_WATERMARKS = ManualWatermarkEstimator.default_provider()


class StreamDoFn(beam.DoFn):
    """The numbers from 0 on, one each `PAUSE` and each `STEP` of event time; ``late`` ones come
    with the time of number 0."""

    def __init__(self, late: Iterable[int] = ()) -> None:
        self.late = frozenset(late)

    @beam.DoFn.unbounded_per_element()
    def process(
        self,
        element: int,
        tracker: Any = beam.DoFn.RestrictionParam(_RESTRICTIONS),
        watermark: Any = beam.DoFn.WatermarkEstimatorParam(_WATERMARKS),
    ) -> Iterator[Any]:
        number = tracker.current_restriction().start
        waited = time.monotonic() - _began.setdefault(element, time.monotonic())
        if number == COUNT - 1 and not _noted[element] and waited < PATIENCE:
            tracker.defer_remainder(Duration(PAUSE))
            return
        if not tracker.try_claim(number):
            return
        with _lock:
            _emitted[element] += 1
        yield TimestampedValue(number, Timestamp(0 if number in self.late else number * STEP))
        watermark.set_watermark(Timestamp(number * STEP))
        if number == COUNT - 1:
            watermark.set_watermark(MAX_TIMESTAMP)
        else:
            tracker.defer_remainder(Duration(PAUSE))


class CountDoFn(beam.DoFn):
    COUNT = ReadModifyWriteStateSpec("count", VarIntCoder())

    def process(
        self, element: tuple[int, int], count: Any = beam.DoFn.StateParam(COUNT)
    ) -> Iterator[int]:
        so_far = (count.read() or 0) + 1
        count.write(so_far)
        yield so_far


class FlushDoFn(beam.DoFn):
    """Keeps what comes, and puts it out when event time has come to 45 s."""

    KEPT = BagStateSpec("kept", VarIntCoder())
    FLUSH = TimerSpec("flush", TimeDomain.WATERMARK)

    def process(
        self,
        element: tuple[int, int],
        kept: Any = beam.DoFn.StateParam(KEPT),
        flush: Any = beam.DoFn.TimerParam(FLUSH),
    ) -> None:
        if element[1] <= 4:
            kept.add(element[1])
            flush.set(Timestamp(45))

    @on_timer(FLUSH)
    def fired(self, kept: Any = beam.DoFn.StateParam(KEPT)) -> Iterator[Any]:
        yield tuple(sorted(kept.read()))
        kept.clear()


class ClockDoFn(beam.DoFn):
    """Puts the first element out a moment later."""

    KEPT = BagStateSpec("kept", VarIntCoder())
    SOON = TimerSpec("soon", TimeDomain.REAL_TIME)

    def process(
        self,
        element: tuple[int, int],
        kept: Any = beam.DoFn.StateParam(KEPT),
        soon: Any = beam.DoFn.TimerParam(SOON),
    ) -> None:
        if element[1] == 0:
            kept.add(0)
            soon.set(Timestamp.now() + Duration(0.05))

    @on_timer(SOON)
    def fired(self, kept: Any = beam.DoFn.StateParam(KEPT)) -> Iterator[int]:
        yield from kept.read()
        kept.clear()  # a second call, which a clock's timer may get, has nothing to put out


class Nearby(window.WindowFn):
    """Windows of 15 s that grow together where they meet: sessions, but not Beam's."""

    def assign(self, assign_context: Any) -> list[Any]:
        start = assign_context.timestamp
        return [window.IntervalWindow(start, start + 15)]

    def merge(self, merge_context: Any) -> None:
        group: list[Any] = []
        for each in sorted(merge_context.windows, key=lambda found: found.start):
            if group and each.start > max(found.end for found in group):
                self._merge(group, merge_context)
                group = []
            group.append(each)
        self._merge(group, merge_context)

    @staticmethod
    def _merge(group: list[Any], merge_context: Any) -> None:
        if len(group) > 1:
            end = max(found.end for found in group)
            merge_context.merge(group, window.IntervalWindow(group[0].start, end))

    def get_window_coder(self) -> Any:
        return IntervalWindowCoder()


# ── pipelines ────────────────────────────────────────────────────────────────────────────────────


def stream(p: beam.Pipeline, seen: Seen, late: Iterable[int] = (), name: str = "") -> Any:
    number = p | f"Start{name}" >> beam.Create([seen.number])
    return number | f"Stream{name}" >> beam.ParDo(StreamDoFn(late)).with_output_types(int)


def numbers(p: beam.Pipeline) -> Any:
    timed = p | "Start" >> beam.Create(list(range(COUNT)))
    return timed | "Time" >> beam.Map(_timed).with_output_types(int)


def _timed(number: int) -> Any:
    return TimestampedValue(number, Timestamp(number * STEP))


def _noting(seen: Seen, pcoll: Any) -> None:
    _ = pcoll | "Note" >> beam.Map(seen.note)


def _keyed(pcoll: Any) -> Any:
    return pcoll | "Key" >> beam.Map(lambda number: (0, number)).with_output_types(tuple[int, int])


def _with_gaps(pcoll: Any) -> Any:
    return pcoll | "Gaps" >> beam.Filter(lambda number: number % 5 != 4).with_output_types(int)


def _grouped(pcoll: Any, into: Any, **how: Any) -> Any:
    windowed = _keyed(pcoll) | "Window" >> beam.WindowInto(into, **how)
    groups = windowed | "Group" >> beam.GroupByKey()
    return groups | "Sort" >> beam.Map(lambda group: tuple(sorted(group[1])))


Builder = Callable[[Any, Seen], Any]
_BY_WINDOW = Counter(tuple(range(first, first + 3)) for first in range(0, COUNT, 3))
_RUNS = Counter(
    tuple(range(first, min(first + 4, COUNT))) for first in range(0, COUNT, 5) if first < COUNT
)
_ALL = Counter(range(COUNT))
_FLUSHED = Counter([tuple(range(5))])
_LATE_PANES = Counter([(0, 1, 2), (0, 1, 2, 10)])


def _late_panes(p: beam.Pipeline, seen: Seen) -> Any:
    panes = _grouped(
        stream(p, seen, late=[10]),
        window.FixedWindows(30),
        trigger=trigger.AfterWatermark(late=trigger.AfterCount(1)),
        accumulation_mode=trigger.AccumulationMode.ACCUMULATING,
        allowed_lateness=3_600,
    )
    return panes | "First window" >> beam.Filter(lambda pane: 0 in pane)


def _beside_endless(p: beam.Pipeline, seen: Seen) -> Any:
    fixed = window.FixedWindows(30)
    side = stream(p, Seen(), name="Side") | "Side window" >> beam.WindowInto(fixed)
    main = stream(p, seen) | "Main window" >> beam.WindowInto(fixed)
    return main | "Beside" >> beam.Map(
        lambda number, other: (number, tuple(sorted(other))), AsList(side)
    )


def _beside(pcoll: Any) -> Any:
    side = pcoll.pipeline | "Side" >> beam.Create([5, 7])
    return pcoll | "Beside" >> beam.Map(
        lambda number, other: number + sum(other) - 12, AsList(side)
    )


PIPELINES: dict[Feature, tuple[Builder, Counter[Any]]] = {
    Feature.BOUNDED_READ: (lambda p, s: numbers(p), _ALL),
    Feature.ENDLESS_READ: (lambda p, s: stream(p, s), _ALL),
    Feature.SHUFFLE: (lambda p, s: numbers(p) | beam.Reshuffle(), _ALL),
    Feature.LIVE_SHUFFLE: (lambda p, s: stream(p, s) | beam.Reshuffle(), _ALL),
    Feature.GROUPING: (lambda p, s: _grouped(numbers(p), window.FixedWindows(30)), _BY_WINDOW),
    Feature.LIVE_GROUPING: (
        lambda p, s: _grouped(stream(p, s), window.FixedWindows(30)),
        _BY_WINDOW,
    ),
    Feature.SESSIONS: (
        lambda p, s: _grouped(_with_gaps(numbers(p)), window.Sessions(15)),
        _RUNS,
    ),
    Feature.LIVE_SESSIONS: (
        lambda p, s: _grouped(_with_gaps(stream(p, s)), window.Sessions(15)),
        _RUNS,
    ),
    Feature.LIVE_CUSTOM_MERGING: (
        lambda p, s: _grouped(_with_gaps(stream(p, s)), Nearby()),
        _RUNS,
    ),
    Feature.LIVE_ACCUMULATING: (_late_panes, _LATE_PANES),
    Feature.STATE: (
        lambda p, s: _keyed(numbers(p)) | beam.ParDo(CountDoFn()),
        Counter(range(1, COUNT + 1)),
    ),
    Feature.LIVE_STATE: (
        lambda p, s: _keyed(stream(p, s)) | beam.ParDo(CountDoFn()),
        Counter(range(1, COUNT + 1)),
    ),
    Feature.TIMERS: (lambda p, s: _keyed(numbers(p)) | beam.ParDo(FlushDoFn()), _FLUSHED),
    Feature.LIVE_TIMERS: (lambda p, s: _keyed(stream(p, s)) | beam.ParDo(FlushDoFn()), _FLUSHED),
    Feature.LIVE_CLOCK_TIMERS: (
        lambda p, s: _keyed(stream(p, s)) | beam.ParDo(ClockDoFn()),
        Counter([0]),
    ),
    Feature.SIDE_INPUT: (lambda p, s: _beside(numbers(p)), _ALL),
    Feature.LIVE_SIDE_INPUT: (lambda p, s: _beside(stream(p, s)), _ALL),
    Feature.ENDLESS_SIDE_INPUT: (
        _beside_endless,
        Counter(
            (number, tuple(range(number // 3 * 3, number // 3 * 3 + 3))) for number in range(COUNT)
        ),
    ),
}


def build(feature: Feature, p: beam.Pipeline, seen: Seen) -> None:
    builder, _ = PIPELINES[feature]
    _noting(seen, builder(p, seen))


def is_right(feature: Feature, seen: Seen) -> bool:
    """Whether all came, and nothing else; of endless input some of it before the input ended."""
    _, expected = PIPELINES[feature]
    live = feature.name.startswith(("LIVE", "ENDLESS"))
    return seen.results == expected and (seen.came_live or not live)
