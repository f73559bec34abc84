"""What the transforms of a run counted, by the nodes that they compute: EXPLAIN ANALYZE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ferris_beam.sql.nodes import Node


@dataclass(frozen=True)
class Measure:
    """What a transform took in and put out; ``seconds`` add up what all threads spent in it."""

    rows_in: int = 0
    rows_out: int = 0
    bytes_out: int = 0
    seconds: float = 0.0


class Measures:
    """Measures of nodes: of each that is the top of a transform."""

    def __init__(self, found: Mapping[int, Measure]) -> None:
        self._found = found

    def of(self, node: Node) -> Measure | None:
        return self._found.get(id(node))


def measures_of(counted: Mapping[str, int], labels: Mapping[str, Sequence[Node]]) -> Measures:
    """``counted`` holds ``label.name``, as `ferris_beam.transforms.meter.tally` gives it.
    ``labels`` are what the transforms compute."""
    found: dict[int, Measure] = {}
    for label, nodes in labels.items():
        sums = _sums(counted, label)
        if nodes and sums:
            found[id(nodes[0])] = Measure(
                sums.get("rows_in", 0),
                sums.get("rows_out", 0),
                sums.get("bytes_out", 0),
                sums.get("micros", 0) / 1e6,
            )
    return Measures(found)


def _sums(counted: Mapping[str, int], label: str) -> dict[str, int]:
    """The counters of a transform and of the steps inside of it (``label/…``)."""
    sums: dict[str, int] = {}
    for key, value in counted.items():
        step, _, name = key.rpartition(".")
        if step == label or step.startswith(f"{label}/"):
            sums[name] = sums.get(name, 0) + value
    return sums
