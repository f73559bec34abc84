"""What each runner was seen to do: features × runners, as data.

An entry is what somebody saw, on the version of Beam that it names, not what a runner promises.
Tests run a pipeline for each entry whose runner is there, and compare. What nobody saw is
'unverified': a pipeline that needs it starts with ``--allow_unverified`` only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ferris_beam.runners.features import Feature

State: TypeAlias = Literal["works", "limited", "fails", "unverified"]

FN_API = "FnApiRunner"
STREAMING = "LocalStreamingRunner"
PRISM = "Prism"
FLINK = "Flink"
SPARK = "Spark"

RUNNERS: Mapping[str, str] = {
    FN_API: "the default for input that ends, and for copies of input that never ends: threads of "
    "this process",
    STREAMING: "in this process too, one thread: windows and state while the input goes on",
    PRISM: "Beam's portable runner in one program, started for the run; workers in this process",
    FLINK: "a cluster, by Beam's portable job server",
    SPARK: "a cluster, by Beam's portable job server; input that ends",
}


@dataclass(frozen=True, slots=True)
class Support:
    """How far a runner supports a feature. ``why`` is the limit or the failure, ``issue`` the one
    at Beam, ``instead`` another way to the same end, ``beam`` the version it was seen on."""

    state: State
    why: str = ""
    issue: str = ""
    instead: str = ""
    beam: str = "2.77.0"


WORKS = Support("works")
UNVERIFIED = Support("unverified", "nobody has seen it", beam="")

_HELD = "nothing comes out before the input ends, and all of it is held in memory"
_FN_API = {
    Feature.LIVE_SHUFFLE: Support("fails", _HELD, instead="leave the shuffle out"),
    Feature.LIVE_GROUPING: Support("fails", f"windows don't fire: {_HELD}"),
    Feature.LIVE_SESSIONS: Support("fails", f"windows don't fire: {_HELD}"),
    Feature.LIVE_CUSTOM_MERGING: Support("fails", f"windows don't fire: {_HELD}"),
    Feature.LIVE_ACCUMULATING: Support("fails", f"no late panes: {_HELD}"),
    Feature.LIVE_TIMERS: Support("fails", "timers fire at the end of each bundle, whatever time"),
    Feature.ENDLESS_SIDE_INPUT: Support("fails", "its values come several times"),
}

_STREAMING = {
    Feature.LIVE_CLOCK_TIMERS: Support(
        "limited", "a timer may fire twice", instead="event-time timers"
    ),
    Feature.ENDLESS_SIDE_INPUT: Support(
        "fails",
        "refused: the runner takes none of their windows",
        instead="CoGroupByKey",
    ),
}

_PRISM = {
    Feature.LIVE_SESSIONS: Support(
        "fails",
        "sessions stay unmerged, silently; with a combiner the job panics",
        issue="apache/beam#33623",
        instead="a stateful DoFn with an event-time timer",
    ),
    Feature.LIVE_CUSTOM_MERGING: Support("fails", "refused: MergeStatus NEEDS_MERGE"),
    Feature.LIVE_ACCUMULATING: Support("limited", "late panes may come together, or twice"),
    Feature.LIVE_SIDE_INPUT: Support(
        "limited", "the first rows wait some seconds for it", instead="Reshuffle in front of it"
    ),
    Feature.ENDLESS_SIDE_INPUT: Support(
        "unverified",
        "right in some pipelines, silently empty in others",
        instead="CoGroupByKey",
    ),
}

_FLINK_BEAM = "2.70.0"  # the job server that was tried; its Python was 2.77.0
_FLINK_CAST = "ClassCastException at the first checkpoint"
_FLINK = {
    **{feature: Support("works", beam=_FLINK_BEAM) for feature in Feature},
    Feature.LIVE_CUSTOM_MERGING: Support(
        "fails", "refused: unsupported WindowFn pickled_python", beam=_FLINK_BEAM
    ),
    Feature.LIVE_ACCUMULATING: Support(
        "fails", "the last late pane comes twice", beam=_FLINK_BEAM, instead="discarding panes"
    ),
    Feature.LIVE_CLOCK_TIMERS: Support(
        "limited",
        "in one pipeline some did not fire",
        beam=_FLINK_BEAM,
        instead="event-time timers",
    ),
    Feature.LIVE_SIDE_INPUT: Support(
        "fails", _FLINK_CAST, beam=_FLINK_BEAM, instead="CoGroupByKey"
    ),
    Feature.ENDLESS_SIDE_INPUT: Support(
        "fails", _FLINK_CAST, beam=_FLINK_BEAM, instead="CoGroupByKey"
    ),
}

_SPARK_BEAM = "2.70.0"
_NO_STREAMS = Support(
    "fails",
    "no checkpoints of splittable DoFns: input must end",
    issue="apache/beam#19468",
    beam=_SPARK_BEAM,
)
_SPARK_SEEN = (
    Feature.BOUNDED_READ,
    Feature.GROUPING,
    Feature.SESSIONS,
    Feature.STATE,
    Feature.SIDE_INPUT,
)
_SPARK = {
    **{feature: UNVERIFIED for feature in Feature},
    **{feature: Support("works", beam=_SPARK_BEAM) for feature in _SPARK_SEEN},
    **{
        feature: _NO_STREAMS
        for feature in Feature
        if feature.name.startswith(("LIVE_", "ENDLESS_"))
    },
}

_TABLE: Mapping[str, Mapping[Feature, Support]] = {
    FN_API: _FN_API,
    STREAMING: _STREAMING,
    PRISM: _PRISM,
    FLINK: _FLINK,
    SPARK: _SPARK,
}

_NAMES = {
    "FlinkRunner": FLINK,
    "SparkRunner": SPARK,
    "PrismRunner": PRISM,
}


def support(runner: str, feature: Feature) -> Support:
    """What is known of ``feature`` on ``runner``, by our name or by Beam's."""
    entries = _TABLE.get(_NAMES.get(runner, runner))
    return UNVERIFIED if entries is None else entries.get(feature, WORKS)


def runners_with(feature: Feature) -> Iterator[str]:
    """The runners that can do it."""
    return (name for name in _TABLE if support(name, feature).state in ("works", "limited"))


def notes(runner: str) -> dict[Support, list[Feature]]:
    """What is to be said of a runner: limits and failures, each with the features it concerns."""
    found: dict[Support, list[Feature]] = {}
    for feature in Feature:
        seen = support(runner, feature)
        if seen.why and seen.beam:
            found.setdefault(seen, []).append(feature)
    return found
