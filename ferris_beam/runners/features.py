"""What a pipeline needs of its runner, read from the constructed graph."""

from __future__ import annotations

from enum import Enum
from typing import Any

import apache_beam as beam
from apache_beam.pipeline import AppliedPTransform, Pipeline, PipelineVisitor
from apache_beam.pvalue import PBegin, PCollection
from apache_beam.transforms import userstate
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.trigger import AccumulationMode
from apache_beam.transforms.window import GlobalWindows, Sessions


class Feature(Enum):
    """What pipelines are made of; the value says it in words. ``LIVE`` ones have endless input."""

    BOUNDED_READ = "reading input that ends"
    ENDLESS_READ = "reading input that never ends"
    SHUFFLE = "Reshuffle"
    LIVE_SHUFFLE = "Reshuffle of endless input"
    GROUPING = "GroupByKey, with windows or without"
    LIVE_GROUPING = "GroupByKey of endless input: windows and triggers"
    SESSIONS = "session windows"
    LIVE_SESSIONS = "session windows over endless input"
    LIVE_CUSTOM_MERGING = "merging windows of one's own over endless input"
    LIVE_ACCUMULATING = "accumulating panes with allowed lateness over endless input"
    STATE = "state"
    LIVE_STATE = "state of endless input"
    TIMERS = "event-time timers"
    LIVE_TIMERS = "event-time timers over endless input"
    LIVE_CLOCK_TIMERS = "processing-time timers over endless input"
    SIDE_INPUT = "side inputs"
    LIVE_SIDE_INPUT = "side inputs that end, beside endless input"
    ENDLESS_SIDE_INPUT = "side inputs that never end, by window"


def features_of(pipeline: Pipeline) -> dict[Feature, str]:
    """The features that ``pipeline`` uses, each with the label of a transform that does."""
    finder = _Finder()
    pipeline.visit(finder)
    return finder.found


def is_endless(pipeline: Pipeline) -> bool:
    """Whether any of its inputs never ends."""
    return Feature.ENDLESS_READ in features_of(pipeline)


class _Finder(PipelineVisitor):
    def __init__(self) -> None:
        self.found: dict[Feature, str] = {}
        self._shuffles: list[AppliedPTransform] = []

    def enter_composite_transform(self, applied: AppliedPTransform) -> None:
        if isinstance(applied.transform, beam.Reshuffle):
            self._note(applied, Feature.SHUFFLE, Feature.LIVE_SHUFFLE)
            self._shuffles.append(applied)

    def leave_composite_transform(self, applied: AppliedPTransform) -> None:
        if self._shuffles and self._shuffles[-1] is applied:
            self._shuffles.pop()

    def visit_transform(self, applied: AppliedPTransform) -> None:
        if self._shuffles:
            return
        transform = applied.transform
        if isinstance(transform, beam.GroupByKey):
            self._grouping(applied)
        elif isinstance(transform, beam.ParDo):
            self._dofn(applied, transform.fn)
        if not _inputs(applied):
            self._reading(applied)

    def _reading(self, applied: AppliedPTransform) -> None:
        endless = any(not pcoll.is_bounded for pcoll in applied.outputs.values())
        self._add(Feature.ENDLESS_READ if endless else Feature.BOUNDED_READ, applied)

    def _grouping(self, applied: AppliedPTransform) -> None:
        self._note(applied, Feature.GROUPING, Feature.LIVE_GROUPING)
        windowing = _inputs(applied)[0].windowing
        if isinstance(windowing.windowfn, Sessions):
            self._note(applied, Feature.SESSIONS, Feature.LIVE_SESSIONS)
        elif windowing.windowfn.is_merging() and _is_endless(applied):
            self._add(Feature.LIVE_CUSTOM_MERGING, applied)
        accumulating = windowing.accumulation_mode == AccumulationMode.ACCUMULATING
        late = windowing.allowed_lateness.micros > 0
        windowed = not isinstance(windowing.windowfn, GlobalWindows)
        if accumulating and late and windowed and _is_endless(applied):
            self._add(Feature.LIVE_ACCUMULATING, applied)

    def _dofn(self, applied: AppliedPTransform, dofn: Any) -> None:
        outputs = applied.outputs.values()
        if not _is_endless(applied) and any(not pcoll.is_bounded for pcoll in outputs):
            self._add(Feature.ENDLESS_READ, applied)
        for side in applied.side_inputs:
            if not side.pvalue.is_bounded:
                self._add(Feature.ENDLESS_SIDE_INPUT, applied)
            else:
                self._note(applied, Feature.SIDE_INPUT, Feature.LIVE_SIDE_INPUT)
        if userstate.is_stateful_dofn(dofn):
            self._note(applied, Feature.STATE, Feature.LIVE_STATE)
            for timer in userstate.get_dofn_specs(dofn)[1]:
                if timer.time_domain == TimeDomain.WATERMARK:
                    self._note(applied, Feature.TIMERS, Feature.LIVE_TIMERS)
                elif _is_endless(applied):
                    self._add(Feature.LIVE_CLOCK_TIMERS, applied)

    def _note(self, applied: AppliedPTransform, bounded: Feature, endless: Feature) -> None:
        self._add(endless if _is_endless(applied) else bounded, applied)

    def _add(self, feature: Feature, applied: AppliedPTransform) -> None:
        self.found.setdefault(feature, applied.full_label)


def _is_endless(applied: AppliedPTransform) -> bool:
    return any(not pcoll.is_bounded for pcoll in _inputs(applied))


def _inputs(applied: AppliedPTransform) -> list[PCollection]:
    return [pcoll for pcoll in applied.main_inputs.values() if not isinstance(pcoll, PBegin)]
