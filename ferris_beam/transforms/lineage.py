"""The graph check: which paths reach a PCollection, found at construction.

Origins are only worth something if every interval reaches a sink exactly once. Operators of the
engine see to that; what stands between them is checked here, by walking from a Write back to its
Reads: a transform that is not ours may drop, copy or split batches, so behind it there is no
origin (and the message names it), and a path that is flattened with itself is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import PBegin, PCollection

from ferris_beam.errors import PlanError
from ferris_beam.ledger import Path
from ferris_beam.transforms.operator import Operator


@dataclass(frozen=True)
class Lineage:
    """The paths by which batches reach a place; ``foreign`` names the transforms that drop them.

    ``shuffled`` names a shuffle on the way, which ordered units don't survive.
    """

    paths: frozenset[Path] = frozenset()
    foreign: tuple[str, ...] = ()
    shuffled: tuple[str, ...] = ()
    operators: frozenset[Operator] = field(default=frozenset(), compare=False)
    reads: frozenset[str] = frozenset()
    """The labels of the Reads that rows come from, also through stages."""

    @property
    def exact(self) -> bool:
        return not self.foreign


def lineage(pcoll: PCollection) -> Lineage:
    """The lineage of ``pcoll``; raises `PlanError` where a path meets itself."""
    producer = pcoll.producer
    shuffle = _enclosing(producer, (beam.Reshuffle,))
    if shuffle is not None:
        return _with_shuffle(lineage(_only_input(shuffle)), shuffle.full_label)
    transform = producer.transform
    operator = getattr(transform, "fn", None)
    if isinstance(operator, Operator):
        return _through(operator, pcoll, producer)
    if isinstance(transform, beam.WindowInto):
        return lineage(_only_input(producer))
    if isinstance(transform, beam.Flatten):
        return united([lineage(source) for source in _inputs(producer)], producer.full_label)
    return Lineage(foreign=(producer.full_label,))


def _through(operator: Operator, pcoll: PCollection, producer: Any) -> Lineage:
    added = operator.path_of(pcoll.tag)
    if operator.is_source:
        before = operator.before or Lineage(reads=frozenset(added[:1]))
        operators = before.operators | {operator}
        return Lineage(frozenset([added]), before.foreign, (), operators, before.reads)
    before = lineage(_only_input(producer))
    return Lineage(
        frozenset((*path, *added) for path in before.paths),
        before.foreign,
        before.shuffled,
        before.operators | {operator},
        before.reads,
    )


def united(branches: list[Lineage], label: str) -> Lineage:
    """The lineage where branches meet, under ``label``; raises `PlanError` as `lineage` does."""
    seen: set[Path] = set()
    for branch in branches:
        twice = seen & branch.paths
        if twice:
            raise PlanError(
                f"{label!r} takes the same batches twice (they come by "
                f"{' → '.join(min(twice))!r}): a ledger can't tell the copies apart, and would "
                "keep only one. Give each branch a transform of its own, for instance "
                "fb.MapBatches(lambda records: records)"
            )
        seen |= branch.paths
    return merged(branches)


def merged(branches: list[Lineage]) -> Lineage:
    """The lineage of what is made of all of ``branches``, whose paths may meet."""
    return Lineage(
        frozenset(path for branch in branches for path in branch.paths),
        tuple(name for branch in branches for name in branch.foreign),
        tuple(name for branch in branches for name in branch.shuffled),
        frozenset(operator for branch in branches for operator in branch.operators),
        frozenset(read for branch in branches for read in branch.reads),
    )


def _with_shuffle(before: Lineage, label: str) -> Lineage:
    return replace(before, shuffled=(*before.shuffled, label))


def _enclosing(producer: Any, kinds: tuple[type, ...]) -> Any:
    """The outermost composite of one of ``kinds`` that ``producer`` is a part of."""
    found = None
    while producer is not None:
        if isinstance(producer.transform, kinds):
            found = producer
        producer = producer.parent
    return found


def _inputs(producer: Any) -> list[PCollection]:
    return [source for source in producer.inputs if not isinstance(source, PBegin)]


def _only_input(producer: Any) -> PCollection:
    return _inputs(producer)[0]
