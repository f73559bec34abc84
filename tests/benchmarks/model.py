"""What a benchmark is made of: cases, their contenders, what is measured, what it must reach."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from tests.benchmarks.datasets import Dataset


@dataclass(frozen=True, slots=True)
class Paths:
    """Where one run of a contender finds its input and puts its output (a fresh folder)."""

    cache: Path
    output: Path

    def of(self, dataset: Dataset) -> str:
        return str(dataset.path(self.cache))

    @property
    def folder(self) -> str:
        return f"{self.output}/"


@dataclass(frozen=True, slots=True)
class Contender:
    """One program in a case: a function that a fresh process imports, then runs on the clock.

    ``function`` is 'module:name'; the module's imports are the contender's start-up, and it may
    import nothing that another contender needs. ``arguments`` are made for each run. ``rival``
    names the contender of ours that it is compared with; None: it is ours. ``rows`` is 0 where no
    rows are counted. ``output`` is the
    extension of the data files whose rows are checked; None: it writes none. ``foreign``: it runs
    in the environment of `tests.benchmarks.peers`.
    """

    name: str
    function: str
    rows: int
    arguments: Callable[[Paths], Mapping[str, Any]] = lambda paths: {}
    rival: str | None = None
    output: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class Measurement:
    """One run of one contender.

    ``process_seconds`` is the whole process, ``seconds`` the work alone, without start-up and
    imports; ``process_cpu_seconds`` and ``cpu_seconds`` are user and system time of the same two;
    children's time included; ``peak_bytes`` is the resident memory of the largest of them,
    ``output_bytes`` the size of the data files.
    """

    process_seconds: float
    process_cpu_seconds: float
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    output_bytes: int = 0


Results: TypeAlias = Mapping[str, Sequence[Measurement]]
"""By the contender's name, one measurement for each counted round."""


@dataclass(frozen=True, slots=True)
class Target:
    """A figure that a case must reach: one value for each round, of which the median counts."""

    text: str
    values: Callable[[Results], Sequence[float]]
    at_least: float | None = None
    at_most: float | None = None
    unit: str = ""

    def reached(self, results: Results) -> float:
        return statistics.median(self.values(results))

    def is_met(self, results: Results) -> bool | None:
        """None where there is nothing to reach: the figure is for information."""
        value = self.reached(results)
        if self.at_least is not None:
            return value >= self.at_least
        return None if self.at_most is None else value <= self.at_most

    @property
    def goal(self) -> str:
        if self.at_least is not None:
            return f"≥ {self.at_least:g}{self.unit}"
        return "" if self.at_most is None else f"≤ {self.at_most:g}{self.unit}"


def _no_service(cache: Path) -> AbstractContextManager[Mapping[str, str]]:
    return nullcontext({})


@dataclass(frozen=True, slots=True)
class Case:
    """Contenders that do the same thing on the same data; ``rows`` is for a full run. ``service``
    runs what they need meanwhile, a server, given the cache; it adds to their environment."""

    name: str
    title: str
    contenders: Sequence[Contender]
    targets: Sequence[Target]
    datasets: Sequence[Dataset] = ()
    service: Callable[[Path], AbstractContextManager[Mapping[str, str]]] = _no_service


# ── targets ─────────────────────────────────────────────────────────────────────────────────────


def seconds_of(results: Results, name: str) -> list[float]:
    return [run.seconds for run in results[name]]


def times_as_fast(ours: str, *peers: str, at_least: float | None = None) -> Target:
    """The work of the fastest of ``peers`` against ours, round by round: 2 is twice as fast."""

    def values(results: Results) -> list[float]:
        theirs = (seconds_of(results, peer) for peer in peers)
        fastest = map(min, zip(*theirs, strict=True))
        return [peer / own for peer, own in zip(fastest, seconds_of(results, ours), strict=True)]

    against = peers[0] if len(peers) == 1 else f"the best of {', '.join(peers)}"
    return Target(f"{ours} against {against}", values, at_least=at_least, unit="×")


def rate(name: str, rows: int, at_least: float) -> Target:
    """Thousand rows (or calls) a second."""

    def values(results: Results) -> list[float]:
        return [rows / seconds / 1000 for seconds in seconds_of(results, name)]

    return Target(name, values, at_least=at_least, unit=" k/s")


def milliseconds(name: str, at_most: float | None = None) -> Target:
    """The work in milliseconds."""

    def values(results: Results) -> list[float]:
        return [1000 * seconds for seconds in seconds_of(results, name)]

    return Target(name, values, at_most=at_most, unit=" ms")


def peak_megabytes(name: str, at_most: float) -> Target:
    def values(results: Results) -> list[float]:
        return [run.peak_bytes / 1e6 for run in results[name]]

    return Target(f"peak memory of {name}", values, at_most=at_most, unit=" MB")
