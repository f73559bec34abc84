"""The capability gate: what a pipeline needs, held against what its runner was seen to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ferris_beam.errors import PlanError
from ferris_beam.runners.capabilities import runners_with, support
from ferris_beam.runners.features import Feature

_FLAGS = {
    "FnApiRunner": "--runner=FnApiRunner",
    "LocalStreamingRunner": "--runner=LocalStreamingRunner",
    "Prism": "--runner=prism",
    "Flink": "--runner=flink",
    "Spark": "--runner=SparkRunner",
}


def can_run(runner: str, needed: Iterable[Feature]) -> bool:
    """Whether all that is needed was seen to work."""
    return all(support(runner, feature).state in ("works", "limited") for feature in needed)


def check(runner: str, needed: Mapping[Feature, str], allow_unverified: bool) -> None:
    """Raises `PlanError` where ``runner`` can't do what is ``needed`` (feature: the label of a
    transform), or nobody knows whether it can; all of it at once."""
    problems = list(_problems(runner, needed, allow_unverified))
    if problems:
        raise PlanError("\n".join(problems))


def limits(runner: str, needed: Iterable[Feature]) -> Iterator[str]:
    """What is worth knowing before the start of a pipeline that may run."""
    for feature in needed:
        found = support(runner, feature)
        if found.state == "limited":
            yield f"{feature.value}: {found.why}{_instead(found.instead)}"


def _problems(runner: str, needed: Mapping[Feature, str], allow_unverified: bool) -> Iterator[str]:
    others = [name for name in _FLAGS if name != runner and can_run(name, needed)]
    for feature, label in needed.items():
        found = support(runner, feature)
        if found.state == "fails":
            seen = f"{found.issue}, " if found.issue else ""
            yield (
                f"{runner} can't run {label!r}: {feature.value}: {found.why} ({seen}Beam "
                f"{found.beam}){_instead(found.instead)}. {_elsewhere(feature, runner, others)}"
            )
        elif found.state == "unverified" and not allow_unverified:
            yield (
                f"whether {runner} can run {label!r} is not known: {feature.value}: {found.why}"
                f"{_instead(found.instead)}. --allow_unverified starts it all the same. "
                f"{_elsewhere(feature, runner, others)}"
            )


def _elsewhere(feature: Feature, runner: str, others: list[str]) -> str:
    """A runner that can do all of the pipeline; else those that can do this part of it."""
    if others:
        return f"{_FLAGS[others[0]]} can run this pipeline"
    some = [name for name in runners_with(feature) if name != runner]
    if not some:
        return "no other runner was seen to do it"
    return f"it works on {', '.join(some)}, which can't do another part of this pipeline"


def _instead(other_way: str) -> str:
    return f"; {other_way} does it instead" if other_way else ""
