"""The sources, sinks and stages of a plan, as its transforms know of each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ferris_beam.connector import Writer
from ferris_beam.interval import Interval
from ferris_beam.ledger import Path

Promise: TypeAlias = Literal["exactly_once", "all_or_nothing", "effectively_once", "at_least_once"]
"""From the strongest to the weakest; `promises` says what they mean."""


@dataclass(frozen=True)
class Source:
    """A Read in the plan."""

    label: str
    connector: str
    uri: str
    replayable: bool
    ordered: bool
    bounded: bool = True
    incremental: bool = False
    confirms: bool = False
    polled: bool = False


@dataclass(frozen=True)
class Sink:
    """A Write in the plan. ``paths`` are those whose intervals it must commit; None: it keeps no
    intervals (``why_inexact`` says why). ``promise`` is what its rows come to once all of the plan
    is known (`promises.settled`), and ``why`` says the reason where it is not exactly once."""

    label: str
    connector: str
    uri: str
    place: str
    writer: Writer
    paths: frozenset[Path] | None
    why_inexact: str = ""
    role: str = "data"
    reads: frozenset[str] = frozenset()
    """The labels of the Reads that its rows come from, also through stages."""
    promise: Promise = "exactly_once"
    why: str = ""


@dataclass(frozen=True)
class StageOutput:
    """What a stage behind a shuffle puts out: one unit, its label, with a position for each
    partition. ``reads`` are the labels of the Reads in front of it, ``stages`` those of stages."""

    label: str
    reads: frozenset[str]
    partitions: int
    stages: frozenset[str] = frozenset()

    @property
    def interval(self) -> Interval:
        return Interval(self.label, 0, self.partitions)


@dataclass(frozen=True)
class LiveStage:
    """A stage over input that never ends: each partition puts out one ordered unit, whose positions
    are event times. ``reads`` are the labels of the Reads in front of it."""

    label: str
    reads: frozenset[str]
    partitions: int

    def unit(self, partition: int) -> str:
        return f"{self.label} {partition}"
